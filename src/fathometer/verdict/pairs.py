"""Every contestant against every other on the lockbox, corrected for how many pairs there are.

The correction is the max-t bootstrap (Westfall and Young 1993; Romano and Wolf 2005): all pairs
meet the same resamples, so what they share is allowed for, and the largest difference that chance
makes among *all* pairs is what a single one has to exceed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from fathometer.trial.interval import RULE_OF_THREE
from fathometer.verdict.bench import Bench
from fathometer.verdict.verdict import Pair

MOST_PAIRED = 40  # contestants, so 780 pairs: more would fill verdict.json with noise


def all_pairs(bench: Bench, contestants: Sequence[tuple[str, np.ndarray]]) -> tuple[Pair, ...]:
    """The difference of every two, with intervals that hold at once in 95 % of all such lockboxes.

    Args:
        contestants: name and scores (rows, outputs) of each, best first; the first of a pair is
            the one that stands earlier.
    """
    chosen = list(combinations(contestants[:MOST_PAIRED], 2))
    if not chosen:
        return ()
    found = [bench.raw_gap(one, other) for (_, one), (_, other) in chosen]
    values = np.array([value for value, _ in found])
    samples = np.stack([gaps for _, gaps in found])  # (pairs, resamples)
    samples = samples[:, np.isfinite(samples).all(axis=0)]
    errors = _standard_errors(samples, bench.independent)
    largest = _largest_by_chance(samples, errors)
    reach = float(np.quantile(largest, 0.95)) * _student_stretch(bench.independent)
    pairs = []
    for ((one, first), (other, second)), value, error in zip(chosen, values, errors, strict=True):
        width, p_value = reach * error, 1.0
        if error > 0:
            steps = abs(value) / (error * _student_stretch(bench.independent))
            p_value = (1 + int((largest >= steps).sum())) / (1 + len(largest))
        elif value != 0:  # no resample moved it, see `left_open`; here as one of so many pairs
            alone = bench.left_open(first, second)
            width = alone * (1 + math.log(len(chosen)) / RULE_OF_THREE)
            p_value = min(1.0, len(chosen) * math.exp(-RULE_OF_THREE * abs(value) / alone))
        pairs.append(
            Pair(one, other, float(value), float(value - width), float(value + width), p_value)
        )
    return tuple(pairs)


def _standard_errors(samples: np.ndarray, independent: int) -> np.ndarray:
    """(pairs,) standard error of each difference; 0 where no resample moved it."""
    if samples.shape[1] < 2:
        return np.zeros(len(samples))
    n = max(independent, 2)
    return np.asarray(samples.std(axis=1, ddof=1) * math.sqrt(n / (n - 1)))


def _largest_by_chance(samples: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(resamples,) the largest of all pairs' distances from their own mean, in standard errors."""
    moved = errors > 0
    if not moved.any():
        return np.zeros(max(samples.shape[1], 1))
    centred = samples[moved] - samples[moved].mean(axis=1, keepdims=True)
    return np.asarray(np.abs(centred / errors[moved, None]).max(axis=0))


def _student_stretch(independent: int) -> float:
    """By how much Student's t of so many rows is wider than the normal."""
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(max(independent, 2) - 1, 0.975) / ndtri(0.975))
