"""The rows that every contestant is judged by: their true answers, groups and resamples.

Drawn once, so that all contestants meet the same ones, and everything on a scorecard that is no
cost is read off here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fathometer.modelfile.intervals import Intervals
from fathometer.table.metric import METRICS, Metric
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.interval import draw, independent_rows, interval
from fathometer.trial.measure import calibration_error
from fathometer.trial.reliance import few_draws, further_intervals, measured_coverage
from fathometer.trial.resample import rare_classes
from fathometer.trial.scorecard import Coverage, Quality


@dataclass(frozen=True, eq=False)
class Jury:
    """The lockbox and the training rows, as far as they judge."""

    table: Table
    task: Task
    split: Split
    groups: np.ndarray | None = None  # (rows,) which rows belong together, where asked for

    @property
    def metric(self) -> Metric:
        """The task's own."""
        return METRICS[self.task.metric]

    @cached_property
    def _truth(self) -> np.ndarray:
        return self.task.encode(self.table[self.task.target])

    @cached_property
    def truth(self) -> np.ndarray:
        """The lockbox's true answers, encoded."""
        return np.asarray(self._truth[self.split.lockbox])

    @cached_property
    def learned(self) -> np.ndarray:
        """The training rows' true answers, encoded."""
        return np.asarray(self._truth[self.split.train])

    @cached_property
    def _among(self) -> np.ndarray | None:
        """Groups of the lockbox's rows."""
        return None if self.groups is None else self.groups[self.split.lockbox]

    @cached_property
    def _learned_among(self) -> np.ndarray | None:
        return None if self.groups is None else self.groups[self.split.train]

    @cached_property
    def _drawn(self) -> dict[bool, np.ndarray]:
        """Resamples by whether they keep every class, as only some metrics want."""
        return {}

    def _resamples(self, metric: Metric) -> np.ndarray:
        """The lockbox's resamples for a metric, drawn once for all that want them alike."""
        strata = rare_classes(metric, self.truth) is not None
        if strata not in self._drawn:
            self._drawn[strata] = draw(metric, self.truth, seed=self.split.seed, groups=self._among)
        return self._drawn[strata]

    @cached_property
    def _learned_resamples(self) -> np.ndarray:
        return few_draws(self.metric, self.learned, self.split.seed, self._learned_among)

    def quality(self, scores: np.ndarray) -> Quality:
        """The task's metric on the lockbox with its 95 % interval."""
        return interval(
            self.metric,
            self.truth,
            scores,
            groups=self._among,
            weights=self._resamples(self.metric),
        )

    def others(self, scores: np.ndarray) -> dict[str, float]:
        """The further metrics on the lockbox."""
        return {
            other.name: other.score(self.truth, scores)
            for other in METRICS.values()
            if other.kind is self.task.kind and other is not self.metric
        }

    def calibration_error(self, scores: np.ndarray) -> float | None:
        """Of probabilities; None for values."""
        if self.task.kind is not TaskKind.CLASSIFY:
            return None
        return calibration_error(self.truth, scores)

    def further_intervals(self, scores: np.ndarray) -> dict[str, list[float]]:
        """95 % intervals of the further metrics and of the calibration error."""
        return further_intervals(self.task, self.truth, scores, self._resamples, self._among)

    def out_of_fold(self, scores: np.ndarray) -> tuple[float, list[float]]:
        """The score of out-of-fold answers, and its 95 % interval as if the folds were fixed."""
        seen = interval(
            self.metric,
            self.learned,
            scores,
            groups=self._learned_among,
            weights=self._learned_resamples,
        )
        return seen.value, [seen.low, seen.high]

    def coverage(self, by: Intervals, scores: np.ndarray) -> Coverage | None:
        """How often these intervals hold the lockbox's truth; groups count once."""
        units = independent_rows(METRICS["accuracy"], self.truth, self._among)
        return measured_coverage(self.task, by, self.truth, scores, units)
