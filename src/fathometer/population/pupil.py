"""One raw network while it is trained: its rows, its weights, its generators."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from fathometer.networks.raw.encoder import RawTraining, Visit
from fathometer.networks.raw.fusion import RawNet
from fathometer.population.moved import Moved, array_of
from fathometer.population.precision import casting

CHUNK = 512  # rows of one forward pass outside training
LEAST_BATCH = 16  # batch norm needs some
# Rows that epochs are compared by, the same in each: differences between epochs are told well
# before all rows are asked.
MOST_VALIDATED = 2_500


@dataclass(frozen=True, eq=False)
class SoloLessons:
    """What raw networks are taught from: each raw column's rows, targets, and the folds' rows.

    Pictures are stored uint8 (N, height, width, channels), which is a channels-last (N, channels,
    height, width) when its axes are turned."""

    raws: tuple[tuple[Tensor, ...], ...]  # for each fold, each raw column's (N, ...)
    target: Tensor  # (F, N): int64 classes, or float32 standardised values
    learning: tuple[Tensor, ...]  # for each fold, the rows it learns from, int64 on the CPU
    validation: tuple[Tensor, ...]
    classify: bool

    @property
    def is_cuda(self) -> bool:
        return self.target.is_cuda

    def take(self, fold: int, rows: Tensor) -> list[Tensor]:
        """Each raw column's values in these rows, pictures with channels first."""
        own = rows.to(self.target.device)
        return [channels_first(raw.index_select(0, own)) for raw in self.raws[fold]]


def channels_first(raw: Tensor) -> Tensor:
    """Pictures (B, height, width, channels) as (B, channels, height, width), not copied; other
    raw values as they are."""
    return raw.permute(0, 3, 1, 2) if raw.dim() == 4 else raw


