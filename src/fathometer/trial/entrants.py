"""Who enters, and with how much effort: the step budgets, exactly repeatable, equal for both sides.

An effort fixes what each learner may spend in steps (rounds, trees, epochs, settings), never in
seconds, so the same command gives the same models on the same kind of machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain, count
from typing import Any, cast

from fathometer.errors import OptionError
from fathometer.learners.cat_boost import CatBoost
from fathometer.learners.constant import Constant
from fathometer.learners.contract import Learner
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import ElasticNet, Logistic, Ridge
from fathometer.learners.naive_bayes import NaiveBayes
from fathometer.learners.neighbours import Neighbours
from fathometer.learners.network import (
    ModernNetwork,
    PlainNetwork,
    RetrievalNetwork,
    Training,
)
from fathometer.learners.own_network import OwnNetwork
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.raw_network import RawNetwork
from fathometer.learners.xg_boost import XGBoost
from fathometer.networks.notation import LONGEST_NAME
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.table.together import group_codes, time_values
from fathometer.trial.encore import Longer
from fathometer.trial.raw_entrants import (
    RawSteps,
    has_pictures,
    has_prose,
    picture_entrants,
    text_entrants,
    too_costly,
)


class Effort(Enum):
    """How much both families may spend."""

    QUICK = "quick"
    STANDARD = "standard"
    THOROUGH = "thorough"


@dataclass(frozen=True)
class Steps:
    """One effort in steps."""

    folds: int
    max_train: int  # rows to learn from
    boosting_work: int  # trees of a fold, classes counted: more classes, fewer rounds
    learning_rate: float  # of boosted trees; fewer rounds need larger steps
    patience: int
    # Of a forest. 200 instead of 100 take twice the time and bytes for 0.1 to 0.5 % less RMSE on
    # bike_sharing_hour, 0.0003 to 0.0018 more accuracy or ROC AUC on letters and telco_churn.
    trees: int
    epochs: int  # of a network
    seeds: int  # networks a fold
    penalties: int  # settings of a linear model
    configurations: int  # tried of a tree learner and of the modern network, each


STEPS: dict[Effort, Steps] = {
    Effort.QUICK: Steps(5, 20_000, 300, 0.12, 40, 50, 24, 1, 3, 1),
    Effort.STANDARD: Steps(5, 50_000, 1200, 0.06, 80, 100, 36, 2, 5, 5),
    Effort.THOROUGH: Steps(8, 500_000, 4000, 0.03, 200, 400, 96, 4, 5, 24),
}
RAW_STEPS: dict[Effort, RawSteps] = {
    Effort.QUICK: RawSteps(
        folds=3,
        picture_epochs=5,
        landmarks=1_000,
        text_epochs=4,
        tokens=128,
        seeds=1,
        ngrams=50_000,
        words=2,
        short_bytes=8 << 20,
        attended=500_000,
        convolved=1_000_000,
    ),
    Effort.STANDARD: RawSteps(
        folds=5,
        picture_epochs=16,
        landmarks=2_000,
        text_epochs=8,
        tokens=256,
        seeds=1,
        ngrams=100_000,
        words=3,
        short_bytes=32 << 20,
        attended=50_000_000,
        convolved=50_000_000,
    ),
    Effort.THOROUGH: RawSteps(
        folds=5,
        picture_epochs=30,
        landmarks=4_000,
        text_epochs=16,
        tokens=512,
        seeds=2,
        ngrams=100_000,
        words=3,
        short_bytes=64 << 20,
        attended=500_000_000,
        convolved=500_000_000,
    ),
}
# A retrieval network's steps take some hundred times as long as another's: where there are so many
# minutes it enters. It is validated after so many steps, and so many times; the seeds.
RETRIEVAL_MINUTES, RETRIEVAL_STEPS, RETRIEVAL_BATCH = 5.0, 25, 1_024
RETRIEVAL_EPOCHS = {Effort.QUICK: (16, 1), Effort.STANDARD: (24, 1), Effort.THOROUGH: (32, 2)}
LEAST_ROUNDS = 60
# CatBoost's time for a round grows with the classes: on kddcup99 (23) 60 rounds took 37 s, 40 with
# larger steps 25 s, accuracy 0.998 either way; letter_recognition (26) 0.937 and 0.930.
MANY_CLASSES_ROUNDS = 40
MOST_PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)

# Longer fits, for the time that is left of a wall-clock budget: an effort's steps, how many
# configurations are searched, and about how many times as long as at effort quick they take on as
# many rows. Measured on ten tables, the search at effort standard: LightGBM 6 to 10, CatBoost 7 to
# 16, the modern network 3 to 14 times; the last two by counting rounds, as many of them stopped
# early. A fit that its time cuts short keeps what it has.
LONGER = (
    (Effort.STANDARD, 1, 3.0),
    (Effort.STANDARD, 5, 10.0),
    (Effort.THOROUGH, 5, 35.0),
    (Effort.THOROUGH, 24, 75.0),
)
LONGER_RAW = ((Effort.STANDARD, 1, 4.0), (Effort.THOROUGH, 1, 20.0))
LEAST_RAW = 0.4  # of a schedule that networks on pictures and texts shorten to fit into their time
ROWS_A_MINUTE = 25_000  # that longer fits learn from
MORE_ROWS = 1.5  # times as many are worth a fit with the same steps


def most_rows(effort: Effort, minutes: float | None) -> int:
    """How many rows are learned from at most: longer fits get more than the effort's."""
    most = STEPS[effort].max_train
    if minutes is None:
        return most
    return max(most, min(STEPS[Effort.THOROUGH].max_train, int(ROWS_A_MINUTE * minutes)))


