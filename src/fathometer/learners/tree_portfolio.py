"""Configurations to try of each tree learner: strong ones first, then ones drawn by a seed.

Every row holds what differs from the learner's own fields; a `learning_rate` multiplies the
effort's own. The rows are picked from, and the drawn ones lie in, the ranges that TabArena searches
(Erickson et al., 2025), leaves and depths widened to where the tuned defaults of pytabkit lie
(Holzmüller et al., 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from fathometer.learners.halving import clear_gaps, shortlist

Row = Mapping[str, float]


class Searchable(Protocol):
    """A frozen learner that says how many configurations of it are tried."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def configurations(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def crosses(self) -> bool: ...


Searched = TypeVar("Searched", bound=Searchable)


@dataclass(frozen=True)
class Between:
    """A number between two: each ratio as likely as the next where `log`, rounded where `whole`."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def drawn(self, random: np.random.Generator) -> float:
        """One number."""
        place = random.random()
        if self.log:
            number = self.low * (self.high / self.low) ** place
        else:
            number = self.low + (self.high - self.low) * place
        return round(number) if self.whole else float(f"{number:.3g}")


@dataclass(frozen=True)
class Portfolio:
    """A learner's rows to start with, and where further ones are drawn from."""

    rows: Sequence[Row]
    ranges: Mapping[str, Between]


FLAG = Between(0, 1, whole=True)

FOREST_ROWS: tuple[Row, ...] = (
    {"column_share": 0.7},
    {"column_share": 0.2},
    {"column_share": 0.5, "smallest_leaf": 5},
    {"column_share": 1.0},
    {"column_share": 0.7, "smallest_leaf": 4},
    {"column_share": 0.3, "smallest_leaf": 8},
    {"column_share": 1.0, "smallest_leaf": 10},
)
FOREST_RANGES = {
    "column_share": Between(0.1, 1.0),
    "smallest_leaf": Between(2, 10, log=True, whole=True),
}

PORTFOLIOS: dict[str, Portfolio] = {
    "LightGBM": Portfolio(
        (
            {"leaves": 24, "column_share": 0.6, "l2": 1.0},
            {"leaves": 64, "smallest_leaf": 10, "column_share": 0.4, "l2": 1.0},
            {"leaves": 128, "smallest_leaf": 5, "column_share": 0.7, "l2": 2.0},
            {"leaves": 10, "smallest_leaf": 20},
            {"leaves": 64, "smallest_leaf": 5, "random_thresholds": True},
            {"leaves": 32, "smallest_leaf": 60, "column_share": 0.5, "l2": 5.0},
            {"leaves": 200, "smallest_leaf": 20, "column_share": 0.5, "subsample": 0.9},
        ),
        {
            "leaves": Between(8, 200, log=True, whole=True),
            "smallest_leaf": Between(2, 64, log=True, whole=True),
            "column_share": Between(0.4, 1.0),
            "subsample": Between(0.6, 1.0),
            "l2": Between(0.01, 10.0, log=True),
            "learning_rate": Between(0.5, 1.2, log=True),
            "random_thresholds": FLAG,
        },
    ),
    "CatBoost": Portfolio(
        (
            {"depth": 8, "l2": 2.0},
            {"depth": 6, "column_share": 0.6},
            {"depth": 5, "l2": 1.0},
            {"depth": 8, "column_share": 0.5, "l2": 6.0},
            {"depth": 7, "l2": 0.5, "jitter": 0.3},
            {"depth": 4, "learning_rate": 1.5},
            {"depth": 7, "column_share": 0.5, "jitter": 2.0},
        ),
        {
            "depth": Between(4, 8, whole=True),
            "l2": Between(0.1, 10.0, log=True),
            "column_share": Between(0.4, 1.0),
            "jitter": Between(0.1, 3.0, log=True),
            "learning_rate": Between(0.6, 1.5, log=True),
        },
    ),
    "XGBoost": Portfolio(
        (
            {"depth": 4, "column_share": 0.7},
            {"depth": 8, "smallest_leaf": 5.0, "column_share": 0.5, "l2": 2.0},
            {"depth": 6, "column_share": 0.5, "subsample": 0.8},
            {"depth": 9, "smallest_leaf": 20.0, "column_share": 0.7, "subsample": 0.8, "l2": 5.0},
            {"depth": 5, "smallest_leaf": 10.0, "column_share": 0.4, "l2": 5.0},
            {"depth": 7, "smallest_leaf": 2.0, "subsample": 0.9, "l2": 5.0},
            {"depth": 3},
        ),
        {
            "depth": Between(3, 10, log=True, whole=True),
            "smallest_leaf": Between(0.1, 20.0, log=True),
            "column_share": Between(0.4, 1.0),
            "subsample": Between(0.6, 1.0),
            "l2": Between(0.1, 10.0, log=True),
            "learning_rate": Between(0.5, 1.2, log=True),
        },
    ),
    "RandomForest": Portfolio(FOREST_ROWS, FOREST_RANGES),
    "ExtraTrees": Portfolio(FOREST_ROWS, FOREST_RANGES),
}


