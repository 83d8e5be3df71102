"""What a report is made of: `ReportContent`, plain values that the page is drawn from.

Nothing here is measured, fitted or read; whoever ran the contest fills it in. `diagnosis` makes
the arrays behind the plots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fathometer.graph import Element
from fathometer.report.gallery import Gallery
from fathometer.table.kind import PictureSize
from fathometer.table.sources.raw import RejectedLine
from fathometer.table.task import Task
from fathometer.trial.scorecard import Scorecard
from fathometer.verdict.verdict import Verdict

Side = Literal["traditional", "deep", "both", "challenger"]


@dataclass(frozen=True)
class ColumnLine:
    """One column of the source: what it was taken for, why, and what was made of it."""

    name: str
    kind: str  # the value of a `Kind`, or "target"
    reason: str
    missing: int
    treatment: str = ""  # what was done to it, in words


@dataclass(frozen=True)
class InputLine:
    """One input of the model file with the value it had in an example row; `None` is missing."""

    name: str
    element: Element
    example: float | str | None
    picture: PictureSize | None = None  # what pictures are learned at; they have no example


@dataclass(frozen=True)
class FileLine:
    """One file of the run's folder."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Reliability:
    """How often a probability came true: bins of held-out rows by predicted probability."""

    model: str
    family: Side
    of: str  # what the probability is of, in words
    predicted: tuple[float, ...]  # mean predicted probability of each bin, ascending
    observed: tuple[float, ...]  # share that came true, 0 to 1
    counts: tuple[int, ...]  # rows in each bin, above 0


@dataclass(frozen=True)
class Confusion:
    """How often each class was answered with which: `counts[true][answered]` in held-out rows."""

    model: str
    family: Side
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Residuals:
    """Held-out values against their predictions, and how the errors are spread."""

    model: str
    family: Side
    rows: int  # held-out rows in all
    actual: tuple[float, ...]  # a sample of at most 2,000 rows
    predicted: tuple[float, ...]  # aligned with `actual`
    levels: tuple[float, ...]  # 0 to 1, ascending, of all rows
    errors: tuple[float, ...]  # prediction minus truth at these quantiles


@dataclass(frozen=True)
class ReportContent:
    """Everything that the report says. Strings are plain text; the page escapes them."""

    source: str
    rows: int
    columns: tuple[ColumnLine, ...]
    task: Task
    split: str  # in words
    terms: tuple[str, ...]  # what both families got, a line each
    scorecards: tuple[Scorecard, ...]
    verdict: Verdict
    inputs: tuple[InputLine, ...]
    outputs: tuple[str, ...]  # of the winner's file, by name: label and probability, or the value
    seed: int
    command: str  # what to type to repeat the run
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    parity: str = ""  # the parity certificate, in words
    files: tuple[FileLine, ...] = ()
    reliability: tuple[Reliability, ...] = ()  # the winner first, then the best of each family
    confusions: tuple[Confusion, ...] = ()
    residuals: tuple[Residuals, ...] = ()
    galleries: tuple[Gallery, ...] = ()  # a column of pictures or texts each
    rejected: tuple[RejectedLine, ...] = ()  # the first 100
    rejected_count: int = 0
    rejected_listed: int = 0  # of them in rejected.csv
    notes: tuple[str, ...] = ()  # what reading changed
    suspicions: tuple[str, ...] = ()  # groups, time order, columns too good to be true
    winner_file: str = "winner.onnx"
    rows_held: str = ""  # the training rows that travel in it, in words

    @property
    def winner(self) -> Scorecard | None:
        """The scorecard of the verdict's winner; `None` where no contestant finished."""
        return next((c for c in self.scorecards if c.name == self.verdict.winner), None)

    @property
    def finished(self) -> tuple[Scorecard, ...]:
        """Scorecards with a quality: in the verdict's ranking, then any it does not name."""
        place = {name: number for number, name in enumerate(self.verdict.ranking)}
        scored = [card for card in self.scorecards if card.quality is not None]
        return tuple(sorted(scored, key=lambda card: place.get(card.name, len(place))))

    @property
    def unfinished(self) -> tuple[Scorecard, ...]:
        """Scorecards without a quality, in their own order."""
        return tuple(card for card in self.scorecards if card.quality is None)
