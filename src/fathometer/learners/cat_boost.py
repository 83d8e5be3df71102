"""CatBoost: boosted trees that ask the same question across a whole level (Prokhorenkova, 2018)."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

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
    import catboost


@dataclass(frozen=True)
class CatBoost:
    """CatBoost with the tuned defaults of pytabkit (Holzmüller et al., 2024), not the library's.

    Categories come to it as numbers, since it cannot write trees over its own category splits."""

    rounds: int = 1000
    learning_rate: float = 0.08
    patience: int = 100
    depth: int = 7
    bins: int | None = None  # thresholds a column; None: 64 for three classes and more, else 254
    column_share: float = 1.0  # of the columns, drawn anew for each level
    l2: float = 3.0
    jitter: float = 1.0  # of the splits' scores, against overfitting (`random_strength`)
    crosses: bool = False  # of columns, see `features/crosses`
    configurations: int = 1  # tried; see `tree_portfolio`
    threads: int = 2  # folds grown side by side; the result is the same
    seed: int = 0
    name: str = "CatBoost"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> BoostedModel:
        """Grow one booster a fold; see `boosted.fit_boosted`.

        Raises:
            LearnerError: if no column varies within a fold.
        """
        catboost = need("catboost", self.name)
        try:
            return fit_boosted(configurations(self), table, task, split, budget=budget)
        except catboost.CatBoostError as error:
            raise LearnerError(f"CatBoost cannot learn from this table: {error}") from error

    def grow(self, lesson: Lesson, watch: Watch) -> CatBoostBooster:
        """Add rounds until `watch` says stop."""
        import catboost

        class Told:
            def after_iteration(self, told: Any) -> bool:
                (losses,) = told.metrics["validation"].values()
                return watch.goes_on(losses[-1])

        present = _present(lesson)
        known = np.isin(lesson.watch_target, present) if len(present) else slice(None)
        booster = catboost.CatBoost(self._settings(lesson, len(present)))
        booster.fit(
            catboost.Pool(lesson.learn, _renumbered(lesson.learn_target, present)),
            eval_set=catboost.Pool(
                lesson.watch[known], _renumbered(lesson.watch_target[known], present)
            ),
            use_best_model=False,
            callbacks=[Told()],
        )
        margins = lesson.classes if lesson.classes > 2 else 1
        absent = -float(np.log(len(lesson.learn) + lesson.classes))  # the rule of succession
        places = present if margins > 1 else np.zeros(1, dtype=np.int64)
        return CatBoostBooster(booster, places, np.full(margins, absent), self.threads)

    def _settings(self, lesson: Lesson, present: int) -> dict[str, object]:
        objective = {0: "RMSE", 2: "Logloss"}.get(lesson.classes, "MultiClass")
        settings = {
            "loss_function": objective,
            "iterations": self.rounds,
            "learning_rate": self.learning_rate,
            "depth": self.depth,
            "rsm": self.column_share,
            "l2_leaf_reg": self.l2,
            "random_strength": self.jitter,
            # 20,000 rows of covertype, 64 against 254: 29 s of processor time, not 42; accuracy
            # 0.806, not 0.803. California housing: RMSE 47,367, not 46,795.
            "border_count": self.bins or (64 if lesson.classes > 2 else 254),
            "thread_count": 1,  # see crossfit.grow_side_by_side
            "random_seed": lesson.seed,
            "allow_const_label": True,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }
        return settings | ({"class_names": list(range(present))} if present else {})


def _present(lesson: Lesson) -> np.ndarray:
    """The classes CatBoost is told of: those that it sees, at least two; none if values are asked.

    Of others it would complain, and give them a margin of minus infinity."""
    if lesson.classes <= 2:
        return np.arange(lesson.classes)
    seen = np.unique(lesson.learn_target).astype(np.int64)
    others = np.setdiff1d(np.arange(lesson.classes), seen)
    return np.sort(np.append(seen, others[: max(0, 2 - len(seen))]))


def _renumbered(target: np.ndarray, present: np.ndarray) -> np.ndarray:
    return np.searchsorted(present, target) if len(present) else target


@dataclass(frozen=True, eq=False)
class CatBoostBooster:
    """CatBoost's own booster, and the margins of the classes that it never saw."""

    booster: catboost.CatBoost
    places: np.ndarray  # which margins are the booster's
    unseen: np.ndarray  # (margins,) float64, taken where the booster has none
    threads: int

    def margins(self, matrix: np.ndarray, rounds: int) -> np.ndarray:
        """Raw scores of the first rounds; (rows, margins) float64."""
        scores = self.booster.predict(
            matrix, prediction_type="RawFormulaVal", ntree_end=rounds, thread_count=self.threads
        )
        margins = np.tile(self.unseen, (len(matrix), 1))
        margins[:, self.places] = np.asarray(scores).reshape(len(matrix), -1)
        return margins

    def forest(self, rounds: int) -> Forest:
        """The first rounds as a forest."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            self.booster.save_model(str(path), format="json")
            forest = from_catboost(path.read_bytes(), rounds)
        return forest.placed(self.places, self.unseen)


def from_catboost(saved: bytes, rounds: int | None = None) -> Forest:
    """The first trees (None: all) of a CatBoost model saved as JSON; its raw scores.

    Raises:
        LearnerError: for what is not read: trees that are not symmetric, category splits.
    """
    model = json.loads(saved)
    if "oblivious_trees" not in model:
        raise LearnerError("Only CatBoost's symmetric trees are read (grow_policy=SymmetricTree).")
    columns = np.array([f["flat_feature_index"] for f in model["features_info"]["float_features"]])
    # A missing value answers "x > border" with no, unless it was taken for the largest value.
    as_largest = np.array(
        [f["nan_value_treatment"] == "AsTrue" for f in model["features_info"]["float_features"]]
    )
    scale, offset = model["scale_and_bias"]
    bias = np.atleast_1d(np.asarray(offset, dtype=np.float64))
    trees = tuple(
        _read_tree(tree, columns, as_largest, len(bias))
        for tree in model["oblivious_trees"][:rounds]
    )
    scaled = Forest(trees, np.zeros(len(bias))).scaled(float(scale))
    return Forest(scaled.trees, bias)


def _read_tree(
    tree: dict[str, Any], columns: np.ndarray, as_largest: np.ndarray, outputs: int
) -> Tree:
    """A symmetric tree as a complete binary one: the children of node n are 2n+1 and 2n+2."""
    splits = tree["splits"] or []
    if any(split["split_type"] != "FloatFeature" for split in splits):
        raise LearnerError("A CatBoost tree with category splits is not read.")
    depth = len(splits)
    # The last question stands at the root, so that the leaves come in the order of their numbers:
    # question j is bit j of a leaf's number.
    asked = np.array([s["float_feature_index"] for s in reversed(splits)], dtype=np.int64)
    borders = floor_float32(np.array([s["border"] for s in reversed(splits)], dtype=np.float64))
    level = np.repeat(np.arange(depth), 2 ** np.arange(depth))
    inner, leaves = len(level), 2**depth
    own = np.arange(inner, inner + leaves)
    padding = np.zeros(leaves)
    node = np.arange(inner)
    values = np.array(tree["leaf_values"], dtype=np.float64).reshape(leaves, outputs)
    return Tree(
        feature=np.append(columns[asked][level], padding).astype(np.int64),
        threshold=np.append(borders[level], padding).astype(np.float32),
        left=np.append(2 * node + 1, own),
        right=np.append(2 * node + 2, own),
        missing_left=np.append(~as_largest[asked][level], padding).astype(bool),
        weights=np.concatenate([np.zeros((inner, outputs)), values]),
    )
