"""A decision tree small enough to read: grown large, then pruned by cross-validation (CART).

Cost-complexity pruning after Breiman, Friedman, Olshen and Stone, "Classification and Regression
Trees" (1984), with their one-standard-error rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fathometer.errors import OutOfTimeError
from fathometer.features.roads import FittedRecipe, Road, feature_specs, fit_recipe
from fathometer.learners.contract import UNLIMITED, Account, Budget, Family, Progress
from fathometer.learners.rules import rules
from fathometer.learners.voted import Ballot, VotedModel, fit_ballot
from fathometer.table.metric import METRICS
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind

if TYPE_CHECKING:
    from sklearn.tree._tree import Tree as SklearnTree


@dataclass(frozen=True)
class DecisionTree:
    """One tree of few rules; how few is chosen by cross-validation on the task's metric."""

    most_leaves: int = 50  # more cannot be read
    smallest_leaf: int = 5  # rows
    grown_leaves: int = 256  # before pruning
    seed: int = 0
    name: str = "decision tree"
    family: ClassVar[Family] = Family.TRADITIONAL

    def fit(
        self, table: Table, task: Task, split: Split, *, budget: Budget = UNLIMITED
    ) -> VotedModel:
        """Grow, choose the penalty over the folds, prune.

        Raises:
            OutOfTimeError: if the time is up before the folds are done.
        """
        encoded = task.encode(table[task.target])
        ballot = fit_ballot(task, encoded[split.teaching])
        target = ballot.target(encoded)
        fitted = fit_recipe(Road.TREES, table, task, split.teaching, seed=self.seed)
        grown = self._grow(task, fitted, target[split.teaching], penalty=0.0)
        penalties = candidate_penalties(grown.tree_, self.most_leaves)
        held_out = []  # for each fold (penalties, rows, outputs)
        for fold in range(len(split.folds)):
            if budget.spent:
                raise OutOfTimeError(f"The time was up after {fold} of {len(split.folds)} folds.")
            budget.report(Progress(fold / len(split.folds), f"fold {fold + 1}/{len(split.folds)}"))
            held_out.append(self._held_out(table, split, fold, ballot, penalties))
        losses = _losses(task, encoded, split, held_out)
        chosen = one_standard_error(losses)
        pruned = self._grow(task, fitted, target[split.teaching], penalty=float(penalties[chosen]))
        out_of_fold = np.empty((len(split.train), task.outputs))
        for fold, rows in enumerate(split.folds):
            # The other folds choose, so that no row has a say in how it is scored.
            others = np.delete(losses, fold, axis=0) if len(losses) > 1 else losses
            out_of_fold[split.places(rows)] = held_out[fold][one_standard_error(others)]
        account = Account(
            configurations=len(penalties),
            fits=len(split.folds) + 2,  # grown whole, and pruned
            chosen=f"{pruned.get_n_leaves()} leaves, penalty {penalties[chosen]:.3g}",
            reads_as=_counted(pruned.get_n_leaves()),
            reading=rules(pruned, fitted.recipe, ballot),
        )
        columns = feature_specs(table, task)
        return VotedModel(columns, ballot, fitted.recipe, pruned, out_of_fold, account)

    def _grow(self, task: Task, fitted: FittedRecipe, target: np.ndarray, penalty: float) -> Any:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeRegressor if task.kind is TaskKind.REGRESS else DecisionTreeClassifier
        return kind(
            min_samples_leaf=self.smallest_leaf,
            max_leaf_nodes=self.grown_leaves,
            ccp_alpha=penalty,
            random_state=self.seed,
        ).fit(fitted.training, target)

    def _held_out(
        self, table: Table, split: Split, fold: int, ballot: Ballot, penalties: np.ndarray
    ) -> np.ndarray:
        """Scores of a fold's validation rows at every penalty; (penalties, rows, outputs)."""
        task = ballot.task
        learn, validation = split.fold_rows(fold)
        fitted = fit_recipe(Road.TREES, table, task, learn, seed=self.seed)
        target = ballot.target(task.encode(table[task.target]))
        grown = self._grow(task, fitted, target[learn], penalty=0.0)
        leaves = grown.apply(fitted.recipe.matrix(table.rows(validation)))
        answers = _node_answers(grown, ballot)
        breaking = breaking_penalties(grown.tree_)
        return np.stack(
            [answers[standing_for(grown.tree_, breaking, p)[leaves]] for p in penalties]
        )