def first_rows(
    split: Split,
    table: Table,
    task: Task,
    effort: Effort,
    *,
    group: str | None = None,
    time: str | None = None,
) -> Split:
    """The split for the first fits, which learn from no more rows than the effort's.

    group, time: names of the columns that the rows are divided by."""
    share = min(1.0, STEPS[effort].max_train / len(split.train))
    is_classes = task.kind is TaskKind.CLASSIFY
    return split.limited(
        share,
        classes=task.encode(table[task.target])[split.train] if is_classes else None,
        groups=group_codes(table, group)[split.train] if group else None,
        times=time_values(table, time)[split.train] if time else None,
    )


def folds_for(task: Task, table: Table, effort: Effort) -> int:
    """Into how many parts the training rows are divided."""
    raw, plain = RAW_STEPS[effort].folds, STEPS[effort].folds
    return raw if has_pictures(table, task) or has_prose(table, task) else plain


def raw_epochs(task: Task, table: Table, effort: Effort) -> int | None:
    """Passes over the rows of networks on pictures or texts; None where there are neither."""
    if has_pictures(table, task):
        return RAW_STEPS[effort].picture_epochs
    return RAW_STEPS[effort].text_epochs if has_prose(table, task) else None


def entrants(
    task: Task, table: Table, effort: Effort, seed: int, minutes: float | None = None
) -> tuple[Learner, ...]:
    """All learners for a task: those that always finish first, then the families in turn.

    minutes: the wall-clock budget, if there is one."""
    out = left_out(task, table, effort)
    able = tuple(one for one in _able(task, table, effort, seed) if one.name not in out)
    is_raw = has_pictures(table, task) or has_prose(table, task)
    has_time = effort is Effort.QUICK and (minutes or 0.0) >= RETRIEVAL_MINUTES
    return (*able, retrieval(effort, seed)) if has_time and not is_raw else able


def reserves(
    task: Task, table: Table, effort: Effort, seed: int, entered: Sequence[Learner]
) -> tuple[Learner, ...]:
    """Learners that enter only where they are named: others of their kind do, or cost less."""
    plain = (*table_entrants(task, effort, seed), retrieval(effort, seed))
    others = {one.name: one for one in plain}
    if has_prose(table, task):  # who reads texts alone, beside pictures
        texts = text_entrants(task, table, RAW_STEPS[effort], others, seed)
        others |= {one.name: one for one in texts}
    others |= {one.name: one for one in _able(task, table, effort, seed)}
    names = {one.name for one in entered}
    return tuple(one for name, one in others.items() if name not in names)


