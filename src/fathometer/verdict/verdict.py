"""The `Verdict`: which family the data needs, how sure that is, and every number it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Call = Literal["traditional", "deep", "equivalent", "undecided"]


@dataclass(frozen=True)
class Gap:
    """Best deep contestant against best traditional one, on the same lockbox rows.

    `value` is deep minus traditional in the metric's unit, turned so that more is better for
    deep; `zone` is the half-width within which a difference has no practical meaning."""

    deep: str
    traditional: str
    value: float
    low: float
    high: float
    zone: float
    deep_better: float  # probabilities; the three add up to 1
    equivalent: float
    traditional_better: float


@dataclass(frozen=True)
class Verdict:
    """The answer. `sentences` say it in plain words, each resting on numbers in `gap`, `rivals`
    or the scorecards."""

    call: Call
    headline: str
    sentences: tuple[str, ...]
    winner: str  # name of the winning scorecard
    gap: Gap | None  # None where a family has no contestant
    rivals: tuple[str, ...]  # contestants that the best one does not clearly beat, best first
    ranking: tuple[str, ...]  # all finished contestants, best first on the lockbox
    warnings: tuple[str, ...] = ()
    schema: int = 1

    def as_json(self) -> dict[str, object]:
        """The verdict as plain JSON values."""
        return asdict(self)
