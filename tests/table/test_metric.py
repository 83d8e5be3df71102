"""The scores are scikit-learn's, ties and absent classes included."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from fathometer.table.metric import METRICS, right_pairs, roc_auc


def some_answers(classes: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    truth = random.integers(classes, size=rows)
    scores = np.round(random.random((rows, classes)) + 0.3 * np.eye(classes)[truth], 1) + 0.05
    return truth, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_classification_scores(classes: int) -> None:
    truth, scores = some_answers(classes)
    answers = scores.argmax(axis=1)
    expected = {
        "roc_auc": reference.roc_auc_score(
            truth, scores[:, 1] if classes == 2 else scores, multi_class="ovr"
        ),
        "log_loss": reference.log_loss(truth, scores),
        "accuracy": reference.accuracy_score(truth, answers),
        "macro_f1": reference.f1_score(truth, answers, average="macro"),
        "brier": ((scores - np.eye(classes)[truth]) ** 2).sum(axis=1).mean(),
    }
    for name, value in expected.items():
        assert METRICS[name].score(truth, scores) == pytest.approx(value, rel=1e-12), name


def test_regression_scores() -> None:
    random = np.random.default_rng(0)
    truth = random.gamma(2, size=200)
    said = np.abs(truth + random.normal(size=200))
    expected = {
        "rmse": reference.root_mean_squared_error(truth, said),
        "mae": reference.mean_absolute_error(truth, said),
        "r2": reference.r2_score(truth, said),
        "rmsle": reference.root_mean_squared_log_error(truth, said),
    }
    for name, value in expected.items():
        assert METRICS[name].score(truth, said[:, None]) == pytest.approx(value, rel=1e-12), name


def test_every_row_counts_the_pairs_it_is_right_in() -> None:
    positive = np.array([True, False, True, False, False])
    score = np.array([0.9, 0.9, 0.1, 0.1, 0.5])
    # The first beats two and ties with one of the three others; the third ties with one of them.
    np.testing.assert_allclose(right_pairs(positive, score), [2.5 / 3, 0.25, 0.5 / 3, 0.75, 0.5])


def test_the_area_of_one_class_alone_is_unknown() -> None:
    assert np.isnan(roc_auc(np.zeros(5, dtype=int), np.full((5, 2), 0.5)))
    # Of three classes, those that do not occur are left out.
    truth, scores = some_answers(2)
    padded = np.column_stack([scores, np.zeros(len(truth))])
    assert roc_auc(truth, padded) == pytest.approx(
        np.mean([roc_auc(truth, scores), roc_auc(1 - truth, scores[:, ::-1])])
    )
