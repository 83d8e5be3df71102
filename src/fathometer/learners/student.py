"""A student: the best small model that keeps to limits of size and latency, taught by a larger one.

Distillation (Bucila et al., KDD 2006; Hinton et al., 2015): the student learns from a mixture of
the true answers and its teacher's, which are smoother and so tell more a row. The teacher's answer
to a row comes from a model that did not learn from that row.

Which small model is chosen by how it does out of fold on the true answers alone: the teacher's
answers to the other folds come from models that have seen this fold, so a student taught by them
would be judged on rows it has heard of. Limits are asked of the exported file, by `measure`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.features.roads import FittedRecipe, Road, feature_specs, fit_recipe
from fathometer.learners.choice import choose_for_each_fold
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Model, Progress
from fathometer.learners.student_shapes import Lesson, Shape, ranked_columns, shapes
from fathometer.learners.tuned import RecipeModel
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

SOFT_ROWS = 1000  # see soft_share
# A latency differs from one measurement to the next, so a student is chosen with this in hand; a
# size does not, but for the few numbers of the certificate.
LATENCY_HEADROOM = 0.2
SIZE_HEADROOM = 0.02


@dataclass(frozen=True)
class Footprint:
    """What an exported file takes."""

    size_bytes: int
    latency_ms: float  # one raw row to its answer, median

    @property
    def in_words(self) -> str:
        """ "13 KB and 24 µs a row"."""
        return f"{_size(self.size_bytes)} and {_time(self.latency_ms)} a row"


@dataclass(frozen=True)
class Limits:
    """What an exported file may take; None: as much as it likes."""

    latency_ms: float | None = None
    size_bytes: int | None = None

    @property
    def with_headroom(self) -> Limits:
        """The limits that a student is chosen by."""
        latency, size = self.latency_ms, self.size_bytes
        return Limits(
            None if latency is None else latency * (1 - LATENCY_HEADROOM),
            None if size is None else max(1, int(size * (1 - SIZE_HEADROOM))),
        )

    def allow_size(self, found: Footprint) -> bool:
        return self.size_bytes is None or found.size_bytes <= self.size_bytes

    def allow_latency(self, found: Footprint) -> bool:
        return self.latency_ms is None or found.latency_ms <= self.latency_ms

    def allow(self, found: Footprint) -> bool:
        """Whether both are kept."""
        return self.allow_size(found) and self.allow_latency(found)

    def excess(self, found: Footprint) -> float:
        """By what factor the worse of the two is over its limit; at most 1 where both are kept."""
        size = found.size_bytes / self.size_bytes if self.size_bytes else 0.0
        return max(size, found.latency_ms / self.latency_ms if self.latency_ms else 0.0)

    @property
    def in_words(self) -> str:
        """ "100 KB and 1 ms a row"."""
        size = "" if self.size_bytes is None else _size(self.size_bytes)
        latency = "" if self.latency_ms is None else f"{_time(self.latency_ms)} a row"
        return " and ".join(filter(None, (size, latency)))

    def raised_to(self, found: Footprint) -> str:
        """The options under which this would have been allowed, with a tenth to spare."""
        options = []
        if not self.with_headroom.allow_latency(found):
            wanted = 1.1 * found.latency_ms / (1 - LATENCY_HEADROOM)
            options.append(f"--latency {_two_digits_up(wanted * 1000)}us")
        if not self.with_headroom.allow_size(found):
            options.append(f"--size {_two_digits_up(1.1 * found.size_bytes / 1000)}KB")
        return " ".join(options)


def _size(count: int) -> str:
    size, unit = next(
        (step for step in ((1e3, "KB"), (1e6, "MB")) if count < 999.5 * step[0]), (1e9, "GB")
    )
    return f"{count / size:.3g} {unit}"


def _time(milliseconds: float) -> str:
    if milliseconds >= 999.5:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds * 1000:.3g} µs" if milliseconds < 0.9995 else f"{milliseconds:.3g} ms"


def _two_digits_up(value: float) -> str:
    """The next number of two digits: 12.3 becomes 13, 0.123 becomes 0.13."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / step) * step:.12g}"


@dataclass(frozen=True)
class _Place:
    """One small model: how many of the best columns it reads, its shape, its size in that shape."""

    columns: int
    shape: Shape
    size: int


