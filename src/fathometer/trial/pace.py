"""What a contest may take, and how its time is shared among those who are still to come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fathometer.learners.contract import Budget, Learner, Progress

FIT_SHARE = 0.9  # of its turn; a fit ends a round or an epoch after it is told to
MIXTURE_PARTS = 3  # a mixture takes about as long to measure as so many contestants
# Ascending by the median share of all fits' seconds: effort quick, 25 sets of all kinds.
CHEAPEST_FIRST = (
    "constant",
    "ridge",
    "naive Bayes",
    "n-gram naive Bayes",
    "decision tree",
    "k-nearest",
    "LightGBM",
    "XGBoost",
    "elastic net",
    "logistic",
    "NB-SVM",
    "kernel SVM",
    "linear SVM",
    "extra trees",
    "LeNet-5 (1998)",
    "n-gram logistic",
    "n-gram ridge",
    "CatBoost",
    "word vectors",
    "random forest",
    "LeNet-5 modern",
    "modern network",
    "perceptron",
    "retrieval network",
    "word convolution",
    "convolutional network",
    "residual network",
    "word transformer",
)


@dataclass(frozen=True)
class Terms:
    """What a contest may take: until when, and whether the user asked for its end."""

    deadline: float | None = None  # `time.monotonic` seconds
    stopped: Callable[[], bool] = field(default=lambda: False)
    kept: float = 0.0  # seconds at the end that longer fits leave to what follows the contest


@dataclass(frozen=True, eq=False)
class Pace:
    """The time of a contest: each that is to come gets an equal share of what is left."""

    terms: Terms
    measuring: list[float] = field(default_factory=list)  # seconds beside the fit, each trial's

    def budget(
        self,
        left: int,
        report: Callable[[Progress], None],
        checkpoint: Path,
        *,
        is_first: bool = False,
    ) -> Budget:
        """What the next of so many fits may take."""
        share = self.share(left, is_first=is_first)
        deadline = None if share is None else time.monotonic() + share
        return Budget(deadline, report, self.terms.stopped, checkpoint)

    def share(self, left: int, *, is_first: bool = False) -> float | None:
        """Seconds for each of so many fits in what is left; None without limit or after a stop.

        is_first: they are the contestants' first fits, on which the verdict rests above all."""
        if self.terms.deadline is None or self.terms.stopped():
            return None
        kept = 0.0 if is_first else self.terms.kept
        # Exporting and measuring take their time too, for this one, those to come and the mixture.
        reserved = (left + MIXTURE_PARTS) * self._usual_measuring
        spare = self.terms.deadline - time.monotonic() - reserved - kept
        return FIT_SHARE * max(0.0, spare) / left

    @property
    def _usual_measuring(self) -> float:
        """Seconds that a trial takes beside its fit; the first, which opens libraries, apart."""
        return float(np.median(self.measuring[1:])) if len(self.measuring) > 1 else 0.0


def cheapest_first(learners: Sequence[Learner]) -> tuple[Learner, ...]:
    """In the order for a wall-clock budget: what the cheap leave of their shares, the dear get."""
    places = {name: place for place, name in enumerate(CHEAPEST_FIRST)}
    return tuple(sorted(learners, key=lambda one: places.get(one.name, len(places))))