def longer_fits(
    learners: Sequence[Learner],
    task: Task,
    table: Table,
    effort: Effort,
    seed: int,
    growth: float = 1.0,
) -> dict[str, tuple[Longer, ...]]:
    """Longer fits of the learners that have steps to add, by their names, ascending.

    Args:
        learners: as they enter at this effort.
        growth: how many times the rows of the first fits they learn from.
    """
    is_raw = has_pictures(table, task) or has_prose(table, task)
    lengths = LONGER_RAW if is_raw else LONGER
    # What a fit at this effort takes itself, of one at effort quick.
    own = max((times for each, _, times in lengths if each is effort), default=1.0)
    least = {learner.name: _least(learner) for learner in learners}
    found = {one.name: [Longer(one, growth, least[one.name])] for one in learners}
    for further, configurations, times in lengths:
        if times <= own:
            continue
        able = {one.name: one for one in _able(task, table, further, seed, configurations)}
        for name, fits in found.items():
            first = fits[0].learner
            learner = _own_longer(first, further) or able.get(name)
            if learner is not None and learner != fits[-1].learner:
                taken = _training_ratio(learner, first) or times / own
                fits.append(Longer(learner, taken * growth, least[name]))
    # Steps that do not grow, such as a tree's or of naive Bayes, are no fit to come back with.
    usable = {
        name: fits if growth >= MORE_ROWS else fits[1:]
        for name, fits in found.items()
        if len(fits) > 1
    }
    names: set[str] = set()
    return {name: tuple(_called(fit, names) for fit in fits) for name, fits in usable.items()}


def _own_longer(learner: Learner, effort: Effort) -> OwnNetwork | None:
    """A network that the user brought, with the epochs and seeds of ours at this effort."""
    if not isinstance(learner, OwnNetwork):
        return None
    return replace(learner, training=training_of(effort))


def _least(learner: Learner) -> float:
    """The share of its time that a longer fit of this one needs."""
    return LEAST_RAW if isinstance(learner, RawNetwork) else 1.0


def _training_ratio(longer: Learner, first: Learner) -> float | None:
    """How much more a network trains that searches nothing; None for the others."""
    passes = [
        one.training.epochs * one.training.seeds
        for one in (longer, first)
        if isinstance(one, PlainNetwork | OwnNetwork | RetrievalNetwork)
    ]
    return passes[0] / passes[1] if len(passes) > 1 else None


def training_of(effort: Effort) -> Training:
    """Epochs and seeds of a network that searches nothing."""
    return Training(epochs=STEPS[effort].epochs, seeds=STEPS[effort].seeds)


def retrieval(effort: Effort, seed: int) -> RetrievalNetwork:
    """A network that answers from learning rows; at effort quick it would take most of the time."""
    epochs, seeds = RETRIEVAL_EPOCHS[effort]
    steps = RETRIEVAL_STEPS * epochs
    training = Training(epochs, RETRIEVAL_BATCH, least_steps=steps, most_steps=steps, seeds=seeds)
    return RetrievalNetwork(training, seed)


def _called(longer: Longer, taken: set[str]) -> Longer:
    """With a name that says how much longer it takes, as a leaderboard has room for it; names that
    are the same once they are cut are numbered."""
    named: Any = longer.learner  # every learner is a dataclass with a name among its fields
    times = f" ×{longer.times:.0f}" if longer.times >= 9.5 else f" ×{longer.times:.2g}"
    marks = chain([times], (f" {number}{times}" for number in count(2)))
    names = (named.name[: LONGEST_NAME - len(mark)] + mark for mark in marks)
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return replace(longer, learner=cast(Learner, replace(named, name=name)))


