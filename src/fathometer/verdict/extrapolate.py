"""A learning curve carried on to more rows: how far the loss will fall, and how sure that is.

The loss is a power of the rows above a floor (Hestness et al. 2017), whose exponent one curve of a
few noisy points hardly tells. So every exponent of a grid is fitted, and all are averaged by how
well they explain the curve and how often past curves had them: a short or noisy curve goes on as
curves usually do, a long and clean one as it did itself. Knows numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# What a loss's next step down is of the one before, where the rows double: 2^-exponent.
DECAYS = np.linspace(0.30, 0.98, 35)
EXPONENTS = -np.log2(DECAYS)
EXPONENT_SPREAD = 0.25  # of the usual exponents around their mean
LEAST_LOSS = 0.5  # points; what a step is a share of
LEAST_NOISE = 0.05  # points


@dataclass(frozen=True)
class Prior:
    """How curves usually go, learned from past ones.

    Noise is that of a point beside its curve: which rows were drawn, and how training went."""

    exponent: float  # of the power law, mean
    step: float  # what the last doubling of the rows took off the loss, as a share of it
    step_spread: float  # standard deviation of that share
    paired_noise: float  # in standard errors of the step between two points
    drawn_noise: float  # as a share of the loss at 100 rows; falls with their square root


@dataclass(frozen=True, eq=False)
class Carried:
    """A curve carried on to `factor` times its rows, for each factor asked; all in points."""

    falls: np.ndarray  # (factors,) by how much the loss will fall from the smoothed present one
    spreads: np.ndarray  # (factors,) standard deviations of that
    present: float  # the loss at the last point, smoothed
    present_spread: float  # its standard deviation


def carry_on(
    rows: np.ndarray, losses: np.ndarray, step_errors: np.ndarray, factors: np.ndarray, prior: Prior
) -> Carried:
    """Carry a curve on to more rows.

    Args:
        rows: that taught each point, shape (points,), ascending; one point alone goes on as curves
            usually do.
        losses: in points, smaller is better; shape (points,).
        step_errors: the paired standard error of the step from the point before, in points; the
            first has none and is not read.
        factors: how many times the last point's rows, shape (factors,), at least 1.
    """
    doublings = np.log2(rows / rows[-1])
    weight = 1 / _noise(rows, losses, step_errors, prior) ** 2
    level = max(float(losses[-1]), LEAST_LOSS)
    usual, spread = prior.step * level, prior.step_spread * level
    # The curve is present + step · shape, where shape is 0 now and 1 at half the rows.
    shape = (DECAYS[:, None] ** doublings - 1) / (1 / DECAYS[:, None] - 1)  # (exponents, points)
    total = weight.sum()
    mean_shape, mean_loss = (shape * weight).sum(axis=1) / total, (losses * weight).sum() / total
    beside = (shape - mean_shape[:, None]) * weight
    precision = (beside * (shape - mean_shape[:, None])).sum(axis=1) + 1 / spread**2
    step = (beside @ (losses - mean_loss) + usual / spread**2) / precision
    misfit = (weight * (losses - mean_loss) ** 2).sum() + usual**2 / spread**2 - step**2 * precision
    unlikely = ((EXPONENTS - prior.exponent) / EXPONENT_SPREAD) ** 2
    plausible = -0.5 * (misfit + np.log(precision) + unlikely)
    share = np.exp(plausible - plausible.max())
    share /= share.sum()
    reach = (1 - DECAYS[:, None] ** np.log2(factors)) / (1 / DECAYS[:, None] - 1)
    falls, spreads = _mixed(share, step[:, None] * reach, reach**2 / precision[:, None])
    present = (mean_loss - step * mean_shape)[:, None]
    now, doubt = _mixed(share, present, (1 / total + mean_shape**2 / precision)[:, None])
    return Carried(falls, spreads, float(now[0]), float(doubt[0]))


@dataclass(frozen=True, eq=False)
class PairPoints:
    """Both families' losses, in points, at growing numbers of rows; all arrays are (points,)."""

    rows: np.ndarray
    traditional: np.ndarray
    deep: np.ndarray
    traditional_steps: np.ndarray  # standard errors of the step from the point before
    deep_steps: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """By how much deep is better."""
        return np.asarray(self.traditional - self.deep)

    def carried(self, factors: np.ndarray, prior: Prior) -> tuple[Carried, Carried]:
        """Both curves carried on, traditional and deep."""
        return (
            carry_on(self.rows, self.traditional, self.traditional_steps, factors, prior),
            carry_on(self.rows, self.deep, self.deep_steps, factors, prior),
        )


def _noise(
    rows: np.ndarray, losses: np.ndarray, step_errors: np.ndarray, prior: Prior
) -> np.ndarray:
    """The standard deviation of each point around its curve; (points,)."""
    errors = np.array(step_errors, dtype=np.float64)
    errors[0] = errors[1] if len(errors) > 1 else 0.0
    drawn = prior.drawn_noise * losses * np.sqrt(100 / rows)
    squares = (prior.paired_noise * errors) ** 2 + drawn**2 + LEAST_NOISE**2
    return np.asarray(np.sqrt(squares))


def _mixed(
    share: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a mixture: share (parts,), means (parts, asked)."""
    mean = share @ means
    return mean, np.sqrt(np.maximum(share @ (variances + means**2) - mean**2, 0.0))
