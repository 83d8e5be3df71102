"""LightGBM: boosted trees grown leaf by leaf (Ke et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.errors import LearnerError
from fathometer.learners.boosted import BoostedModel, Lesson, fit_boosted, need
from fathometer.learners.contract import UNLIMITED, Budget, Family
from fathometer.learners.crossfit import Watch
from fathometer.learners.forest import Forest, Tree, floor_float32
from fathometer.learners.tree_portfolio import configurations
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task

if TYPE_CHECKING:
    import lightgbm

# The bits of a node's decision type in a LightGBM model text (include/LightGBM/tree.h).
DEFAULT_LEFT = 2
MISSING_NONE, MISSING_ZERO = 0, 1


@dataclass(frozen=True)
class LightGBM:
    """LightGBM with the tuned defaults of pytabkit (Holzmüller et al., 2024), not the library's.

    `leaves`, `smallest_leaf` and `learning_rate` are taken from the task where None."""

    rounds: int = 1000
    learning_rate: float = 0.04
    patience: int = 100
    leaves: int | None = None  # 50 for classes, 100 for values
    smallest_leaf: int | None = None  # rows; 40 for classes (fewer in small tables), 3 for values
    subsample: float = 0.75  # of the rows, drawn anew for each round
    column_share: float = 1.0  # of the columns, drawn anew for each tree
    l2: float | None = None  # None: 1 for three classes and more, else 0
    random_thresholds: bool = False  # one threshold a column and leaf, drawn: smoother
    crosses: bool = False  # of columns, see `features/crosses`
    configurations: int = 1  # tried; see `tree_portfolio`
    threads: int = 2  # folds grown side by side; the result is the same
    seed: int = 0
    name: str = "LightGBM"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> BoostedModel:
        """Grow one booster a fold; see `boosted.fit_boosted`."""
        need("lightgbm", self.name)
        return fit_boosted(configurations(self), table, task, split, budget=budget)

    def grow(self, lesson: Lesson, watch: Watch) -> LightGBMBooster:
        """Add rounds until `watch` says stop."""
        import lightgbm

        settings = self._settings(lesson)
        learn = lightgbm.Dataset(lesson.learn, lesson.learn_target, params=settings)
        booster = lightgbm.Booster(settings, learn)
        watched = lightgbm.Dataset(
            lesson.watch, lesson.watch_target, reference=learn, params=settings
        )
        booster.add_valid(watched, "watched")
        exhausted, goes_on = False, True
        while goes_on and not exhausted:
            exhausted = booster.update()  # no leaf can be split any more
            goes_on = watch.goes_on(booster.eval_valid()[0][2])
        booster.free_dataset()
        return LightGBMBooster(booster)

    def _settings(self, lesson: Lesson) -> dict[str, object]:
        values = lesson.classes == 0
        objective = "regression" if values else "binary" if lesson.classes == 2 else "multiclass"
        return {
            "objective": objective,
            "num_class": lesson.classes if lesson.classes > 2 else 1,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves or (100 if values else 50),
            "min_data_in_leaf": self._smallest_leaf(lesson),
            # Where a class has few rows its curvature is next to none and a step without this runs
            # away: kddcup99 (20,000 rows, 17 classes, 60 rounds) 0.958 accuracy, with it 0.998;
            # covertype_part 0.837 either way, its log loss 0.427 and 0.410.
            "lambda_l2": (1.0 if lesson.classes > 2 else 0.0) if self.l2 is None else self.l2,
            "bagging_fraction": self.subsample,
            "bagging_freq": 1,
            "feature_fraction": self.column_share,
            "extra_trees": self.random_thresholds,
            "num_threads": 1,  # see crossfit.grow_side_by_side
            "deterministic": True,
            "force_row_wise": True,  # which way is faster is timed otherwise, so not repeatable
            "feature_pre_filter": False,
            "seed": lesson.seed,
            "verbosity": -1,
        }

    def _smallest_leaf(self, lesson: Lesson) -> int:
        # 40 was tuned on tables of 1,000 rows and more; below that, a twentieth of the rows.
        preset = 3 if lesson.classes == 0 else min(40, max(3, len(lesson.learn) // 20))
        return self.smallest_leaf or preset


@dataclass(frozen=True, eq=False)
class LightGBMBooster:
    """LightGBM's own booster."""

    booster: lightgbm.Booster

    def margins(self, matrix: np.ndarray, rounds: int) -> np.ndarray:
        """Raw scores of the first rounds; (rows, margins) float64."""
        scores = self.booster.predict(matrix, raw_score=True, num_iteration=rounds)
        return np.asarray(scores, dtype=np.float64).reshape(len(matrix), -1)

    def forest(self, rounds: int) -> Forest:
        """The first rounds as a forest."""
        return from_lightgbm(self.booster.model_to_string(num_iteration=rounds))


def from_lightgbm(text: str) -> Forest:
    """The trees of a LightGBM model text; its raw scores.

    The text holds every number to 17 digits, and reads far quicker than the JSON dump.

    Raises:
        LearnerError: for what a forest cannot say: category splits, linear leaves, and zeros
            counted as missing.
    """
    head, *blocks = text.split("\nTree=")
    fields = _fields(head)
    outputs = int(fields["num_tree_per_iteration"])
    trees = tuple(
        _read_tree(_fields(block), number % outputs) for number, block in enumerate(blocks)
    )
    forest = Forest(trees, np.zeros(outputs))
    is_average = "average_output" in head.splitlines()  # boosting=rf
    return forest.scaled(outputs / len(trees)) if is_average and trees else forest


def _fields(block: str) -> dict[str, str]:
    lines = (line.partition("=") for line in block.splitlines())
    return {name: value for name, equals, value in lines if equals}


def _read_tree(fields: dict[str, str], output: int) -> Tree:
    if int(fields["num_cat"]) or int(fields.get("is_linear", "0")):
        raise LearnerError("A LightGBM tree with category splits or linear leaves is not read.")
    weights = np.array(fields["leaf_value"].split(), dtype=np.float64)
    inner, nodes = len(weights) - 1, 2 * len(weights) - 1

    def numbers(name: str) -> np.ndarray:
        return np.array(fields[name].split() if inner else [], dtype=np.float64)

    own = np.arange(inner, nodes)  # leaves stand behind the inner nodes; leaf l is written as -l-1
    left, right = (numbers(side).astype(np.int64) for side in ("left_child", "right_child"))
    threshold = floor_float32(numbers("threshold"))
    return Tree(
        feature=np.append(numbers("split_feature"), np.zeros(len(own))).astype(np.int64),
        threshold=np.append(threshold, np.zeros(len(own), dtype=np.float32)),
        left=np.append(np.where(left < 0, inner - left - 1, left), own),
        right=np.append(np.where(right < 0, inner - right - 1, right), own),
        missing_left=np.append(
            _missing_left(numbers("decision_type").astype(np.int64), threshold),
            np.zeros(len(own), dtype=bool),
        ),
        weights=np.append(np.zeros(inner), weights)[:, None],
        output=output,
    )


def _missing_left(decision: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Where a missing value goes left: as learned, or as 0 where training met none missing."""
    default_left = (decision & DEFAULT_LEFT) != 0
    missing, zero_left = (decision >> 2) & 3, threshold >= 0.0
    if np.any((missing == MISSING_ZERO) & (default_left != zero_left)):
        raise LearnerError(
            "LightGBM counted zeros as missing, which a forest cannot say.",
            try_next="zero_as_missing=false",
        )
    return np.where(missing == MISSING_NONE, zero_left, default_left)