def breaking_penalties(tree: SklearnTree) -> np.ndarray:
    """At which penalty each inner node becomes a leaf or falls with an ancestor; 0 for leaves.

    Weakest-link pruning: the node whose leaves gain least per leaf falls first. Shape (nodes,)."""
    left, right = tree.children_left, tree.children_right
    parent = _parents(tree)
    risk = tree.impurity * tree.weighted_n_node_samples / tree.weighted_n_node_samples[0]
    leaf_risk, leaves = risk.copy(), np.ones(len(risk))
    for node in range(len(risk) - 1, -1, -1):  # children have higher numbers than their parents
        if left[node] >= 0:
            leaf_risk[node] = leaf_risk[left[node]] + leaf_risk[right[node]]
            leaves[node] = leaves[left[node]] + leaves[right[node]]
    breaking, standing, penalty = np.zeros(len(risk)), left >= 0, 0.0
    while standing.any():
        gain = np.where(standing, (risk - leaf_risk) / np.maximum(leaves - 1, 1), np.inf)
        weakest = int(gain.argmin())
        penalty = max(penalty, float(gain[weakest]))
        fallen = [weakest]
        while fallen:
            node = fallen.pop()
            if standing[node]:
                standing[node], breaking[node] = False, penalty
                fallen += [int(left[node]), int(right[node])]
        lost_risk, lost_leaves = risk[weakest] - leaf_risk[weakest], leaves[weakest] - 1
        node = weakest
        while node >= 0:
            leaf_risk[node] += lost_risk
            leaves[node] -= lost_leaves
            node = parent[node]
    return breaking


def _parents(tree: SklearnTree) -> np.ndarray:
    """(nodes,) int64, -1 for the root."""
    parent = np.full(tree.node_count, -1, dtype=np.int64)
    inner = np.flatnonzero(tree.children_left >= 0)
    parent[tree.children_left[inner]] = inner
    parent[tree.children_right[inner]] = inner
    return parent


def standing_for(tree: SklearnTree, breaking: np.ndarray, penalty: float) -> np.ndarray:
    """(nodes,) the node that answers in each node's place once the tree is pruned."""
    answering = np.arange(tree.node_count)
    parent = _parents(tree)
    for node in range(1, tree.node_count):
        if breaking[parent[node]] <= penalty:
            answering[node] = answering[parent[node]]
    return answering


def candidate_penalties(tree: SklearnTree, most_leaves: int) -> np.ndarray:
    """One penalty for each pruned tree of at most `most_leaves` leaves, ascending.

    Between two breaking points the tree is the same; their geometric mean stands for both."""
    breaking = breaking_penalties(tree)
    inner = breaking[tree.children_left >= 0]
    points = np.unique(np.append(inner, 0.0))
    leaves = np.array([1 + int((inner > point).sum()) for point in points])
    middles = np.sqrt(points * np.append(points[1:], points[-1:] * 4.0))
    # A tree that stays at penalty 0 is kept by half of the first breaking point, not by 0.
    middles[0] = 0.0 if len(points) == 1 else points[1] / 2.0
    return np.asarray(middles[leaves <= most_leaves])


def one_standard_error(losses: np.ndarray) -> int:
    """The last candidate within one standard error of the best one; losses (folds, candidates)."""
    # A fold of one class has no ROC AUC: it says nothing. Where none has, all are as good.
    told = ~np.isnan(losses).any(axis=1)
    known = losses[told] if told.any() else np.zeros_like(losses)
    mean = known.mean(axis=0)
    best = int(mean.argmin())
    folds = len(known)
    error = known[:, best].std(ddof=1) / np.sqrt(folds) if folds > 1 else 0.0
    return int(np.flatnonzero(mean <= mean[best] + error)[-1])


def _node_answers(estimator: Any, ballot: Ballot) -> np.ndarray:
    """Scores (nodes, outputs) that each node would give, were it a leaf."""
    value = estimator.tree_.value[:, 0, :]
    if ballot.task.kind is TaskKind.REGRESS:
        return np.asarray(value * ballot.deviation + ballot.mean)
    shares = np.zeros((len(value), ballot.task.outputs))
    shares[:, estimator.classes_.astype(np.int64)] = value / value.sum(axis=1, keepdims=True)
    return ballot.tempered(shares)


def _losses(
    task: Task, encoded: np.ndarray, split: Split, held_out: list[np.ndarray]
) -> np.ndarray:
    """The task's loss of every fold at every penalty; (folds, penalties)."""
    loss = METRICS[task.metric].loss
    return np.array(
        [
            [loss(encoded[rows], scores) for scores in fold]
            for fold, rows in zip(held_out, split.folds, strict=True)
        ]
    )


def _counted(leaves: int) -> str:
    return "1 rule" if leaves == 1 else f"{leaves} rules"
