"""What training a population of networks leaves: weighted groups of networks, and their graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.features.learned import LearnedRoad, NetworkInputs, NetworkTensors
from fathometer.graph import Element, Graph
from fathometer.learners.contract import Account, Family, Prediction
from fathometer.table.kind import ColumnSpec
from fathometer.table.table import Table
from fathometer.table.task import Task

if TYPE_CHECKING:
    import torch

    from fathometer.networks.network import Inputs, Network

ROWS_AT_ONCE = 4096  # rows of one forward pass when predicting


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Each fold's standardisation of a regression target, and the range it has seen; (F,) each."""

    mean: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_logarithmic: bool = False  # mean and spread are those of ln(1 + value)

    def take(self, folds: Sequence[int]) -> TargetScale:
        """The scales of these folds, shaped (P, 1, 1)."""
        each = (self.mean, self.spread, self.low, self.high)
        mean, spread, low, high = (values[list(folds)].reshape(-1, 1, 1) for values in each)
        return TargetScale(mean, spread, low, high, self.is_logarithmic)

    def restore(self, values: np.ndarray) -> np.ndarray:
        """From standardised values back to the target's unit, within the range seen; float64."""
        restored = values.astype(np.float64) * self.spread + self.mean
        if self.is_logarithmic:
            restored = np.exp(restored) - 1.0
        return np.asarray(np.clip(restored, self.low, self.high))

    def write(self, graph: Graph, values: str) -> str:
        """The twin of `restore`."""
        wide = graph.cast(values, Element.DOUBLE)
        scaled = graph.add("Mul", wide, graph.constant(self.spread))
        moved = graph.add("Add", scaled, graph.constant(self.mean))
        if self.is_logarithmic:
            moved = graph.add("Sub", graph.add("Exp", moved), graph.constant(1.0))
        above = graph.add("Max", moved, graph.constant(self.low))
        return graph.add("Min", above, graph.constant(self.high))


def fit_target_scale(
    target: np.ndarray, folds: Sequence[np.ndarray], *, logarithmic: bool = False
) -> TargetScale:
    """Standardise on each fold's learning rows alone; folds hold places in `target`.

    logarithmic: standardise ln(1 + value); the target must not be negative."""
    own = [target[rows] for rows in folds]
    low, high = np.array([v.min() for v in own]), np.array([v.max() for v in own])
    if logarithmic:
        own = [np.log1p(values) for values in own]
    spread = np.array([values.std() for values in own])
    spread = np.where(spread > 0, spread, 1.0)
    mean = np.array([values.mean() for values in own])
    return TargetScale(mean, spread, low, high, logarithmic)


def scores(outputs: torch.Tensor, scale: TargetScale | None) -> np.ndarray:
    """Probabilities, or values in the target's unit, of each member; (P, rows, K) float64."""
    if scale is None:
        return outputs.softmax(dim=2).double().numpy()
    return scale.restore(outputs.numpy())


def as_inputs(encoded: NetworkInputs) -> Inputs:
    """Encoded rows as tensors, sharing memory."""
    import torch

    from fathometer.networks.network import Inputs

    return Inputs(
        torch.from_numpy(encoded.numbers),
        torch.from_numpy(encoded.flags),
        torch.from_numpy(encoded.codes),
    )


@dataclass(frozen=True, eq=False)
class Group:
    """The trained networks of one setting, a batched program of their own."""

    network: Network
    parameters: dict[str, np.ndarray]  # (P, ...) each
    folds: tuple[int, ...]  # each member's fold
    scale: TargetScale | None  # regression only, (P, 1, 1)
    weight: float  # in the model's answer; all groups' add up to 1

    def predict(self, inputs: Inputs) -> np.ndarray:
        """The mean of the members' answers from inputs of all folds; (rows, outputs) float64."""
        import torch

        parameters = {name: torch.from_numpy(array) for name, array in self.parameters.items()}
        with torch.no_grad():
            outputs = self.network.forward(parameters, inputs.members(self.folds))
        return np.asarray(scores(outputs, self.scale).mean(axis=0))

    def write(self, graph: Graph, encoded: NetworkTensors) -> str:
        """The twin of `predict`: batched products over the group's members."""
        from fathometer.networks.network import InputTensors

        folds = graph.constant(np.array(self.folds, dtype=np.int64))
        own = [
            None if tensor is None else graph.add("Gather", tensor, folds, axis=0)
            for tensor in (encoded.numbers, encoded.flags, encoded.codes)
        ]
        outputs = self.network.write(graph, self.parameters, InputTensors(*own))
        if self.scale is None:
            answers = graph.add("Softmax", outputs, axis=2)
        else:
            answers = self.scale.write(graph, outputs)
        return graph.add("ReduceMean", answers, graph.constant(np.array([0])), keepdims=0)


@dataclass(frozen=True, eq=False)
class NetworkModel:
    """Trained groups of networks; the answer is the weighted mean of theirs."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    out_of_fold: np.ndarray
    account: Account
    road: LearnedRoad
    groups: tuple[Group, ...]
    family: ClassVar[Family] = Family.DEEP

    def predict(self, table: Table) -> Prediction:
        """Answer for every row, in float32 but for a regression's last step and the mean."""
        parts = [np.zeros((0, self.task.outputs))]
        for first in range(0, len(table), ROWS_AT_ONCE):
            rows = np.arange(first, min(first + ROWS_AT_ONCE, len(table)))
            inputs = as_inputs(self.road.inputs(table.rows(rows)))
            answers = [group.weight * group.predict(inputs) for group in self.groups]
            parts.append(np.sum(answers, axis=0))
        return Prediction(self.task, np.concatenate(parts))

    def learned_features(self, table: Table) -> tuple[np.ndarray, ...]:
        """What the last layer of each fold's network sees, (rows, width) float32 each; of the
        group with the largest weight whose networks tell. Empty where none does."""
        import torch

        from fathometer.networks.network import Featured

        telling = [group for group in self.groups if isinstance(group.network, Featured)]
        if not telling:
            return ()
        group = max(telling, key=lambda one: one.weight)
        firsts = [group.folds.index(fold) for fold in range(max(group.folds) + 1)]
        parameters = {n: torch.from_numpy(own[firsts]) for n, own in group.parameters.items()}
        inputs = as_inputs(self.road.inputs(table)).members([group.folds[at] for at in firsts])
        with torch.no_grad():
            found = group.network.features(parameters, inputs)  # type: ignore[attr-defined]
        return tuple(each.numpy() for each in found)

    def write(self, graph: Graph) -> str:
        """One graph for all groups, which share the road."""
        encoded = self.road.write(graph)
        total = ""
        for group in self.groups:
            answers = group.write(graph, encoded)
            if len(self.groups) > 1:
                kind = np.float32 if group.scale is None else np.float64
                answers = graph.add("Mul", answers, graph.constant(kind(group.weight)))
            total = graph.add("Add", total, answers) if total else answers
        return total
