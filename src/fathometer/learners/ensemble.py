"""Both together: a weighted mean of fitted models, its weights found greedily out of fold.

Caruana et al. 2004. The models' graphs merge into one, sharing the preprocessing they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.learners.contract import Account, Family, Prediction
from fathometer.learners.mixture import ROUNDS, cross_mixed
from fathometer.table.kind import ColumnSpec
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind


class Part(Protocol):
    """What can be mixed: a fitted model, or a shipped one."""

    def predict(self, table: Table) -> Prediction: ...

    def write(self, graph: Graph) -> str: ...


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A Model composed of Models."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    members: tuple[Part, ...]
    names: tuple[str, ...]  # of the members
    weights: tuple[float, ...]  # add up to 1
    out_of_fold: np.ndarray
    account: Account
    family: ClassVar[Family] = Family.BOTH

    def predict(self, table: Table) -> Prediction:
        scores = [
            weight * member.predict(table).scores
            for member, weight in zip(self.members, self.weights, strict=True)
        ]
        return Prediction(self.task, np.sum(scores, axis=0))

    def write(self, graph: Graph) -> str:
        total = ""
        for member, weight in zip(self.members, self.weights, strict=True):
            wide = graph.cast(member.write(graph), Element.DOUBLE)
            part = graph.add("Mul", wide, graph.constant(weight))
            total = graph.add("Add", total, part) if total else part
        regress = self.task.kind is TaskKind.REGRESS
        return total if regress else graph.cast(total, Element.FLOAT)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model that may enter the mixture, with its out-of-fold scores."""

    name: str
    part: Part
    out_of_fold: np.ndarray  # (len(split.train), outputs)


def combine(
    candidates: Sequence[Candidate],
    task: Task,
    columns: tuple[ColumnSpec, ...],
    truth: np.ndarray,
    split: Split,
) -> Ensemble:
    """The greedy weighted mean of these models.

    Each fold's out-of-fold scores are mixed by weights found on the other folds' rows, so that
    they stay honest; the shipped weights are found on all of them.

    Args:
        truth: (len(split.train),) the target, encoded.
    """
    stacked = np.stack([candidate.out_of_fold for candidate in candidates])
    out_of_fold, weights = cross_mixed(stacked, truth, task, split)
    used = np.flatnonzero(weights)
    by_weight = used[np.argsort(-weights[used], kind="stable")]
    words = " + ".join(f"{weights[place]:.0%} {candidates[int(place)].name}" for place in by_weight)
    return Ensemble(
        task,
        columns,
        tuple(candidates[int(place)].part for place in used),
        tuple(candidates[int(place)].name for place in used),
        tuple(float(weights[place]) for place in used),
        out_of_fold,
        Account(ROUNDS, 0, words),
    )
