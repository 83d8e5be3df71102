"""scikit-learn's trees: what a decision tree and a forest of voters have in common.

A voter's leaf holds class shares or a mean, so answers are averaged as they are, without a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from fathometer.features.recipe import Recipe
from fathometer.graph import Element, Graph
from fathometer.learners.contract import Account, Family, Prediction
from fathometer.learners.forest import Forest, Tree, floor_float32
from fathometer.table.kind import ColumnSpec
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    from sklearn.tree._tree import Tree as SklearnTree


class Estimator(Protocol):
    """A fitted scikit-learn tree or forest, classifier or regressor."""

    @property
    def classes_(self) -> np.ndarray: ...

    def predict(self, matrix: np.ndarray) -> np.ndarray: ...

    def predict_proba(self, matrix: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Ballot:
    """How votes become answers.

    No voter is surer than its rows allow: `rows` training rows of K classes give no class less than
    1 / (rows + K) (Laplace's rule of succession), or one wrong row would cost an endless log loss.
    The order of rows and classes stays the same. Values are learned standardised."""

    task: Task
    rows: int
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def floor(self) -> float:
        """The least probability of a class."""
        return 1.0 / (self.rows + self.task.outputs)

    def target(self, encoded: np.ndarray) -> np.ndarray:
        """What an estimator learns: class places, or standardised values."""
        if self.task.kind is TaskKind.CLASSIFY:
            return encoded
        return (encoded - self.mean) / self.deviation

    def count(self, estimator: Estimator, matrix: np.ndarray) -> np.ndarray:
        """Scores (rows, outputs) float64 of a float32 matrix (rows, features)."""
        if self.task.kind is TaskKind.REGRESS:
            return (estimator.predict(matrix) * self.deviation + self.mean)[:, None]
        shares = np.zeros((len(matrix), self.task.outputs))
        # A class that the training rows lack has no share.
        shares[:, estimator.classes_.astype(np.int64)] = estimator.predict_proba(matrix)
        return self.tempered(shares)

    def tempered(self, shares: np.ndarray) -> np.ndarray:
        """Class shares (rows, outputs), held above the floor."""
        return np.asarray(shares * (1.0 - self.task.outputs * self.floor) + self.floor)

    def forest(self, trees: tuple[Tree, ...]) -> Forest:
        """The forest of an estimator's trees that answers with scores, not raw votes."""
        votes = Forest(trees, np.zeros(trees[0].weights.shape[1])).scaled(1.0 / len(trees))
        if self.task.kind is TaskKind.REGRESS:
            return Forest(votes.scaled(self.deviation).trees, np.array([self.mean]))
        scaled = votes.scaled(1.0 - self.task.outputs * self.floor)
        return Forest(scaled.trees, np.full(votes.outputs, self.floor))


def fit_ballot(task: Task, encoded: np.ndarray) -> Ballot:
    """The ballot for these training targets."""
    if task.kind is TaskKind.CLASSIFY:
        return Ballot(task, len(encoded))
    deviation = float(encoded.std())
    return Ballot(task, len(encoded), float(encoded.mean()), deviation if deviation > 0 else 1.0)


@dataclass(frozen=True, eq=False)
class VotedModel:
    """A scikit-learn tree or forest over a recipe."""

    columns: tuple[ColumnSpec, ...]
    ballot: Ballot
    recipe: Recipe
    estimator: Estimator
    out_of_fold: np.ndarray
    account: Account
    family: ClassVar[Family] = Family.TRADITIONAL

    @property
    def task(self) -> Task:
        return self.ballot.task

    def predict(self, table: Table) -> Prediction:
        """Answer by scikit-learn itself, not by the forest that is written."""
        scores = self.ballot.count(self.estimator, self.recipe.matrix(table))
        return Prediction(self.task, scores)

    def write(self, graph: Graph) -> str:
        """The recipe and the trees; of two classes only the second is stored."""
        forest = self.ballot.forest(from_sklearn(self.estimator, self.task))
        scores = forest.write(graph, self.recipe.write(graph))
        if self.task.kind is TaskKind.REGRESS:
            return scores
        if self.task.outputs == 2:
            first = graph.add("Sub", graph.constant(np.float64(1.0)), scores)
            scores = graph.concat([first, scores])
        return graph.cast(scores, Element.FLOAT)


def from_sklearn(estimator: Estimator, task: Task) -> tuple[Tree, ...]:
    """The trees of a scikit-learn tree or forest; a leaf weighs its class shares or its mean.

    With two classes only the second has a weight. Shapes: see `Tree`."""
    members = getattr(estimator, "estimators_", [estimator])
    if task.kind is TaskKind.REGRESS:
        return tuple(_read_tree(member.tree_, member.tree_.value[:, 0, :]) for member in members)
    classes = estimator.classes_.astype(np.int64)
    trees = []
    for member in members:
        value = member.tree_.value[:, 0, :]
        shares = np.zeros((len(value), task.outputs))
        shares[:, classes] = value / value.sum(axis=1, keepdims=True)
        trees.append(_read_tree(member.tree_, shares[:, 1:] if task.outputs == 2 else shares))
    return tuple(trees)


def _read_tree(tree: SklearnTree, weights: np.ndarray) -> Tree:
    own, leaf = np.arange(tree.node_count), tree.children_left < 0
    return Tree(
        feature=np.where(leaf, 0, tree.feature).astype(np.int64),
        threshold=np.where(leaf, np.float32(0), floor_float32(tree.threshold)),
        left=np.where(leaf, own, tree.children_left),
        right=np.where(leaf, own, tree.children_right),
        missing_left=tree.missing_go_to_left.astype(bool) & ~leaf,
        weights=np.where(leaf[:, None], weights, 0.0),
    )