def configurations(learner: Searched) -> tuple[Searched, ...]:
    """The learner as it stands, then with crosses, then as many others as it asks for.

    None of them asks for others itself."""
    alone = replace(learner, configurations=1)
    if learner.configurations == 1:
        return (alone,)
    portfolio, others = PORTFOLIOS[type(learner).__name__], learner.configurations - 2
    rows = list(portfolio.rows[:others])
    random = np.random.default_rng(learner.seed)
    while len(rows) < others:
        rows.append({name: span.drawn(random) for name, span in portfolio.ranges.items()})
    return (alone, replace(alone, crosses=True), *(_changed(alone, row) for row in rows))


def with_crosses(
    settings: Sequence[Searched], losses: np.ndarray, most: int
) -> tuple[tuple[Searched, ...], np.ndarray]:
    """The finals: the best configurations of each fold, with crosses where these helped it.

    Whether crosses help is asked of the usual settings alone and taken to hold for the others, or
    every configuration would have to be tried twice. The usual settings without crosses always go
    on, to be compared with.

    Args:
        settings: as `configurations` gives them: the usual settings, these with crosses, others.
        losses: (folds, configurations, folds) of the heat, see `halving.losses_elsewhere`.
        most: how many go on in each fold.

    Returns:
        Configurations, the usual one first, and (folds, configurations) bool, which each fold may
        choose.
    """
    plain = (settings[0], *settings[2:])
    crossed = tuple(replace(each, crosses=True) for each in plain)
    helped = np.array([clear_gaps(each)[1][1] for each in losses])
    listed = shortlist(np.delete(losses, 1, axis=1), most)
    others = listed.copy()
    # The usual settings take part with crosses where nothing else takes part with them.
    others[:, 0] = ~listed[:, 1:].any(axis=1) & (most > 1)
    plain_ones, crossed_ones = others & ~helped[:, None], others & helped[:, None]
    plain_ones[:, 0] = True
    return (*plain, *crossed), np.concatenate([plain_ones, crossed_ones], axis=1)


def _changed(learner: Searched, row: Row) -> Searched:
    fields: dict[str, Any] = {
        name: bool(value) if isinstance(getattr(learner, name), bool) else value
        for name, value in row.items()
    }
    if "learning_rate" in fields:
        fields["learning_rate"] *= getattr(learner, "learning_rate")  # noqa: B009
    return replace(learner, **fields)


def in_words(learner: Searchable, start: Searchable) -> str:
    """Where a configuration differs from the one it was made from: "leaves 24, l2 1, crosses"."""
    told = []
    for field in start.__dataclass_fields__:
        value, name = getattr(learner, field), field.replace("_", " ")
        if value != getattr(start, field):
            told.append(name if value is True else f"{name} {value:g}")
    return ", ".join(told) or "the usual settings"