@dataclass(frozen=True, eq=False)
class Student:
    """Tries small models on ever fewer columns, and keeps the best of those within the limits.

    `soft` holds the teacher's out-of-fold answers, (len(split.train), outputs)."""

    limits: Limits
    teacher: str
    soft: np.ndarray
    measure: Callable[[Model], Footprint]
    seed: int = 0
    soft_share: float | None = None  # of the teacher's answers; None: by the number of rows
    shapes: tuple[Shape, ...] = field(default_factory=shapes)
    name: str = "student"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> RecipeModel:
        """Find the models within the limits, choose among them out of fold.

        Raises:
            LearnerError: if none is within the limits.
            OutOfTimeError: if the budget ended before one was found and judged.
        """
        from threadpoolctl import threadpool_limits

        classroom = _Classroom(self, table, task, split, budget)
        # Many small fits: on two busy cores they took 19 s on two threads and 8 s on one.
        with threadpool_limits(1):
            allowed = classroom.within_limits()
            places = list(allowed)
            losses, scores = classroom.cross_fit(places)
        chosen, final = choose_for_each_fold(losses)
        out_of_fold = np.empty_like(scores[0])
        for fold, place in enumerate(chosen):
            rows = split.places(split.folds[fold])
            out_of_fold[rows] = scores[place][rows]
        model = allowed[places[final]]
        account = Account(
            configurations=len(places),
            fits=classroom.fits,
            chosen=f"{model.account.chosen}, taught by {self.teacher} "
            f"({self.share_of_teacher(len(split.train)):.0%} of what it learns)",
        )
        return replace(model, out_of_fold=out_of_fold, account=account)

    def share_of_teacher(self, rows: int) -> float:
        """How much of what is learned are the teacher's answers, 0 to 1."""
        return soft_share(rows) if self.soft_share is None else self.soft_share


def soft_share(rows: int) -> float:
    """The share of the teacher's answers in what a student learns from so many rows.

    They count like a prior of 1,000 rows: smoother than the true answers, which helps where there
    are few, and wrong in places, which many rows would show. Measured with 64 trees of 8 leaves, at
    shares of 0, 0.25, 0.5 and 0.8: adult, 1,000 rows, ROC AUC 0.8995 0.9027 0.9061 0.9046; 3,000
    rows 0.9131 0.9142 0.9139 0.9126; 10,000 rows 0.9211 at 0, 0.9199 at 0.5. california_housing,
    RMSE in 1,000: 1,000 rows 58.0 58.4 59.2 60.4; 10,000 rows 51.6 at 0, 52.6 at 0.5."""
    return SOFT_ROWS / (SOFT_ROWS + rows)