def _able(
    task: Task, table: Table, effort: Effort, seed: int, configurations: int | None = None
) -> tuple[Learner, ...]:
    """Everybody made for what the table holds, whatever they cost."""
    plain = table_entrants(task, effort, seed, configurations)
    trees = {learner.name: learner for learner in plain}
    if has_pictures(table, task):
        boosted, forest = trees["LightGBM"], trees["extra trees"]
        return picture_entrants(task, table, RAW_STEPS[effort], (boosted, forest), seed)
    if has_prose(table, task):
        return text_entrants(task, table, RAW_STEPS[effort], trees, seed)
    return plain


def left_out(task: Task, table: Table, effort: Effort) -> frozenset[str]:
    """Names of those who cost more time at this effort than they are worth."""
    if has_pictures(table, task) or not has_prose(table, task):
        return frozenset()
    return too_costly(task, table, RAW_STEPS[effort])


def table_entrants(
    task: Task, effort: Effort, seed: int, configurations: int | None = None
) -> tuple[Learner, ...]:
    """The learners for tables of numbers, categories, dates and short texts.

    configurations: searched by those that search; by default the effort's."""
    steps = STEPS[effort]
    rounds = max(LEAST_ROUNDS, steps.boosting_work // _trees_a_round(task))
    # Fewer rounds take larger steps, up to where boosting starts to overshoot.
    rate = min(0.2, steps.learning_rate * (steps.boosting_work / rounds) ** 0.5)
    tried = steps.configurations if configurations is None else configurations
    training = training_of(effort)
    # A search has several networks a fold anyway.
    search = training if tried == 1 else replace(training, seeds=1)
    penalties = MOST_PENALTIES[-steps.penalties :]
    few = effort is Effort.QUICK and _trees_a_round(task) > 1
    many = effort is Effort.QUICK and _trees_a_round(task) > 10
    linear: tuple[Learner, ...] = (
        (Ridge(penalties), ElasticNet())
        if task.kind is TaskKind.REGRESS
        else (Logistic(penalties, iterations=100 if effort is not Effort.QUICK else 40),)
    )
    bayes: tuple[Learner, ...] = () if task.kind is TaskKind.REGRESS else (NaiveBayes(),)
    return (
        Constant(),
        *linear,
        DecisionTree(seed=seed),
        LightGBM(rounds, rate, steps.patience, configurations=tried, seed=seed),
        PlainNetwork(training=training, seed=seed),
        # Its trees of whole levels are weak for several classes and need larger steps (measured on
        # covertype: 0.807 against 0.786 accuracy for the same work).
        CatBoost(
            min(rounds, MANY_CLASSES_ROUNDS) if many else rounds,
            (0.4 if many else max(rate, 0.3)) if few else rate,
            steps.patience,
            configurations=tried,
            seed=seed,
        ),
        ModernNetwork(tried, search, seed=seed),
        *(() if effort is Effort.QUICK else (retrieval(effort, seed),)),
        XGBoost(rounds, rate, steps.patience, configurations=tried, seed=seed),
        RandomForest(trees=steps.trees, configurations=tried, seed=seed),
        ExtraTrees(trees=steps.trees, configurations=tried, seed=seed),
        Neighbours((40, 10), 2_500) if effort is Effort.QUICK else Neighbours(),
        *bayes,
    )


def chosen(learners: Sequence[Learner], only: Sequence[str]) -> tuple[Learner, ...]:
    """The learners named in `only` (any case, blanks and hyphens apart), or all of them.

    The constant always stays: every contestant is read against it.

    Raises:
        OptionError: if a name is none of theirs.
    """
    if not only:
        return tuple(learners)
    known = {_plain(learner.name): learner for learner in learners}
    for name in only:
        if _plain(name) not in known:
            raise OptionError(
                f'there is no contestant "{name}" for this task.',
                details="contestants: " + ", ".join(learner.name for learner in learners),
            )
    wanted = {_plain(name) for name in only} | {"constant"}
    return tuple(learner for learner in learners if _plain(learner.name) in wanted)


def _trees_a_round(task: Task) -> int:
    return task.outputs if task.outputs > 2 else 1


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
