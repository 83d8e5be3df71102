"""What training raw networks leaves: one network for each fold and seed, and their graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.features.raw_road import RawStep
from fathometer.graph import Graph
from fathometer.learners.contract import Account, Family, Prediction
from fathometer.learners.network_model import TargetScale, scores
from fathometer.table.kind import ColumnSpec
from fathometer.table.table import Table
from fathometer.table.task import Task

if TYPE_CHECKING:
    import torch

    from fathometer.networks.raw.fusion import RawNet

ROWS_AT_ONCE = 256  # rows of one forward pass when predicting


@dataclass(frozen=True, eq=False)
class RawModel:
    """Raw networks; the answer is the mean of theirs."""

    task: Task
    columns: tuple[ColumnSpec, ...]
    out_of_fold: np.ndarray
    account: Account
    steps: tuple[RawStep, ...]
    nets: tuple[RawNet, ...]  # in evaluation mode
    folds: tuple[int, ...]  # each network's
    scale: TargetScale | None  # regression only, (P, 1, 1)
    factor: float = 1.0  # of the logits; 1 for values
    family: ClassVar[Family] = Family.DEEP

    def predict(self, table: Table) -> Prediction:
        """Answer for every row, in float32 but for a regression's last step and the mean."""
        import torch

        def answered(raws: Sequence[list[torch.Tensor]]) -> np.ndarray:
            each = [net(own) for net, own in zip(self.nets, raws, strict=True)]
            return np.asarray(scores(torch.stack(each) * self.factor, self.scale).mean(axis=0))

        none = np.zeros((0, self.task.outputs))
        return Prediction(self.task, np.concatenate([none, *self._asked(table, answered)]))

    def learned_features(self, table: Table) -> tuple[np.ndarray, ...]:
        """What the head of each fold's first network sees, (rows, width) float32 each.

        Rows that a network learned from look easier to it than others: what is learned from these
        features must respect the folds."""
        import torch

        firsts = [self.folds.index(fold) for fold in range(max(self.folds) + 1)]

        def seen(raws: Sequence[list[torch.Tensor]]) -> np.ndarray:
            each = [self.nets[place].features(raws[place]) for place in firsts]
            return np.asarray(torch.stack(each))

        width = self.nets[0].head.in_features
        none = np.zeros((len(firsts), 0, width), dtype=np.float32)
        return tuple(np.concatenate([none, *self._asked(table, seen)], axis=1))

    def _asked(
        self, table: Table, ask: Callable[[Sequence[list[torch.Tensor]]], np.ndarray]
    ) -> list[np.ndarray]:
        """What is answered to each network's raw columns, some rows at a time on every core."""
        import torch

        from fathometer.population.train import one_thread_an_operator

        def of_some(first: int) -> np.ndarray:
            own = table.rows(np.arange(first, min(first + ROWS_AT_ONCE, len(table))))
            of_fold = {fold: tensors(self.steps, own, fold) for fold in set(self.folds)}
            with torch.inference_mode():
                return ask([of_fold[fold] for fold in self.folds])

        with one_thread_an_operator() as cores, ThreadPoolExecutor(cores) as pool:
            return list(pool.map(of_some, range(0, len(table), ROWS_AT_ONCE)))

    def write(self, graph: Graph) -> str:
        """One graph for all networks, which share what their folds do not change."""
        first = graph.constant(np.array([0]))
        outputs = []
        for net, fold in zip(self.nets, self.folds, strict=True):
            raws = [step.write(graph, fold) for step in self.steps]
            outputs.append(graph.add("Unsqueeze", net.write(graph, raws), first))
        stacked = graph.concat(outputs, axis=0)
        if self.scale is None:
            stretched = graph.add("Mul", stacked, graph.constant(np.float32(self.factor)))
            answers = graph.add("Softmax", stretched, axis=2)
        else:
            answers = self.scale.write(graph, stacked)
        return graph.add("ReduceMean", answers, first, keepdims=0)


def tensors(steps: Sequence[RawStep], table: Table, fold: int) -> list[torch.Tensor]:
    """The raw columns as one fold's network takes them."""
    import torch

    from fathometer.population.pupil import channels_first

    return [channels_first(torch.from_numpy(step.values(table, fold))) for step in steps]
