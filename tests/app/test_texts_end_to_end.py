"""A table of texts is compared, asked, inspected and told of with nothing but its path."""

import csv
import html
import io
import json

import numpy as np
import pytest

from fathometer.app.answers import answer
from fathometer.app.comparison import compare
from fathometer.app.inspect import inspection, print_inspection
from fathometer.app.preparation import Options, prepare
from fathometer.app.verdicts import print_run
from fathometer.features.text_statistics import text_statistics

HOSTILE = [
    "",
    "🙂😡👩‍👩‍👧",
    "\0",
    "lovely\0awful",
    "lovely" * 17_000,  # 100 KB without a blank
    "lovely " * 15_000,
    "لطيف גרוע",
    "<br /><br />&amp;",
    "很好很软",
    "\u202e\ufeff\u0301",
]


@pytest.fixture(scope="module")
def run(reviews_path, tmp_path_factory):
    """A contest of counted words against a word network."""
    out = tmp_path_factory.mktemp("run") / "reviews.fathom"
    only = ("n-gram naive Bayes", "word vectors")
    return compare(reviews_path, target="liked", only=only, out=out)


@pytest.fixture(scope="module")
def report(run):
    """The report's words, without what escapes them and with plain blanks."""
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    return html.unescape(page).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def understood(reviews_path):
    """The same rows as the contest saw them."""
    return prepare(reviews_path, Options("liked"))


def test_both_families_learn_to_read(run):
    assert [(spec.name, spec.kind.value) for spec in run.winner.columns] == [("review", "text")]
    score = {card.name: card.quality.value for card in run.scorecards if card.quality}
    assert score["constant"] == 0.5
    assert min(score["n-gram naive Bayes"], score["word vectors"]) > 0.9
    assert (run.traditional.family, run.deep.family) == ("traditional", "deep")
    assert "these texts" in run.verdict.headline


def test_a_table_and_a_mapping_of_texts_are_answered_alike(run, reviews_path):
    answers = answer(run.folder / "winner.onnx", str(reviews_path)).table
    with reviews_path.open(encoding="utf-8", newline="") as file:
        texts = [row["review"] for row in csv.DictReader(file)]
    labels = run.winner.predict({"review": texts})
    assert answers["label"].to_pylist() == labels.tolist()
    stated = np.column_stack([answers[f"probability_{name}"] for name in ("no", "yes")])
    np.testing.assert_allclose(run.winner.predict_proba({"review": texts}), stated, atol=1e-6)


def test_the_file_says_that_it_takes_texts(run):
    (column,) = inspection(run.winner)["columns"]
    assert column == {"name": "review", "kind": "text", "element": "string"}
    said = io.StringIO()
    print_inspection(run.winner, run.folder / "winner.onnx", stream=said)
    assert "classify liked: 2 classes (no, yes)" in said.getvalue()


def test_the_report_tells_what_the_training_texts_are_like(report, understood):
    column = understood.table["review"].take(understood.split.train)
    told = text_statistics(column).sentences()
    assert [sentence for sentence in told if sentence not in report] == []
    scripts_and_more = ("Latin", "Arabic", "Hebrew", "HTML in", "Emoji in", "of them empty")
    assert [words for words in scripts_and_more if words not in " ".join(told)] == []


def test_the_report_shows_training_texts_of_each_class(report, understood):
    train = understood.split.train
    liked = understood.table["liked"].strings[train]
    for name in ("no", "yes"):
        first = str(understood.table["review"].strings[train[liked == name][0]])
        assert f"<q>{first}</q>" in report


def test_the_report_shows_the_most_telling_words_with_their_weights(run, report):
    (card,) = (card for card in run.scorecards if card.name == "n-gram naive Bayes")
    assert card.reading in report
    against, towards = sorted(card.reading.splitlines())
    assert "'torn'" in against or "'awful'" in against
    assert "'lovely'" in towards or "'fits'" in towards


def test_the_verdict_is_printed_again(run, capsys):
    print_run(run.folder)
    said = " ".join(capsys.readouterr().out.split())
    assert run.verdict.headline in said
    assert json.loads((run.folder / "verdict.json").read_text())["winner"] == run.verdict.winner


@pytest.mark.parametrize("family", ["traditional", "deep"])
def test_hostile_texts_are_answered_alone_as_among_others(run, family):
    model = getattr(run, family)
    together = model.predict_proba({"review": HOSTILE})
    assert np.isfinite(together).all()
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)
    for text, expected in zip(HOSTILE, together, strict=True):
        np.testing.assert_allclose(model.predict_proba({"review": text}), expected, atol=1e-6)
        (alone,) = model.predict_proba({"review": [text]})
        np.testing.assert_allclose(alone, expected, atol=1e-6)
