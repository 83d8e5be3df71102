"""What happens during a contest, as it happens, for whoever shows or stores it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fathometer.trial.scorecard import Scorecard


@dataclass(frozen=True)
class Event:
    """One thing that happened to one contestant.

    "entered" comes once for each before the first starts, then "started", "progress" (many),
    and "finished" with the scorecard, whatever its state."""

    what: Literal["entered", "started", "progress", "finished"]
    name: str
    family: Literal["traditional", "deep", "both", "challenger"]
    done: float = 0.0  # 0 to 1, for progress
    words: str = ""
    losses: tuple[tuple[int, float], ...] = ()  # of the members of a population, for progress
    scorecard: Scorecard | None = None


Watch = Callable[[Event], None]
