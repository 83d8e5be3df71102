"""XGBoost: boosted trees grown level by level on histograms (Chen and Guestrin, 2016)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fathometer.errors import LearnerError
from fathometer.learners.boosted import BoostedModel, Lesson, fit_boosted, need
from fathometer.learners.contract import UNLIMITED, Budget, Family
from fathometer.learners.crossfit import Watch
from fathometer.learners.forest import Forest, Tree, below_float32
from fathometer.learners.tree_portfolio import configurations
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task

if TYPE_CHECKING:
    import xgboost


@dataclass(frozen=True)
class XGBoost:
    """XGBoost with the tuned defaults of pytabkit (Holzmüller et al., 2024), not the library's."""

    rounds: int = 1000
    learning_rate: float = 0.08
    patience: int = 100
    depth: int = 6
    smallest_leaf: float = 1.0  # sum of curvatures, which is rows where values are asked
    subsample: float = 0.65  # of the rows, drawn anew for each round
    column_share: float = 1.0  # of the columns, drawn anew for each question
    l2: float = 1.0
    crosses: bool = False  # of columns, see `features/crosses`
    configurations: int = 1  # tried; see `tree_portfolio`
    threads: int = 2  # folds grown side by side; the result is the same
    seed: int = 0
    name: str = "XGBoost"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> BoostedModel:
        """Grow one booster a fold; see `boosted.fit_boosted`."""
        need("xgboost", self.name)
        return fit_boosted(configurations(self), table, task, split, budget=budget)

    def grow(self, lesson: Lesson, watch: Watch) -> XGBoostBooster:
        """Add rounds until `watch` says stop."""
        import xgboost

        class Told(xgboost.callback.TrainingCallback):  # type: ignore[misc]
            def after_iteration(self, model: object, epoch: int, evals_log: Any) -> bool:
                (losses,) = evals_log["watched"].values()
                return not watch.goes_on(losses[-1])

        learn = xgboost.DMatrix(lesson.learn, lesson.learn_target, nthread=1)
        watched = xgboost.DMatrix(lesson.watch, lesson.watch_target, nthread=1)
        booster = xgboost.train(
            self._settings(lesson),
            learn,
            self.rounds,
            evals=[(watched, "watched")],
            callbacks=[Told()],
            verbose_eval=False,
        )
        return XGBoostBooster(booster, self.threads)

    def _settings(self, lesson: Lesson) -> dict[str, object]:
        values = lesson.classes == 0
        objective = "binary:logistic" if lesson.classes == 2 else "multi:softprob"
        settings = {
            "objective": "reg:squarederror" if values else objective,
            # The fold's own mean: 0, that of all rows, would tell of the rows it is scored on.
            "base_score": float(lesson.learn_target.mean()) if values else 0.5,
            "learning_rate": self.learning_rate,
            "max_depth": self.depth,
            "subsample": self.subsample,
            "colsample_bynode": self.column_share,
            "lambda": self.l2,
            "min_child_weight": self.smallest_leaf,
            "tree_method": "hist",
            "nthread": 1,  # see crossfit.grow_side_by_side
            "seed": lesson.seed,
            "verbosity": 0,
        }
        return settings | ({"num_class": lesson.classes} if lesson.classes > 2 else {})


@dataclass(frozen=True, eq=False)
class XGBoostBooster:
    """XGBoost's own booster."""

    booster: xgboost.Booster
    threads: int

    def margins(self, matrix: np.ndarray, rounds: int) -> np.ndarray:
        """Raw scores of the first rounds; (rows, margins) float64."""
        import xgboost

        rows = xgboost.DMatrix(matrix, nthread=self.threads)
        scores = self.booster.predict(rows, output_margin=True, iteration_range=(0, rounds))
        return np.asarray(scores, dtype=np.float64).reshape(len(matrix), -1)

    def forest(self, rounds: int) -> Forest:
        """The first rounds as a forest."""
        return from_xgboost(bytes(self.booster[:rounds].save_raw("json")))


def from_xgboost(saved: bytes) -> Forest:
    """The trees of an XGBoost model saved as JSON; its raw scores.

    XGBoost sends `x < threshold` left and adds up in float32, so it differs from its own forest by
    its own rounding: about 1e-7 of the score times the root of the rounds.

    Raises:
        LearnerError: for what a forest cannot say: another booster than gbtree, category splits.
    """
    learner = json.loads(saved)["learner"]
    if learner["gradient_booster"]["name"] != "gbtree":
        name = learner["gradient_booster"]["name"]
        raise LearnerError(f"XGBoost's booster {name} is not read, only gbtree.")
    model = learner["gradient_booster"]["model"]
    outputs = max(int(learner["learner_model_param"]["num_class"]), 1)
    trees = tuple(
        _read_tree(tree, int(output))
        for tree, output in zip(model["trees"], model["tree_info"], strict=True)
    )
    return Forest(trees, np.broadcast_to(_offset(learner), (outputs,)).copy())


def _offset(learner: dict[str, Any]) -> np.ndarray:
    """The intercept on the margin's scale: one number, or since XGBoost 3.1 one a class."""
    score = np.atleast_1d(json.loads(learner["learner_model_param"]["base_score"]))
    score = np.asarray(score, dtype=np.float64)
    if learner["objective"]["name"] in ("binary:logistic", "reg:logistic"):
        return np.asarray(np.log(score) - np.log1p(-score))
    return score


def _read_tree(tree: dict[str, Any], output: int) -> Tree:
    if any(tree["split_type"]):
        raise LearnerError("An XGBoost tree with category splits is not read.")
    left, right = (np.array(tree[f"{side}_children"], dtype=np.int64) for side in ("left", "right"))
    own, leaf = np.arange(len(left)), left < 0
    # In leaves the same array holds the leaf's weight.
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    return Tree(
        feature=np.where(leaf, 0, np.array(tree["split_indices"], dtype=np.int64)),
        threshold=np.where(leaf, np.float32(0), below_float32(conditions)),
        left=np.where(leaf, own, left),
        right=np.where(leaf, own, right),
        missing_left=np.array(tree["default_left"], dtype=bool) & ~leaf,
        weights=np.where(leaf, conditions, 0.0).astype(np.float64)[:, None],
        output=output,
    )
