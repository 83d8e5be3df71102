"""Squared Euclidean distances between all rows and some others."""

from __future__ import annotations

import numpy as np


def squared_distances(rows: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(rows, references) squared Euclidean distances, in the rows' own precision."""
    across = rows @ reference.T
    across *= -2
    across += (reference**2).sum(axis=1)
    across += (rows**2).sum(axis=1, keepdims=True)
    return np.asarray(np.maximum(across, 0, out=across))
