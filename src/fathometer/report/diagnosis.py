"""Held-out truth and scores → the arrays behind the calibration, confusion and residual plots."""

from __future__ import annotations

import numpy as np

from fathometer.report.content import Confusion, Reliability, Residuals, Side

BINS = 10  # of equal width, so that a bin means the same for every contestant
POINTS = 2_000  # of a scatter plot: more only darken it, and the page has a size to keep
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def reliability(
    model: str, family: Side, classes: tuple[str, ...], truth: np.ndarray, scores: np.ndarray
) -> Reliability:
    """Compare predicted probabilities with what happened.

    Two classes: the probability of the second. More: that of the class answered.

    Args:
        truth: (rows,) class places.
        scores: (rows, classes) probabilities.
    """
    if len(classes) == 2:
        chance, happened = scores[:, 1], truth == 1
    else:
        chance, happened = scores.max(axis=1), scores.argmax(axis=1) == truth
    place = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    filled = [bin_ for bin_ in range(BINS) if (place == bin_).any()]
    return Reliability(
        model,
        family,
        of=f"“{classes[1]}”" if len(classes) == 2 else "the class answered",
        predicted=tuple(float(chance[place == bin_].mean()) for bin_ in filled),
        observed=tuple(float(happened[place == bin_].mean()) for bin_ in filled),
        counts=tuple(int((place == bin_).sum()) for bin_ in filled),
    )


def confusion(
    model: str, family: Side, classes: tuple[str, ...], truth: np.ndarray, scores: np.ndarray
) -> Confusion:
    """Count answers by true class; truth (rows,) class places, scores (rows, classes)."""
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (truth, scores.argmax(axis=1)), 1)
    return Confusion(model, family, classes, tuple(tuple(map(int, row)) for row in counts))


def residuals(model: str, family: Side, truth: np.ndarray, predicted: np.ndarray) -> Residuals:
    """Compare predicted values with true ones, both (rows,) float64.

    The sample takes rows at even steps, so that the same rows are shown for every contestant."""
    rows = len(truth)
    shown = np.unique(np.linspace(0, rows - 1, min(rows, POINTS)).astype(np.int64))
    errors = np.quantile(predicted - truth, LEVELS)
    return Residuals(
        model,
        family,
        rows,
        actual=tuple(map(float, truth[shown])),
        predicted=tuple(map(float, predicted[shown])),
        levels=LEVELS,
        errors=tuple(map(float, errors)),
    )
