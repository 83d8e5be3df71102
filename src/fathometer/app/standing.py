"""How a contest stands while it runs: the latest event of every contestant, and what follows.

Knows nothing of terminals, so that live and plain output tell the same story."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from fathometer.table.metric import Metric
from fathometer.trial.encore import LEADERS
from fathometer.trial.event import Event
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.quantities import DASH, duration, fixed, shared_places

FAMILIES = ("deep", "traditional", "both")

# Before a tenth of the work is done, a guess of the whole time is off by more than it tells.
ENOUGH_TO_GUESS = 0.1


class Standing:
    """The standing of one contest; `note` takes events as they come, from any thread.

    Every question reads a copy of the standing, so that a screen may ask while events arrive."""

    def __init__(
        self, metric: Metric, *, minutes: float | None = None, started: float | None = None
    ) -> None:
        """`started` is when the command began, in `time.monotonic` seconds; now if None."""
        self.metric = metric
        self.minutes = minutes
        self.started = time.monotonic() if started is None else started
        self._latest: dict[str, Event] = {}
        self._planned: set[str] = set()  # who was announced before the first started

    def note(self, event: Event) -> None:
        """Take in one event; a late one never takes a finished contestant back."""
        # Whether there is anything to combine shows only when all others are through.
        if event.family == "both" and event.what == "entered":
            return
        if event.what == "entered":
            self._planned.add(event.name)
        known = self._latest.get(event.name)
        if known is not None and known.what == "finished":
            return
        if known is not None and event.what == "progress":
            event = replace(event, done=max(event.done, known.done))
        self._latest[event.name] = event

    def entered(self, family: str | None = None) -> tuple[Event, ...]:
        """The latest event of each contestant, of one family or of all."""
        events = tuple(self._latest.values())
        return tuple(each for each in events if family is None or each.family == family)

    def finished(self, family: str | None = None) -> tuple[Event, ...]:
        """The contestants that are through, with or without success."""
        return tuple(each for each in self.entered(family) if each.what == "finished")

    def done(self, family: str) -> float:
        """How far a family is, 0 to 1: the mean over its contestants, longer fits to come among
        them."""
        events = self.entered(family)
        parts = [1.0 if each.what == "finished" else each.done for each in events]
        return sum(parts) / (len(parts) + self._to_come(family)) if parts else 0.0

    def is_through(self, family: str) -> bool:
        """Whether all its contestants are, and no longer fits are to come."""
        is_finished = len(self.finished(family)) == len(self.entered(family))
        return is_finished and not self._to_come(family)

    def counted(self, family: str | None = None) -> str:
        """ "3 of 12", or "3" where more may enter yet."""
        done = len(self.finished(family))
        return f"{done}" if self.minutes is not None else f"{done} of {len(self.entered(family))}"

    def running(self, family: str) -> Event | None:
        """The contestant of a family that is being fitted now."""
        at_work = [each for each in self.entered(family) if each.what in ("started", "progress")]
        return at_work[-1] if at_work else None

    def best_first(self, family: str | None = None) -> tuple[Scorecard, ...]:
        """The scorecards with a score, best first."""
        cards = [card for card in self._cards(family) if preview(card) is not None]
        sign = -1 if self.metric.greater_is_better else 1
        return tuple(sorted(cards, key=lambda card: sign * (preview(card) or 0.0)))

    def clock(self) -> str:
        """Time spent and the whole time: "14 s of about 22 s", or of the minutes asked for."""
        elapsed = time.monotonic() - self.started
        if self.minutes is not None:
            return f"{duration(elapsed)} of {duration(self.minutes * 60)}"
        # What both do together takes a moment at the end; the families share the work before it.
        present = [family for family in FAMILIES[:2] if self.entered(family)]
        done = sum(self.done(family) for family in present) / max(1, len(present))
        if not ENOUGH_TO_GUESS < done < 1:
            return duration(elapsed)
        return f"{duration(elapsed)} of about {duration(elapsed / done)}"

    def _to_come(self, family: str) -> int:
        """Longer fits that a family may get yet: they are over when all are mixed."""
        if self.minutes is None or family == "both" or self.entered("both"):
            return 0
        longer = [each for each in self.entered(family) if each.name not in self._planned]
        return max(0, LEADERS - len(longer))

    def _cards(self, family: str | None) -> Iterator[Scorecard]:
        for event in self.finished(family):
            if event.scorecard is not None and event.scorecard.state == "finished":
                yield event.scorecard


def preview(card: Scorecard) -> float | None:
    """The score to show while others still learn: out of fold where known, else the lockbox's."""
    if card.out_of_fold is not None:
        return card.out_of_fold
    return card.quality.value if card.quality is not None else None


def preview_words(card: Scorecard) -> str:
    """That score with the decimals that the interval on the lockbox deserves."""
    score = preview(card)
    if score is None:
        return DASH
    return fixed(score, shared_places([card.quality] if card.quality else []))
