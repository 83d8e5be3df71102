"""The `Verdict`: which family the data needs, how sure that is, and every number it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from fathometer.verdict.credit import Credit
from fathometer.verdict.forecast import Forecast
from fathometer.verdict.importance import Importance

SCHEMA = 2  # of `verdict.json`; rises when a reader of the old one would misread the new one

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
    rows: int = 0  # in the lockbox
    rows_needed: int | None = None  # that would settle a gap of this size; None: no number would


@dataclass(frozen=True)
class FoldGap:
    """The same two contestants over the folds, by the corrected resampled t-test."""

    folds: int
    value: float  # mean over the folds of deep minus traditional, turned as in `Gap`
    low: float
    high: float
    p_value: float  # of no difference, two-sided
    deep_better: float  # probabilities; the three add up to 1
    equivalent: float
    traditional_better: float


@dataclass(frozen=True)
class Pair:
    """One contestant against another on the lockbox, corrected for the number of all pairs.

    `value` is by how much `one` is better, in the metric's unit; the 95 % intervals of all pairs
    hold at once."""

    one: str
    other: str
    value: float
    low: float
    high: float
    p_value: float  # of no difference, adjusted for all pairs


@dataclass(frozen=True)
class Worth:
    """What the better of the two families costs more than the other, per unit of use.

    Positive: more than the other. Money is in `currency`, None without a price file."""

    better: str  # names of scorecards
    other: str
    gain: float  # by how much it is better, in the metric's unit
    low: float
    high: float
    train_seconds: float
    train_joules: float
    predict_seconds: float  # per million rows, asked in batches
    predict_joules: float
    file_bytes: int
    currency: str | None = None
    train_money: float | None = None
    predict_money: float | None = None  # per million rows
    peak_bytes: int | None = None  # of memory while training; None: of one it is not known
    latency_ms: float | None = None  # of one row, the median


@dataclass(frozen=True)
class PricedBill:
    """What one contestant takes, and what that costs; None where it was not measured."""

    name: str  # of a scorecard
    train_seconds: float | None
    train_joules: float | None
    peak_bytes: int | None  # of memory while training
    file_bytes: int
    latency_ms: float  # of one row, the median
    predict_seconds: float | None  # per million rows, asked in batches
    predict_joules: float | None
    train_money: float | None
    predict_money: float | None  # per million rows


@dataclass(frozen=True)
class Expenses:
    """Every contestant's bill at the user's prices, in `currency`."""

    currency: str
    per_kwh: float
    per_cpu_hour: float
    cores: int  # of the machine; all of them count
    bills: tuple[PricedBill, ...]  # in the order of the ranking, others behind


@dataclass(frozen=True)
class Preferred:
    """The answer to a preference: which contestant, and what it costs in quality.

    `loss` is by how much the best contestant is better on the lockbox, with its paired 95 %
    interval; `most_loss` is what one would accept."""

    wish: str  # "fast", "small", "readable" or "cheap"
    most_loss: float
    name: str  # of a scorecard; "" where nothing fits
    best: str  # of the contestant that the loss is counted from
    loss: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ChallengerGap:
    """A model from elsewhere against the winner, on the same lockbox rows.

    `value` is by how much the challenger is better, in the metric's unit, with its 95 %
    interval."""

    name: str
    winner: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """The answer. `sentences` say it in plain words, `expert` in the field's own, each resting on
    numbers in the other fields or the scorecards. `docs/verdict-json.md` describes the fields;
    `verdict.schema.json` beside this file is their schema."""

    call: Call
    headline: str
    sentences: tuple[str, ...]
    winner: str  # name of the winning scorecard
    gap: Gap | None  # None where a family has no contestant
    rivals: tuple[str, ...]  # contestants that the best one does not clearly beat, best first
    ranking: tuple[str, ...]  # all finished contestants, best first on the lockbox
    warnings: tuple[str, ...] = ()
    schema: int = SCHEMA
    expert: tuple[str, ...] = ()
    fold_gap: FoldGap | None = None
    pairs: tuple[Pair, ...] = ()  # every two contestants, the better out of fold first
    worth: Worth | None = None
    preferred: Preferred | None = None
    challengers: tuple[ChallengerGap, ...] = ()
    credit: Credit | None = None
    no_credit: str = ""  # why there is none
    forecast: Forecast | None = None
    no_forecast: str = ""  # why there is none
    importance: Importance | None = None  # of the winner's columns
    no_importance: str = ""  # why there is none
    cores: int | None = None  # of the machine on which the bills were measured
    expenses: Expenses | None = None  # None without prices

    @property
    def family(self) -> Call:
        """The family that the table needs, "traditional" or "deep"; "equivalent" where either will
        do, "undecided" where these rows cannot tell."""
        return self.call

    @property
    def probability(self) -> float | None:
        """That what `family` says is so, 0 to 1; None where it is undecided: `gap` has the
        probabilities of all three answers."""
        if self.gap is None or self.call == "undecided":
            return None
        return {
            "deep": self.gap.deep_better,
            "equivalent": self.gap.equivalent,
            "traditional": self.gap.traditional_better,
        }[self.call]

    def as_json(self) -> dict[str, object]:
        """The verdict as plain JSON values."""
        return asdict(self)
