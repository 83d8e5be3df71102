"""How answers are scored: the closed set of metrics, each with its direction and its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fathometer.table.task import TaskKind

TINY = (
    1e-15  # probabilities are clipped to [TINY, 1]; scikit-learn does the same with float64's eps
)


@dataclass(frozen=True)
class Metric:
    """One way to score answers.

    `score(truth, scores)` takes class places (rows,) and probabilities (rows, classes), or values
    (rows,) and predictions (rows, 1), and returns a number.
    """

    name: str
    label: str
    kind: TaskKind
    greater_is_better: bool
    score: Callable[[np.ndarray, np.ndarray], float]

    def better(self, one: float, other: float) -> bool:
        """Whether the first score beats the second."""
        return one > other if self.greater_is_better else one < other

    def loss(self, truth: np.ndarray, scores: np.ndarray) -> float:
        """The score turned so that less is better."""
        value = self.score(truth, scores)
        return -value if self.greater_is_better else value


def roc_auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve by ranks (ties count half); several classes: mean of one-vs-rest
    over those that some rows have and others have not.

    NaN where no class is such."""
    areas = []
    for place in [1] if scores.shape[1] == 2 else range(scores.shape[1]):
        positive = truth == place
        if 0 < positive.sum() < len(truth):
            areas.append(right_pairs(positive, scores[:, place])[positive].mean())
    return float(np.mean(areas)) if areas else float("nan")


def right_pairs(positive: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Of the pairs that a row makes with all rows of the other side, the share in which the
    positive one has the higher score; ties count half. Both sides must have rows.

    Only the positive rows are sorted, which are few where there are many classes.

    Args:
        positive: shape (rows,), bool.
        score: shape (rows,).

    Returns:
        Shape (rows,). Its mean over either side is the area under the ROC curve.
    """
    ups = np.sort(score[positive])
    below = np.searchsorted(ups, score, side="left")
    up_to = np.searchsorted(ups, score, side="right")
    right = 1 - (below + up_to) / (2 * len(ups))  # of a negative row
    # How many negative rows lie below the first positive score, the second, …, and as high at most.
    lower, as_high = (
        np.cumsum(np.bincount(places[~positive], minlength=len(ups) + 1))
        for places in (up_to, below)
    )
    own = below[positive]
    right[positive] = (lower[own] + as_high[own]) / (2 * (len(score) - len(ups)))
    return right


def log_loss(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean negative log probability of the true class, in nats."""
    chosen = scores[np.arange(len(truth)), truth]
    return float(-np.log(np.clip(chosen, TINY, 1.0)).mean())


def accuracy(truth: np.ndarray, scores: np.ndarray) -> float:
    """Share of rows whose most probable class is the true one."""
    return float((scores.argmax(axis=1) == truth).mean())


def macro_f1(truth: np.ndarray, scores: np.ndarray) -> float:
    """F1 of each class that occurs in truth or answers, averaged."""
    answers = scores.argmax(axis=1)
    values = []
    for place in np.union1d(truth, answers):
        hits = float(((answers == place) & (truth == place)).sum())
        values.append(2 * hits / float((answers == place).sum() + (truth == place).sum()))
    return float(np.mean(values))


def brier(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean squared distance between the probabilities and the truth, summed over classes."""
    target = np.eye(scores.shape[1])[truth]
    return float(((scores - target) ** 2).sum(axis=1).mean())


def rmse(truth: np.ndarray, scores: np.ndarray) -> float:
    """Root mean squared error, in the target's unit."""
    return float(np.sqrt(np.mean((truth - scores[:, 0]) ** 2)))


def mae(truth: np.ndarray, scores: np.ndarray) -> float:
    """Mean absolute error, in the target's unit."""
    return float(np.abs(truth - scores[:, 0]).mean())


def r2(truth: np.ndarray, scores: np.ndarray) -> float:
    """Share of the variance explained."""
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return 1.0 - float(np.sum((truth - scores[:, 0]) ** 2)) / spread if spread else float("nan")


def rmsle(truth: np.ndarray, scores: np.ndarray) -> float:
    """Root mean squared error of log(1 + value); values below 0 count as 0."""
    gap = np.log1p(np.clip(truth, 0, None)) - np.log1p(np.clip(scores[:, 0], 0, None))
    return float(np.sqrt(np.mean(gap**2)))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("roc_auc", "ROC AUC", TaskKind.CLASSIFY, True, roc_auc),
        Metric("log_loss", "log loss", TaskKind.CLASSIFY, False, log_loss),
        Metric("accuracy", "accuracy", TaskKind.CLASSIFY, True, accuracy),
        Metric("macro_f1", "macro F1", TaskKind.CLASSIFY, True, macro_f1),
        Metric("brier", "Brier score", TaskKind.CLASSIFY, False, brier),
        Metric("rmse", "RMSE", TaskKind.REGRESS, False, rmse),
        Metric("mae", "MAE", TaskKind.REGRESS, False, mae),
        Metric("r2", "R²", TaskKind.REGRESS, True, r2),
        Metric("rmsle", "RMSLE", TaskKind.REGRESS, False, rmsle),
    )
}


def default_metric(kind: TaskKind, classes: int) -> str:
    """ROC AUC for two classes, accuracy for more, RMSE for numbers."""
    if kind is TaskKind.REGRESS:
        return "rmse"
    return "roc_auc" if classes == 2 else "accuracy"
