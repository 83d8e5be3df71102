"""The linear learners on n-grams: honest out of fold, repeatable, and the same in their file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_digits

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.ngram_blocks import BlockPlan, count_texts
from fathometer.features.text_tokens import Unit
from fathometer.learners import ngram_course
from fathometer.learners.contract import UNLIMITED, Budget
from fathometer.learners.link import fit_link
from fathometer.learners.ngram_course import NgramSearch, calibrate
from fathometer.learners.ngram_linear import (
    Bayes,
    NaiveBayesSVM,
    NgramBayes,
    NgramLogistic,
    NgramRidge,
    Penalised,
    settings_for,
)
from fathometer.learners.sparse_descent import Lesson, Loss, fit_margins
from fathometer.modelfile.write import TOLERANCE, ship, to_onnx
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.metric import METRICS
from fathometer.table.table import Table, column_from, picture_column
from shared_files import shared

CLASSIFIERS = [
    NgramLogistic((1e-4, 1e-5), iterations=15),
    NaiveBayesSVM((1e-3, 1e-4), iterations=15),
    NgramBayes((1.0, 0.1)),
]


def shared_rows(path, count):
    return pq.read_table(shared(path)).slice(0, count)


def setting(columns, target):
    table = Table(tuple(columns))
    task = ask(table, target)
    return table, task, divide(table, task, DivideOptions(folds=3))


@pytest.fixture(scope="module")
def spam():
    rows = shared_rows("text/sms_spam.parquet", 600)
    return setting(
        [
            column_from("text", Kind.TEXT, rows["text"].combine_chunks()),
            column_from("label", Kind.CATEGORY, rows["label"].combine_chunks()),
        ],
        "label",
    )


@pytest.fixture(scope="module")
def feelings():
    rows = shared_rows("text/tweeteval_emotion.parquet", 700)
    return setting(
        [
            column_from("text", Kind.TEXT, rows["text"].combine_chunks()),
            column_from("label", Kind.CATEGORY, rows["label"].combine_chunks()),
        ],
        "label",
    )


@pytest.fixture(scope="module")
def clothes():
    """Two columns of text, a number and a category; the target is a number."""
    rows = shared_rows("tables/clothing_reviews.parquet", 700)
    kinds = {
        "Review Text": Kind.TEXT,
        "Title": Kind.TEXT,
        "Age": Kind.NUMBER,
        "Class Name": Kind.CATEGORY,
        "Rating": Kind.NUMBER,
    }
    return setting(
        [column_from(name, kind, rows[name].to_pylist()) for name, kind in kinds.items()], "Rating"
    )


@pytest.mark.parametrize("learner", CLASSIFIERS, ids=lambda learner: learner.name)
@pytest.mark.parametrize("question", ["spam", "feelings"])
def test_it_beats_the_shares_of_the_classes_and_its_file_answers_alike(learner, question, request):
    table, task, split = request.getfixturevalue(question)
    model = learner.fit(table, task, split)
    truth = task.encode(table[task.target])
    shares = np.bincount(truth[split.train], minlength=task.outputs) / len(split.train)
    baseline = -np.log(shares[truth[split.train]]).mean()
    loss = METRICS["log_loss"].score(truth[split.train], model.out_of_fold)
    assert loss < 0.95 * baseline
    shipped = ship(model, learner.name, table, split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    assert all(name in model.account.reading for name in task.classes)


def test_texts_beside_numbers_and_categories_are_read_together(clothes):
    table, task, split = clothes
    model = NgramRidge((1e-2, 1e-3)).fit(table, task, split)
    truth = task.encode(table[task.target])[split.train]
    assert METRICS["rmse"].score(truth, model.out_of_fold) < 0.95 * truth.std()
    names = model.road.names
    assert {name.split(":")[0] for name in names if ": '" in name} == {"Review Text", "Title"}
    assert any("Age" in name for name in names)
    assert ship(model, "ridge", table, split.lockbox).parity.deviation <= TOLERANCE


@pytest.mark.parametrize("learner", CLASSIFIERS, ids=lambda learner: learner.name)
def test_a_mixed_table_is_classified_and_its_file_answers_alike(learner, clothes):
    table, _, _ = clothes
    liked = ["yes" if value > 3 else "no" for value in table["Rating"].numbers]
    columns = [*table.without(["Rating"]).columns, column_from("liked", Kind.CATEGORY, liked)]
    table, task, split = setting(columns, "liked")
    model = learner.fit(table, task, split)
    assert ship(model, learner.name, table, split.lockbox).parity.deviation <= TOLERANCE


@pytest.mark.parametrize("learner", CLASSIFIERS[:2], ids=lambda learner: learner.name)
def test_pictures_beside_texts_are_read_in_few_columns(learner):
    """Handwritten digits, of which the text says which half of them they are in."""
    found = load_digits()
    numerals = found.target[:300]
    said = [f"this one is {'below' if each < 5 else 'from'} five" for each in numerals]
    pixels = (found.images[:300] * 15).astype(np.uint8)[..., None]
    columns = [
        picture_column("scan", pixels),
        column_from("said", Kind.TEXT, said),
        column_from("digit", Kind.CATEGORY, [f"is {each}" for each in numerals]),
    ]
    table, task, split = setting(columns, "digit")
    model = learner.fit(table, task, split)
    truth = task.encode(table["digit"])[split.train]
    assert (model.out_of_fold.argmax(axis=1) == truth).mean() > 0.8  # half the digits: at most 0.2
    assert sum("scan" in name for name in model.road.names) <= 192
    assert any(name.startswith("said: ") for name in model.road.names)
    assert ship(model, learner.name, table, split.lockbox).parity.deviation <= TOLERANCE


def test_fitted_twice_it_is_the_same_file(feelings):
    table, task, split = feelings
    for learner in CLASSIFIERS:
        one, other = (
            to_onnx(learner.fit(fresh, task, split)).SerializeToString(deterministic=True)
            for fresh in (table, Table(tuple(replace(column) for column in table)))
        )
        assert one == other


@pytest.mark.parametrize("path", [Penalised(Loss.LOGISTIC, 8), Bayes()], ids=["logistic", "bayes"])
def test_a_fold_margins_owe_nothing_to_its_own_targets(path, feelings):
    table, task, split = feelings
    plan = BlockPlan(Unit.WORDS, (1, 2), 500)
    search = NgramSearch(settings_for([("words", (plan,))], [1e-2, 1e-3], "strength"), path)

    def margins(table):
        link = fit_link(task, task.encode(table["label"])[split.train])
        counted = count_texts(table, task, [plan])
        return ngram_course._margins_of_folds(search, counted, link, split, UNLIMITED)

    turned = table["label"].strings.copy()
    turned[split.folds[0]] = np.roll(turned[split.folds[0]], 1)
    changed = Table((table["text"], column_from("label", Kind.CATEGORY, turned.tolist())))
    own = split.places(split.folds[0])
    before, after = margins(table), margins(changed)
    assert np.array_equal(before[:, own], after[:, own])
    assert not np.array_equal(before, after)


def test_what_a_fold_knows_owes_nothing_to_the_texts_of_others(spam):
    table, task, split = spam
    plans = [BlockPlan(Unit.WORDS, (1, 2), 300), BlockPlan(Unit.CHARACTERS, (2, 4), 300, 4)]
    rows, _ = split.fold_rows(1)
    among = count_texts(table, task, plans).fit(rows, plans)
    alone = count_texts(table.rows(rows), task, plans).fit(np.arange(len(rows)), plans)
    for one, other in zip(among.road.blocks, alone.road.blocks, strict=True):
        assert one.ngrams.names == other.ngrams.names
        assert np.array_equal(one.weights, other.weights)
    assert abs(among.training - alone.training).sum() == 0


def test_descent_reaches_the_least_loss_that_scikit_learn_finds():
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 12)) * (generator.random((300, 12)) < 0.4)
    truth = (rows @ generator.normal(size=(12, 3))).argmax(axis=1)
    peer = LogisticRegression(C=1 / (1e-2 * 300), tol=1e-8, max_iter=1000).fit(rows, truth)
    lesson = Lesson(csr_array(rows.astype(np.float32)), truth, 3, Loss.LOGISTIC)
    found, start = fit_margins(lesson, 1e-2)
    for _ in range(5):  # as exactly as float32 allows, not only until a step brings little
        found, start = fit_margins(lesson, 1e-2, start=start)
    np.testing.assert_allclose(found.weights, peer.coef_.T, atol=0.02)


def test_calibration_undoes_a_wrong_scale(feelings):
    _, task, _ = feelings
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, 4000)
    logits = np.eye(4)[truth] * 2 + generator.gumbel(size=(4000, 4))
    found = calibrate(task, logits * 0.01, truth)
    link = fit_link(task, truth)
    better = METRICS["log_loss"].score(truth, link.answers(found.of(logits * 0.01)))
    assert better <= METRICS["log_loss"].score(truth, link.answers(logits * 0.5)) + 1e-3


def test_a_table_without_text_and_another_kind_of_task_are_refused(spam, survival):
    table, task, split = spam
    bare = setting([survival.table["age"], survival.table["survived"]], "survived")
    with pytest.raises(LearnerError, match="no column of text"):
        NgramLogistic().fit(*bare)
    with pytest.raises(LearnerError, match="predicts numbers"):
        NgramRidge().fit(table, task, split)
    with pytest.raises(OutOfTimeError, match="0 of 3 folds"):
        NgramLogistic().fit(table, task, split, budget=Budget(deadline=0.0))


def test_texts_that_have_nothing_in_common_are_refused():
    texts = [chr(0x4E00 + place) for place in range(40)]
    columns = [
        column_from("text", Kind.TEXT, texts),
        column_from("label", Kind.CATEGORY, ["a", "b"] * 20),
    ]
    with pytest.raises(LearnerError, match="no n-gram"):
        NgramLogistic(spread=replace(NgramLogistic().spread, short_bytes=0)).fit(
            *setting(columns, "label")
        )