class _Classroom:
    """One fit of a student: the rows, and what was tried on them."""

    def __init__(
        self, student: Student, table: Table, task: Task, split: Split, budget: Budget
    ) -> None:
        self.fits = 0
        self._student = student
        self._table = table
        self._task = task
        self._split = split
        self._budget = budget
        self._truth = task.encode(table[task.target])
        self._rankings: dict[bytes, tuple[str, ...]] = {}
        self._latest: tuple[object, tuple[Table, FittedRecipe]] | None = None
        self._steps = 0

    def within_limits(self) -> dict[_Place, RecipeModel]:
        """All small models within the limits, taught on all training rows.

        Fewer columns are tried only where more were refused for their latency, or left no room
        for trees.

        Raises:
            LearnerError: if none is within the limits; says which came nearest.
        """
        limits = self._student.limits.with_headroom
        allowed: dict[_Place, RecipeModel] = {}
        refused: list[tuple[float, str, Footprint]] = []
        for count in column_counts(len(feature_specs(self._table, self._task))):
            kinds, is_too_slow = 0, False
            for shape in self._student.shapes:
                is_cut = False
                for size, model in enumerate(self._taught(count, shape)):
                    found = self._student.measure(model)
                    if not limits.allow(found):
                        refused.append((limits.excess(found), model.account.chosen, found))
                        is_too_slow |= not limits.allow_latency(found)
                        is_cut = True
                        break
                    allowed[_Place(count, shape, size)] = model
                    kinds += size == 0
                if is_cut and shape.road is Road.TREES:
                    break  # the next shape begins where this one ends, with more leaves
            self._report(f"{count} columns")
            is_full = kinds >= min(2, len(self._student.shapes)) and not is_too_slow
            if is_full or (allowed and self._budget.spent):
                break
            if self._budget.spent:
                raise OutOfTimeError("the time was up before a student met the limits.")
        if not allowed:
            raise self._none_allowed(min(refused, key=lambda each: each[0]))
        return allowed

    def cross_fit(self, places: Sequence[_Place]) -> tuple[np.ndarray, np.ndarray]:
        """Each model learning the true answers in every fold.

        Returns:
            (folds, models) losses, and (models, train rows, outputs) scores.

        Raises:
            OutOfTimeError: if the time is up before the folds are done.
        """
        folds, task, split = len(self._split.folds), self._task, self._split
        metric = METRICS["log_loss" if task.kind is TaskKind.CLASSIFY else "rmse"]
        losses = np.full((folds, len(places)), np.inf)
        scores = np.zeros((len(places), len(split.train), task.outputs))
        groups = dict.fromkeys((place.columns, place.shape) for place in places)
        for fold in range(folds):
            rows, validation = split.fold_rows(fold)
            for count, shape in groups:
                if self._budget.spent:
                    raise OutOfTimeError(f"the time was up after {fold} of {folds} folds.")
                table, fitted = self._prepared(count, shape.road, rows)
                matrix = fitted.recipe.matrix(table.rows(validation))
                lesson = Lesson(task, fitted.training, self._hard(rows), self._student.seed)
                sizes = [
                    place.size for place in places if (place.columns, place.shape) == (count, shape)
                ]
                for size, core in enumerate(shape.cores(lesson, max(sizes) + 1)):
                    place = places.index(_Place(count, shape, size))
                    found = core.scores(matrix)
                    losses[fold, place] = metric.loss(self._truth[validation], found)
                    scores[place, split.places(validation)] = found
                    self.fits += 1
            self._report(f"fold {fold + 1}/{folds}")
        return losses, scores

    def _taught(self, count: int, shape: Shape) -> Iterator[RecipeModel]:
        """The models of a shape on the best columns, from small to large, taught on all rows."""
        train, task = self._split.train, self._task
        table, fitted = self._prepared(count, shape.road, train)
        columns = feature_specs(table, task)
        share = self._student.share_of_teacher(len(train))
        mixed = (1 - share) * self._hard(train) + share * self._student.soft
        lesson = Lesson(task, fitted.training, mixed, self._student.seed)
        sizes = shape.sizes(task)
        known = len(feature_specs(self._table, task))
        for size, core in zip(sizes, shape.cores(lesson, len(sizes)), strict=True):
            self.fits += 1
            words = f"{size} on {count} of {known} columns"
            account = Account(1, 1, words)
            soft = self._student.soft  # stands in until the model is judged out of fold
            yield RecipeModel(task, columns, fitted.recipe, core, soft, account)

    def _prepared(self, count: int, road: Road, rows: np.ndarray) -> tuple[Table, FittedRecipe]:
        """The table with the columns that are best on these rows, and a recipe fitted on them.

        Shapes that follow each other on the same road share it."""
        asked = count, road, rows.tobytes()
        if self._latest is None or self._latest[0] != asked:
            self._latest = asked, self._prepare(count, road, rows)
        return self._latest[1]

    def _prepare(self, count: int, road: Road, rows: np.ndarray) -> tuple[Table, FittedRecipe]:
        table, seed = self._table, self._student.seed
        if count < len(feature_specs(table, self._task)):
            known = self._rankings.get(rows.tobytes())
            if known is None:
                known = ranked_columns(table, self._task, rows, seed)
                self._rankings[rows.tobytes()] = known
            kept = {*known[:count], self._task.target}
            table = replace(table, columns=tuple(c for c in table if c.name in kept))
        return table, fit_recipe(road, table, self._task, rows, seed=seed)

    def _hard(self, rows: np.ndarray) -> np.ndarray:
        """(rows, outputs) the true answers."""
        truth = self._truth[rows]
        if self._task.kind is TaskKind.REGRESS:
            return np.asarray(truth[:, None])
        return np.asarray(np.eye(self._task.outputs)[truth])

    def _report(self, words: str) -> None:
        self._steps += 1
        self._budget.report(Progress(1 - 0.8**self._steps, words))

    def _none_allowed(self, nearest: tuple[float, str, Footprint]) -> LearnerError:
        _, words, found = nearest
        return LearnerError(
            f"no student keeps to {self._student.limits.in_words}: the nearest, {words}, takes "
            f"{found.in_words}, and a latency has to leave {LATENCY_HEADROOM:.0%} in hand.",
            try_next=self._student.limits.raised_to(found),
        )


def column_counts(columns: int) -> tuple[int, ...]:
    """All columns, then half as many, down to one."""
    counts = [columns]
    while counts[-1] > 1:
        counts.append((counts[-1] + 1) // 2)
    return tuple(counts)
