"""What one trial measured: the `Scorecard`. Plain numbers with their units, written as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Quality:
    """A score on the lockbox with its 95 % bootstrap interval."""

    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bill:
    """What the contestant cost to make and costs to ask, measured on the exported file."""

    train_seconds: float
    energy_joules: float
    energy_source: Literal["measured", "estimated"]
    peak_bytes: int  # growth of the process's resident memory while fitting
    file_bytes: int
    latency_ms_p50: float  # one raw row to an answer, one thread
    latency_ms_p99: float
    rows_per_second: float  # in one large batch


@dataclass(frozen=True)
class Coverage:
    """How often the intervals or sets of `stated` coverage held the truth on the lockbox.

    `low` and `high` are the 95 % interval of `held`; `size` is the mean number of classes in a set,
    or the middle width of an interval, in the target's unit."""

    stated: float
    held: float
    low: float
    high: float
    size: float


@dataclass(frozen=True)
class Distillation:
    """Who taught a student, the limits it was made for, and what it loses against its teacher.

    `loss` is by how much the teacher is better on the lockbox, in the metric's unit, with the
    paired 95 % interval; None for a student that failed."""

    teacher: str
    latency_limit_ms: float | None
    size_limit_bytes: int | None
    loss: float | None = None
    low: float | None = None
    high: float | None = None
    try_next: str = ""  # the options that would have let a failed one through


@dataclass(frozen=True)
class Scorecard:
    """One contestant: who it is, how well it answers, what it cost; or why it has none of it."""

    name: str
    family: Literal["traditional", "deep", "both", "challenger"]
    state: Literal["finished", "failed", "not entered"] = "finished"
    failure: str = ""
    is_shortened: bool = False  # the time did not suffice for all its steps
    quality: Quality | None = None  # the task's metric on the lockbox
    others: dict[str, float] = field(default_factory=dict)  # further metrics on the lockbox
    out_of_fold: float | None = None  # the task's metric on the training rows, out of fold
    calibration_error: float | None = None  # expected calibration error, classification only
    parity: float | None = None  # largest relative deviation, exported file from model
    bill: Bill | None = None
    configurations: int = 0
    fits: int = 0
    chosen: str = ""
    reads_as: str = ""
    reading: str = ""
    file: str = ""  # name of the model file in the run's folder
    sha256: str = ""
    distillation: Distillation | None = None  # of a student, which is no rival of the others
    # 95 % intervals, [low, high], of `others` by name, and of "out_of_fold" and "calibration_error"
    intervals: dict[str, list[float]] = field(default_factory=dict)
    corrected: str = ""  # how its probabilities were corrected, such as "temperature 1.3"
    coverage: Coverage | None = None  # of its intervals or sets at 0.9
    learned_rows: int | None = None  # that it learned from; None: it was finished elsewhere

    def as_json(self) -> dict[str, object]:
        """The scorecard as plain JSON values."""
        return asdict(self)
