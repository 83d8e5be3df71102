"""N-grams here and in the graph: the same counts of any text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fathometer.features import ngrams, text_dense
from fathometer.features.ngram_weights import NgramBlock, Weighting
from fathometer.features.ngrams import counted_ngrams, fit_ngrams
from fathometer.features.text_dense import TextMeasures, associations, fit_telling_ngrams
from fathometer.features.text_tokens import Unit, characters_help, tokens_of
from fathometer.graph import Element, Graph
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from
from shared_files import shared

ODD = [
    "",
    " ",
    "\n\t\r",
    "it's  'quoted' don't",
    "<br /><br />A film &amp; <b>more</b> http://x.org/?a=1&b=2",
    "Ünïcödé ÉCOLE École ÉcOLE école İstanbul straße STRASSE ǅ ΟΔΟΣ οδος",
    "Это ЭТО это ЭтО",
    "今天天气很好，我们去公园。",
    "วันนี้อากาศดีมาก",
    "مرحبا بالعالم 123 ١٢٣",
    "שלום עולם",
    "🙂🙃👩‍👩‍👧‍👦🇩🇪 e\u0301 \u200b\u00a0\ufeff\u2028",
    "a\x00b \x1f \U0010ffff \uffff ½ Ⅷ K",
    "!!! ??? 50% OFF!!! TXT 80082",
    "x" * 3000 + " y" * 2000,
]
# Texts of what breaks tokenisers: scripts, marks, controls, blanks of all kinds, capitals.
letters = st.one_of(
    st.sampled_from("abcXYZ019'!? .,-<>&\n\t\u00a0\u3000éÉßİıΣςσДд今天ก็ا١ש🙂\u0301\u200d\x00"),
    st.characters(exclude_categories=("Cs",)),
)
texts = st.lists(st.text(letters, max_size=40), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def messages():
    return pq.read_table(shared("text/sms_spam.parquet"))


def column(values):
    return column_from("text", Kind.TEXT, values)


def answers(graph, tensor, values):
    model = graph.finish({"out": (tensor, Element.FLOAT, None)})
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"text": np.array(values, dtype=object)[:, None]})[0]


def assert_twins(step, values, expected):
    graph = Graph()
    np.testing.assert_array_equal(answers(graph, step.write(graph), values), expected)


@pytest.mark.parametrize("unit", Unit)
def test_odd_texts_are_counted_alike_here_and_in_the_graph(unit):
    fitted, counts = fit_ngrams(column(ODD * 2), unit=unit, orders=(1, 3), least_rows=2)
    assert_twins(fitted, ODD * 2, counts.toarray())
    for value in ODD:
        own = fitted.counts(Table((column([value]),))).toarray()
        assert_twins(fitted, [value], own)


@pytest.mark.parametrize("unit", Unit)
def test_a_text_of_100_kilobytes_is_counted_alike(unit):
    values = ["the quick brown fox, é 今 " * 4000, "the quick fox"]
    fitted, _ = fit_ngrams(column(values), unit=unit, orders=(1, 2), least_rows=1)
    for value in values:
        assert_twins(fitted, [value], fitted.counts(Table((column([value]),))).toarray())


@pytest.mark.parametrize("unit", Unit)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(known=texts, asked=texts)
def test_any_texts_are_counted_alike_here_and_in_the_graph(unit, known, asked):
    found = fit_ngrams(column(known), unit=unit, orders=(1, 2), least_rows=1)
    if found is None:
        assert unit is Unit.WORDS  # the blanks around a text are characters
        return
    assert_twins(found[0], asked, found[0].counts(Table((column(asked),))).toarray())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=texts)
def test_any_texts_measure_alike_here_and_in_the_graph(asked):
    step = TextMeasures("text")
    assert_twins(step, asked, step.matrix(Table((column(asked),))))


def test_a_missing_text_is_an_empty_one_also_where_it_is_written_otherwise():
    plain = column(["yes no", None, "no yes", None])
    marked = replace(plain, spec=replace(plain.spec, missing=("?",)))
    fitted, counts = fit_ngrams(marked, unit=Unit.CHARACTERS, orders=(1, 2), least_rows=1)
    assert_twins(fitted, ["yes no", "", "no yes", "?"], counts.toarray())
    assert_twins(
        TextMeasures("text", ("?",)),
        ["A1", "?", "!?", ""],
        [[1, 1, 0, 0, 2], [0, 0, 0, 0, 0], [0, 0, 1, 1, 2], [0, 0, 0, 0, 0]],
    )


def test_words_and_their_pairs_are_those_of_scikit_learn(messages):
    from sklearn.feature_extraction.text import CountVectorizer

    values = messages["text"].to_pylist()[:800]
    peer = CountVectorizer(token_pattern=r"(?u)[\w']+", ngram_range=(1, 2), min_df=2)
    ours, counts = fit_ngrams(column(values), unit=Unit.WORDS, orders=(1, 2), least_rows=2)
    theirs = peer.fit_transform([value.replace("_", " ") for value in values])
    places = [peer.vocabulary_.get(name) for name in ours.names]
    # Python lower-cases the whole text, we its letters A to Z and whole words.
    known = [place is not None for place in places]
    assert np.mean(known) > 0.995
    found = theirs[:, [place for place in places if place is not None]]
    gap = abs(found - counts[:, np.flatnonzero(known)])
    assert (gap.sum(axis=0) > 0).mean() < 0.005


def test_characters_and_their_chains_are_those_of_scikit_learn(messages):
    from sklearn.feature_extraction.text import CountVectorizer

    values = [value for value in messages["text"].to_pylist()[:300] if value.isascii()]
    values = [" ".join(value.split()) for value in values]  # as theirs does by itself
    peer = CountVectorizer(analyzer="char", ngram_range=(2, 4), min_df=3)
    ours, counts = fit_ngrams(column(values), unit=Unit.CHARACTERS, orders=(2, 4), least_rows=3)
    theirs = peer.fit_transform([f" {value} " for value in values])
    assert set(ours.names) == set(peer.vocabulary_)
    places = [peer.vocabulary_[name] for name in ours.names]
    assert abs(theirs[:, places] - counts).sum() == 0


@pytest.mark.parametrize("unit", Unit)
def test_rows_counted_in_slices_are_counted_alike(unit, monkeypatch, messages):
    values = column(messages["text"].to_pylist()[:200])
    fitted, counts = fit_ngrams(values, unit=unit, orders=(1, 2), least_rows=2)
    monkeypatch.setattr(ngrams, "SLICE_BYTES", 700)
    assert abs(fitted.counts(Table((values,))) - counts).sum() == 0
    monkeypatch.setattr(ngrams, "LARGEST_DIRECT", 10)  # all levels hashed
    again, hashed = fit_ngrams(values, unit=unit, orders=(1, 2), least_rows=2)
    assert again.names == fitted.names
    assert abs(hashed - counts).sum() == 0
    assert abs(again.counts(Table((values,))) - counts).sum() == 0


def test_a_word_is_the_same_small_capitalised_and_in_capitals():
    tokens = tokens_of(column(["Это ЭТО это ÉCOLE École école ЭтО"]), Unit.WORDS)
    assert tokens.alphabet == ("это", "école", "ЭтО")


def test_texts_without_blanks_are_known_by_their_characters():
    values = ["今天天气很好我们去公园散步", "今天天气不好我们在家看书"] * 4
    assert characters_help([column(values * 100_000).values], most_bytes=0)
    assert not characters_help([pa.array(["two words and more"] * 9)], most_bytes=0)
    fitted, _ = fit_ngrams(column(values), unit=Unit.CHARACTERS, orders=(2, 2), least_rows=5)
    assert "天气" in fitted.names
    assert "很好" not in fitted.names


@pytest.mark.parametrize("weighting", Weighting)
def test_weighted_rows_and_their_product_are_the_same_in_the_graph(weighting, messages):
    values = [*messages["text"].to_pylist()[:200], *ODD]
    fitted, counts = fit_ngrams(column(values), unit=Unit.WORDS, orders=(1, 2), least_rows=3)
    generator = np.random.default_rng(0)
    weights = generator.normal(size=(fitted.width, 3)).astype(np.float32)
    rarity = generator.uniform(1, 5, fitted.width).astype(np.float32)
    block = NgramBlock(fitted, rarity, weighting)
    rows = block.weighted(counts)
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    assert np.allclose(lengths[lengths > 0], 1)
    graph = Graph()
    found = answers(graph, block.write(graph, weights), values)
    np.testing.assert_allclose(found, rows @ weights, atol=2e-6)


def test_an_association_is_the_chi_square_of_scikit_learn():
    from scipy.sparse import csr_array
    from scipy.stats import chi2_contingency

    generator = np.random.default_rng(1)
    counts = generator.poisson(0.4, (200, 5)).astype(np.float32)
    truth = generator.integers(0, 2, 200)
    found = associations(csr_array(counts), np.eye(2)[truth])
    for place in range(5):
        held = counts[:, place] > 0
        crossed = [[(held & (truth == c)).sum() for c in (0, 1)] for held in (held, ~held)]
        # Both classes' columns count the same difference: twice the statistic of two classes.
        expected = chi2_contingency(crossed, correction=False).statistic
        assert found[place] == pytest.approx(2 * expected)


def test_what_is_chosen_for_some_rows_is_what_they_alone_would_choose(messages):
    values = messages["text"].to_pylist()[:600]
    truth = np.array([label == "spam" for label in messages["label"].to_pylist()[:600]])
    rows = np.arange(0, 600, 2)
    shown = np.eye(2)[truth[rows].astype(int)]
    among = fit_telling_ngrams(column(values), rows, shown, most=60)
    own = fit_telling_ngrams(
        column([values[row] for row in rows]), np.arange(len(rows)), shown, most=60
    )
    assert [found.names for found, _, _ in among] == [found.names for found, _, _ in own]
    for (_, counts, _), (_, again, _) in zip(among, own, strict=True):
        assert abs(counts - again).sum() == 0


def test_a_text_that_is_judged_on_brings_in_no_ngram():
    values = ["abc def zqx" if row < 3 else "abc def" for row in range(20)]
    rows, shown = np.arange(20), np.eye(2)[np.arange(20) % 2]
    chosen = [
        [found.names for found, _, _ in fit_telling_ngrams(column(texts), rows, shown, most=400)]
        for texts in (values, [*values, "abc def"], [*values, "abc def zqx"])
    ]
    assert chosen[0] == chosen[1] == chosen[2]
    assert any("zq" in name for names in chosen[0] for name in names)


@pytest.mark.parametrize("unit", Unit)
def test_every_ngram_that_may_be_chosen_is_a_candidate(unit):
    assert text_dense.CANDIDATE_ROWS[unit] <= text_dense.LEAST_ROWS


def test_long_texts_that_judge_bring_in_no_candidate(monkeypatch):
    monkeypatch.setitem(ngrams.VOCABULARY_BYTES, Unit.WORDS, 200)
    learned, judged = ["abc def"] * 40, ["xyz uvw"] * 40
    how = {"unit": Unit.WORDS, "orders": (1, 1), "least_rows": 2}
    texts = column([*learned, *judged])
    every, _ = counted_ngrams(texts, **how)
    own, counts = counted_ngrams(texts, **how, among=np.arange(40))
    assert set(every.names) == {"abc", "def", "xyz", "uvw"}
    assert set(own.names) == {"abc", "def"}
    assert counts.shape[0] == 80