class Pupil:
    """A network that learns its fold's rows an epoch at a time, on the thread that asks it to."""

    def __init__(
        self, lessons: SoloLessons, fold: int, seed: int, net: RawNet, training: RawTraining
    ) -> None:
        self._lessons, self._fold, self._training = lessons, fold, training
        self._rows = lessons.learning[fold]
        device = lessons.target.device
        self._net = net.to(device)
        for parameter in net.parameters():
            if parameter.dim() == 4:  # kernels lie as pictures do
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self._net.prepare(lessons.take(fold, self._rows), self._target(self._rows))
        self._batch = min(training.batch, max(LEAST_BATCH, len(self._rows) // 8))
        least_steps = min(training.least_steps, training.least_rows // self._batch)
        least = math.ceil(least_steps / training.epochs)
        self._steps = max(len(self._rows) // self._batch, least, 1)  # of an epoch
        self._planned = self._steps * training.epochs
        self.is_shortened = False
        self._shown = torch.Generator().manual_seed(2 * seed)  # orders and augmentations
        self._dropped = torch.Generator(device).manual_seed(2 * seed + 1)
        self._net.draw_from(self._dropped)
        self._casting = casting(device, wanted=training.casts)
        self._moved = [Moved(rate, weights) for rate, weights in self._net.groups() if weights]
        self.epoch = 0

    def _target(self, rows: Tensor) -> Tensor:
        return self._lessons.target[self._fold, rows.to(self._lessons.target.device)]

    def learn_epoch(self, goes_on: Callable[[], bool]) -> float | None:
        """Take the steps of an epoch and validate; None if `goes_on` said no on the way."""
        # A network that has learned all there is has gradients below what float32 holds in full;
        # a core is ten times slower at those. For this thread.
        torch.set_flush_denormal(True)
        self._net.train()
        order = self._order()
        for step in range(self._steps):
            rows = order[step * self._batch : (step + 1) * self._batch]
            self._learn(rows, self.epoch * self._steps + step)
            if not goes_on():
                return None
        loss = self.validate()
        self.epoch += 1
        return loss

    def _order(self) -> Tensor:
        """The rows of an epoch's batches; small tables are passed over several times."""
        needed, drawn = self._steps * self._batch, []
        while needed > 0:
            drawn.append(self._rows[torch.randperm(len(self._rows), generator=self._shown)])
            needed -= len(self._rows)
        return torch.cat(drawn)

    def _learn(self, rows: Tensor, step: int) -> None:
        visit = Visit(rows, self.epoch, self._shown)
        raws = self._net.augment(self._lessons.take(self._fold, rows), visit)
        for parameter in self._net.parameters():
            parameter.grad = None
        with self._casting:
            outputs = self._net(raws)
        smoothing = self._training.label_smoothing
        torch.autograd.backward(self._loss(outputs.float(), self._target(rows), smoothing))
        pace = self._pace(step)
        for moved in self._moved:
            moved.step(pace)

    def _loss(self, outputs: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
        if self._lessons.classify:
            return cross_entropy(outputs, target, label_smoothing=smoothing)
        return mse_loss(outputs.squeeze(1), target)

    def _pace(self, step: int) -> float:
        """Share of the highest learning rate: up through the warm-up, then down to 0 at the end."""
        rising = self._training.warm_up * self._steps * self._training.epochs
        if step < rising:
            return (step + 1) / (rising + 1)
        return max(0.0, (self._planned - step) / (self._planned - rising))

    def shorten(self, epochs: int) -> None:
        """Let the schedule end after so many epochs."""
        self.is_shortened = True
        self._planned = self._steps * epochs

    def validate(self) -> float:
        """The mean loss on some of the fold's validation rows, enough to compare epochs by."""
        every = self._lessons.validation[self._fold]
        rows = every[:: math.ceil(len(every) / MOST_VALIDATED)]
        self._net.look_once(once=True)
        loss = float(self._loss(self._outputs(rows), self._target(rows)).double())
        self._net.look_once(once=False)
        return loss

    @torch.no_grad()
    def _outputs(self, rows: Tensor) -> Tensor:
        self._net.eval()
        found = [self._net(self._lessons.take(self._fold, own)) for own in torch.split(rows, CHUNK)]
        return torch.cat(found)

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of the present weights and statistics, by name."""
        return {name: array_of(tensor) for name, tensor in self._net.state_dict().items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """All that changes, for a checkpoint."""
        found = {f"net.{name}": array for name, array in self.weights().items()}
        for place, moved in enumerate(self._moved):
            found |= {f"moved.{place}.{name}": array for name, array in moved.arrays().items()}
        found["shown"] = array_of(self._shown.get_state())
        found["dropped"] = array_of(self._dropped.get_state())
        found["epoch"] = np.array([self.epoch, self._planned, self.is_shortened])
        return found

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from a checkpoint."""
        self._load(under(arrays, "net."))
        for place, moved in enumerate(self._moved):
            moved.restore(under(arrays, f"moved.{place}."))
        self._shown.set_state(torch.from_numpy(arrays["shown"]))
        self._dropped.set_state(torch.from_numpy(arrays["dropped"]))
        self.epoch, self._planned = int(arrays["epoch"][0]), int(arrays["epoch"][1])
        self.is_shortened = bool(arrays["epoch"][2])

    def _load(self, weights: Mapping[str, np.ndarray]) -> None:
        self._net.load_state_dict({name: torch.from_numpy(own) for name, own in weights.items()})

    def graduate(self, weights: Mapping[str, np.ndarray]) -> tuple[RawNet, Tensor]:
        """The network with these weights on the CPU, and its outputs on its validation rows."""
        self._load(weights)
        outputs = self._outputs(self._lessons.validation[self._fold]).cpu()
        self._net.draw_from(torch.Generator())
        return self._net.cpu().eval(), outputs


def under(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose name begins so, by the rest of their names."""
    return {n.removeprefix(prefix): own for n, own in arrays.items() if n.startswith(prefix)}
