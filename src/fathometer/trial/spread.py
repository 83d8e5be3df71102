"""A number with its bootstrap distribution, and the interval and probabilities read from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# With fewer resamples the tails are read from a normal curve of the same standard error.
ENOUGH_FOR_PERCENTILES = 1000


@dataclass(frozen=True, eq=False)
class Spread:
    """A score, or a difference of two, with its distribution over resamples.

    Read as a Bayesian bootstrap (Rubin 1981): the share of resamples above a threshold is the
    probability that the score on all such rows lies there."""

    value: float
    samples: np.ndarray  # (resamples,) float64; resamples without a score are left out

    @staticmethod
    def of(value: float, samples: np.ndarray, independent_rows: int) -> Spread:
        """The distribution, widened to what n independent rows can tell.

        The plain bootstrap is too narrow by sqrt((n - 1) / n) and by the step from Student's t to
        the normal (Hesterberg 2015, The American Statistician 69:4). What is missing is added as
        normal noise, a fixed one: stretching instead would push resamples without a difference to
        the other side of 0."""
        from scipy.special import ndtri, stdtrit

        n = max(independent_rows, 2)
        factor = stdtrit(n - 1, 0.975) / ndtri(0.975) * math.sqrt(n / (n - 1))
        known = samples[np.isfinite(samples)]
        if len(known) < 2:
            return Spread(value, known)
        places = (np.random.default_rng(0).permutation(len(known)) + 0.5) / len(known)
        missing = known.std(ddof=1) * math.sqrt(factor**2 - 1)
        return Spread(value, known + missing * ndtri(places))

    @staticmethod
    def student(value: float, samples: np.ndarray, independent_rows: int) -> Spread:
        """A paired difference: Student's t around it, with the standard error of the resamples.

        Between equals, differences of rows are symmetric around 0, and then Student's t keeps what
        it promises, however heavy the tails (Efron 1969, Journal of the American Statistical
        Association 64:328). The percentiles of the resamples do not: one far row makes them
        lopsided, as if the next rows had to have one on that side too."""
        from scipy.special import stdtrit

        n = max(independent_rows, 2)
        known = samples[np.isfinite(samples)]
        if len(known) < 2:
            return Spread(value, known)
        places = (np.arange(len(known)) + 0.5) / len(known)
        error = known.std(ddof=1) * math.sqrt(n / (n - 1))
        return Spread(value, value + error * stdtrit(n - 1, places))

    def opened(self, reach: float) -> Spread:
        """For a difference that no resample moved: a normal distribution whose 95 % interval
        reaches so far (`interval.left_open`)."""
        from scipy.special import ndtri

        places = (np.arange(len(self.samples)) + 0.5) / len(self.samples)
        return Spread(self.value, self.value + reach / float(ndtri(0.975)) * ndtri(places))

    @property
    def deviation(self) -> float:
        """The standard error."""
        return float(self.samples.std(ddof=1)) if len(self.samples) > 1 else 0.0

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.quantile(0.025)

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.quantile(0.975)

    def quantile(self, share: float) -> float:
        """The value below which this share of the distribution lies."""
        from scipy.special import ndtri

        if len(self.samples) < ENOUGH_FOR_PERCENTILES:
            return self.value + float(ndtri(share)) * self.deviation
        return float(np.quantile(self.samples, share))

    def above(self, threshold: float) -> float:
        """The probability of lying above a threshold; what lies on it counts half."""
        from scipy.special import ndtr

        if len(self.samples) < ENOUGH_FOR_PERCENTILES and self.deviation > 0:
            return float(ndtr((self.value - threshold) / self.deviation))
        over, on = self.samples > threshold, self.samples == threshold
        return float(over.mean() + on.mean() / 2)
