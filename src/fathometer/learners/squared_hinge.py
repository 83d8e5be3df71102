"""Squared hinge loss on a matrix, one class against the rest, and margins as probabilities.

Knows no columns, kernels or folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.learners.linear import softmax

CORRECTIONS = 10  # pairs of steps and gradients that L-BFGS remembers
OFFSET_PENALTY = 1e-3  # keeps the offset of a class without rows finite


def gram(features: np.ndarray) -> np.ndarray:
    """(columns, columns) float64 mean products of a float32 matrix's columns."""
    return np.asarray(features.T @ features, dtype=np.float64) / len(features)


def fit_squared_hinge(
    features: np.ndarray,
    signs: np.ndarray,
    products: np.ndarray,
    *,
    penalty: float,
    iterations: int,
) -> np.ndarray:
    """Weights (columns, classes) float64 that make mean(max(0, 1 - sign · margin)²) + penalty ·
    weights² small, by L-BFGS from the least squares solution.

    The least squares problem's curvature stands in for that of the hinge (it bounds it), so that
    some dozens of steps suffice where plain L-BFGS takes hundreds.

    Args:
        features: (rows, columns) float32; a column of ones gives the offset.
        signs: (rows, classes) float32, 1 for the row's own class, else -1.
        products: `gram` of the features.
    """
    from scipy.linalg import cho_solve, cholesky, solve_triangular
    from scipy.optimize import minimize

    shape = features.shape[1], signs.shape[1]
    curvature = products.copy()
    curvature[np.diag_indices_from(curvature)] += penalty
    root = cholesky(curvature, lower=True)
    least_squares = cho_solve((root, True), np.float64(features.T @ signs) / len(features))

    def unfold(turned: np.ndarray) -> np.ndarray:
        return np.asarray(solve_triangular(root, turned.reshape(shape), lower=True, trans="T"))

    def loss(turned: np.ndarray) -> tuple[float, np.ndarray]:
        weights = unfold(turned)
        short = np.maximum(0, 1 - signs * (features @ weights.astype(np.float32)))
        slope = np.float64(features.T @ (signs * short)) * (-2 / len(features))
        gradient = solve_triangular(root, slope + 2 * penalty * weights, lower=True)
        missed = float(np.einsum("ij,ij", short, short, dtype=np.float64)) / len(features)
        return missed + penalty * float((weights**2).sum()), gradient.ravel()

    found = minimize(
        loss,
        (root.T @ least_squares).ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations, "maxcor": CORRECTIONS},
    )
    return unfold(found.x)


@dataclass(frozen=True, eq=False)
class Calibration:
    """softmax(slope · margins + offset): temperature (Guo et al., 2017) and an offset a class."""

    slope: float
    offset: np.ndarray  # (classes,) float64

    def probabilities(self, margins: np.ndarray) -> np.ndarray:
        """(rows, classes) float64."""
        return softmax(self.slope * margins + self.offset)

    def write(self, graph: Graph, margins: str) -> str:
        """The same in a graph: a float tensor of a double one."""
        scaled = graph.add("Mul", margins, graph.constant(np.float64(self.slope)))
        raw = graph.add("Add", scaled, graph.constant(self.offset))
        return graph.cast(graph.add("Softmax", raw, axis=1), Element.FLOAT)


def fit_calibration(margins: np.ndarray, truth: np.ndarray) -> Calibration:
    """The map of least log loss on these rows, which the margins must not have been fitted on."""
    from scipy.optimize import minimize

    rows, classes = margins.shape
    own = np.arange(rows), truth

    def loss(settings: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offset = np.exp(settings[0]), settings[1:]
        probability = softmax(slope * margins + offset)
        excess = probability.copy()
        excess[own] -= 1
        gradient = np.append(slope * np.einsum("ij,ij", excess, margins), excess.sum(axis=0)) / rows
        gradient[1:] += 2 * OFFSET_PENALTY * offset
        missed = -np.log(np.maximum(probability[own], 1e-300)).mean()
        return float(missed + OFFSET_PENALTY * (offset**2).sum()), gradient

    found = minimize(loss, np.append(np.log(2.0), np.zeros(classes)), jac=True, method="L-BFGS-B")
    return Calibration(float(np.exp(found.x[0])), found.x[1:])
