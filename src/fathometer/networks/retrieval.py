"""A network that answers from the rows it has learned: the nearer, the more each has to say.

ModernNCA ("Revisiting nearest neighbor for tabular data", Ye et al. 2025), after neighbourhood
components analysis (Goldberger et al. 2004): rows are embedded, and an answer is the mean of the
learned rows' own answers, weighted by exp(-distance) to their embeddings. While it learns, a batch
is compared with other rows drawn at random, which is stochastic and affordable; afterwards with all
that are remembered. Numbers enter through waves and one layer that all columns share (PLR-lite,
Gorishniy et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from fathometer.graph import Element, Graph, write_squared_distances
from fathometer.networks import layers
from fathometer.networks.network import (
    Dropout,
    Inputs,
    InputTensors,
    Parameters,
    Shape,
    keep_all,
)
from fathometer.networks.recalled import DISTANCES_AT_ONCE, SMOOTHING, Recalled
from fathometer.networks.stretches import stretches
from fathometer.networks.waves import QUARTER, Waves

WAVES, WAVE_WIDTH, FREQUENCY_SPREAD = 32, 8, 0.3
# Of all columns together: with hundreds of columns a step would take seconds. Columns that would
# get fewer than two have none.
MOST_WAVES = 512
SMALLEST_VARIANCE = 1e-5
LEAST_PROBABILITY = 1e-30  # a float32 whose logarithm is finite
FAR = 1e4  # from everything, in each coordinate: where there is no row to remember
NORMS = ("inner", "outer")
# Parameters that meet float32 inputs themselves.
ENTERING = frozenset({"frequency", layers.EMBEDDING})
MEMORY = frozenset(
    {
        *("keys", "values", "turn weight", "turn bias"),
        *(f"{name} {part}" for name in NORMS for part in ("centre", "scale")),
    }
)
# Scale columns by what is known of all learning rows, or of these; a norm's name says which.
Norm = Callable[[Tensor, str], Tensor]


@dataclass(frozen=True)
class Retrieval:
    """Embeddings of `size` numbers: a dense layer, and one block of `width` hidden units on it."""

    shape: Shape
    size: int = 128
    width: int = 256
    candidates: int = 2_048  # rows that a batch is compared with in a step, beside itself
    # Share of the variance of remembered rows, with the directions that hold it: most of 128, and
    # answers are as good (`benchmarks/retrieval.py`).
    left_out: float = 0.01

    @property
    def fixed(self) -> frozenset[str]:
        """What is remembered, which is there once the network has learned."""
        return MEMORY

    @property
    def waves(self) -> int:
        """Frequencies of each number; 0 where numbers enter as they are alone."""
        each = min(WAVES, MOST_WAVES // max(1, self.shape.numbers))
        return each if self.shape.numbers and each > 1 else 0

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Waves, embeddings of categories and dense layers from the generator; gains of 1."""
        shape, size = self.shape, self.size
        parameters = layers.start_joined(shape, generator)
        height = layers.joined_width(shape)
        if self.waves:
            weight, bias = layers.start_dense(2 * self.waves, WAVE_WIDTH, 1.0, generator)
            spread = FREQUENCY_SPREAD * torch.randn(shape.numbers, self.waves, generator=generator)
            parameters |= {"frequency": spread, "wave weight": weight, "wave bias": bias}
            height += shape.numbers * WAVE_WIDTH
        dense = {"enter": (height, size, 1.0), "widen": (size, self.width, 2**0.5)}
        dense["narrow"] = self.width, size, 1.0
        for name, (inputs, outputs, gain) in dense.items():
            weight, bias = layers.start_dense(inputs, outputs, gain, generator)
            parameters |= {f"{name} weight": weight, f"{name} bias": bias}
        for name in NORMS:
            parameters |= {f"{name} gain": torch.ones(size), f"{name} shift": torch.zeros(size)}
        return parameters

    def recall(
        self, parameters: Parameters, inputs: Inputs, target: Tensor, same: Tensor, drop: Dropout
    ) -> Tensor:
        """Answer for the first B of C learning rows from the others, (P, B, K).

        inputs (P, C, ·), target (P, C), same (P, B, C): where a row meets itself, whose answer it
        must not see. Columns are scaled by these rows."""
        embedded = self._embed(parameters, inputs, drop, of_these_rows)
        mean: Tensor = Recalled.apply(embedded, self._values(target), same)  # type: ignore[no-untyped-call]
        return self._outputs(mean)

    def memory(
        self, parameters: Parameters, learned: Sequence[tuple[Inputs, Tensor]]
    ) -> Parameters:
        """How columns are scaled, the embeddings (P, n, E) of the rows that are remembered, turned
        so that few coordinates suffice, and what the rows answer (P, n, K).

        learned: of each network the inputs (1, n, ·) and target (n,). Where n differs, rows far
        from everything fill up."""
        found = []
        for place, (inputs, target) in enumerate(learned):
            own = {name: tensor[place : place + 1] for name, tensor in parameters.items()}
            known = Parameters()

            def norm(x: Tensor, name: str, known: Parameters = known) -> Tensor:
                centre, scale = centre_and_scale(x)
                known.update({f"{name} centre": centre, f"{name} scale": scale})
                return (x - centre) * scale

            embedded = self._embed(own, inputs, keep_all, norm).double()
            weight, bias = turn(embedded, self.left_out)
            known |= {"turn weight": weight, "turn bias": bias}
            known["keys"] = layers.dense(embedded, weight, bias).float()
            known["values"] = self._values(target.unsqueeze(0))
            found.append(known)
        rows, width = (max(known["keys"].shape[axis] for known in found) for axis in (1, 2))
        alike = [filled_up(known, rows, width) for known in found]
        return {name: torch.cat([known[name] for known in alike]) for name in found[0]}

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values from what is remembered, (P, B, K)."""
        asked = self._asked(parameters, inputs, drop)
        keys, values = parameters["keys"].double(), parameters["values"].double()
        mean = asked.new_empty(*asked.shape[:2], values.shape[2])
        shape = *asked.shape[:2], keys.shape[1]
        for part in stretches(shape, DISTANCES_AT_ONCE, asked.device):
            nearness = -distances(asked[part], keys[part[0]])
            mean[part] = torch.mm(torch.softmax(nearness, dim=1), values[part[0]])
        return self._outputs(mean).float()

    def features(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Embeddings, (P, B, E)."""
        return self._asked(parameters, inputs, drop).float()

    def _asked(self, parameters: Parameters, inputs: Inputs, drop: Dropout) -> Tensor:
        """Turned embeddings of rows that are asked about, in double from where waves are added up:
        answers are sums over thousands of rows, and two programs are to agree on them."""
        parameters = {
            name: own if name in ENTERING else own.double() for name, own in parameters.items()
        }

        def norm(x: Tensor, name: str) -> Tensor:
            return (x - parameters[f"{name} centre"]) * parameters[f"{name} scale"]

        embedded = self._embed(parameters, inputs, drop, norm)
        return layers.dense(embedded, parameters["turn weight"], parameters["turn bias"])

    def _embed(self, parameters: Parameters, inputs: Inputs, drop: Dropout, norm: Norm) -> Tensor:
        """(P, B, size)."""

        def dense(x: Tensor, name: str) -> Tensor:
            return layers.dense(x, parameters[f"{name} weight"], parameters[f"{name} bias"])

        def normed(x: Tensor, name: str) -> Tensor:
            gain, shift = parameters[f"{name} gain"], parameters[f"{name} shift"]
            return norm(x, name) * gain.unsqueeze(1) + shift.unsqueeze(1)

        kind = parameters["enter weight"].dtype
        entering = layers.joined(inputs, parameters, self.shape.levels).to(kind)
        if self.waves:
            waves: Tensor = Waves.apply(inputs.numbers, parameters["frequency"])  # type: ignore[no-untyped-call]
            waves = waves.to(kind)
            own = torch.relu(dense(waves.flatten(1, 2), "wave")).view(*waves.shape[:3], WAVE_WIDTH)
            entering = torch.cat([entering, own.flatten(2)], dim=2)
        sums = dense(entering, "enter")
        hidden = drop(torch.relu(dense(normed(sums, "inner"), "widen")))
        return normed(sums + dense(hidden, "narrow"), "outer")

    def _values(self, target: Tensor) -> Tensor:
        """What learned rows answer, (P, C, K): classes as 0 and 1, values as they are."""
        outputs = self.shape.outputs
        return one_hot(target, outputs).float() if outputs > 1 else target.unsqueeze(2)

    def _outputs(self, mean: Tensor) -> Tensor:
        """Logits, or values, (P, B, K), of the weighted mean of what rows answer."""
        return mean if self.shape.outputs == 1 else mean.clamp(min=LEAST_PROBABILITY).log()

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K)."""
        wide = {name: own.astype(np.float64) for name, own in parameters.items() if name != "keys"}

        def dense(x: str, name: str) -> str:
            return layers.write_dense(graph, x, wide[f"{name} weight"], wide[f"{name} bias"])

        def normed(x: str, name: str) -> str:
            centred = graph.add("Sub", x, graph.constant(wide[f"{name} centre"]))
            scale = wide[f"{name} scale"] * wide[f"{name} gain"][:, None]
            scaled = graph.add("Mul", centred, graph.constant(scale))
            return graph.add("Add", scaled, graph.constant(wide[f"{name} shift"][:, None]))

        parts = [
            graph.cast(part, Element.DOUBLE)
            for part in layers.write_joined(graph, inputs, parameters, self.shape.levels)
        ]
        if inputs.numbers is not None and self.waves:
            waves = self._write_waves(graph, inputs.numbers, parameters["frequency"])
            own = graph.add("MatMul", waves, graph.constant(wide["wave weight"][:, None]))
            own = graph.add("Add", own, graph.constant(wide["wave bias"][:, None, None]))
            rows = graph.add("Transpose", graph.add("Relu", own), perm=[0, 2, 1, 3])
            width = self.shape.numbers * WAVE_WIDTH
            parts.append(graph.add("Reshape", rows, graph.constant(np.array([0, 0, width]))))
        sums = dense(graph.concat(parts, axis=2), "enter")
        hidden = graph.add("Relu", dense(normed(sums, "inner"), "widen"))
        embedded = normed(graph.add("Add", sums, dense(hidden, "narrow")), "outer")
        turned = dense(embedded, "turn")
        # One network after the other: all distances of all networks would take as many times the
        # memory, and a product this large gains nothing from a batch.
        answers = [
            self._write_recalled(graph, turned, parameters, member)
            for member in range(len(parameters["keys"]))
        ]
        return graph.concat(answers, axis=0)

    def _write_waves(self, graph: Graph, numbers: str, frequency: np.ndarray) -> str:
        """Cosines and sines of each column, (P, columns, rows, 2 · waves) in double."""
        # Columns come before rows: products do not broadcast over an axis of no rows.
        columns = graph.add("Transpose", numbers, perm=[0, 2, 1])
        columns = graph.add("Unsqueeze", columns, graph.constant(np.array([3])))
        turns = graph.add("Mul", columns, graph.constant(frequency[:, :, None]))
        quarter = graph.add("Sub", turns, graph.constant(np.float32(QUARTER)))
        both = graph.concat([turns, quarter], axis=3)
        part = graph.add("Sub", both, graph.add("Floor", both))
        waves = graph.add("Cos", graph.add("Mul", part, graph.constant(np.float32(2 * math.pi))))
        return graph.cast(waves, Element.DOUBLE)

    def _write_recalled(
        self, graph: Graph, turned: str, parameters: dict[str, np.ndarray], member: int
    ) -> str:
        """One network's answers, (1, rows, K)."""
        keys, values = parameters["keys"][member], parameters["values"][member]
        remembered = keys[:, 0] != FAR
        keys, values = keys[remembered], values[remembered]
        first = graph.constant(np.array([0]))
        own = graph.add("Gather", turned, graph.constant(np.array([member])), axis=0)
        squared = write_squared_distances(graph, graph.add("Squeeze", own, first), keys)
        smooth = graph.add("Add", squared, graph.constant(SMOOTHING))
        weights = graph.add("Softmax", graph.add("Neg", graph.add("Sqrt", smooth)), axis=1)
        mean = graph.add("MatMul", weights, self._write_values(graph, values))
        mean = graph.cast(graph.add("Unsqueeze", mean, first), Element.FLOAT)
        if self.shape.outputs == 1:
            return mean
        least = graph.constant(np.float32(LEAST_PROBABILITY))
        return graph.add("Log", graph.add("Max", mean, least))

    def _write_values(self, graph: Graph, values: np.ndarray) -> str:
        """What remembered rows answer, (rows, K) in double; classes are stored as their places."""
        if self.shape.outputs == 1:
            return graph.cast(graph.constant(values), Element.DOUBLE)
        places, classes = values.argmax(axis=1)[:, None], np.arange(self.shape.outputs)
        is_own = graph.add("Equal", graph.constant(places), graph.constant(classes[None]))
        return graph.cast(is_own, Element.DOUBLE)


def centre_and_scale(x: Tensor) -> tuple[Tensor, Tensor]:
    """Each column's mean over these rows and 1 / its deviation, (P, 1, H) each."""
    centre = x.mean(dim=1, keepdim=True)
    variance = (x - centre).square().mean(dim=1, keepdim=True)
    return centre, (variance + SMALLEST_VARIANCE).rsqrt()


def of_these_rows(x: Tensor, _: str) -> Tensor:
    """Columns scaled by the rows at hand (batch normalisation, Ioffe & Szegedy 2015)."""
    centre, scale = centre_and_scale(x)
    return (x - centre) * scale


def filled_up(known: Parameters, rows: int, width: int) -> Parameters:
    """What one network remembers, as so many rows of so many coordinates: rows that are FAR, and
    coordinates that are 0."""
    missing, further = rows - known["keys"].shape[1], width - known["keys"].shape[2]
    wider = {name: pad(known[name], (0, further)) for name in ("keys", "turn weight", "turn bias")}
    return known | {
        **wider,
        "keys": pad(wider["keys"], (0, 0, 0, missing), value=FAR),
        "values": pad(known["values"], (0, 0, 0, missing)),
    }


def turn(embedded: Tensor, left_out: float) -> tuple[Tensor, Tensor]:
    """A dense layer, (1, size, E) and (1, E), that turns embeddings (1, n, size) about their mean
    so that E coordinates hold all their variance but this share."""
    rows = embedded[0]
    middle = rows.mean(dim=0)
    apart = rows - middle
    spread = apart.T @ apart
    if not spread.isfinite().all():  # of a network that diverged; its answers will say so
        spread = torch.zeros_like(spread)
    held, directions = torch.linalg.eigh(spread)  # ascending
    share = held.clamp(min=0.0).cumsum(dim=0)
    kept = share > left_out * share[-1]
    kept[-1] = True  # where all rows are equal
    weight = directions[:, kept]
    return weight.unsqueeze(0), -(middle @ weight).unsqueeze(0)


def distances(rows: Tensor, keys: Tensor) -> Tensor:
    """Euclidean distances, smooth near 0, of rows (B, E) to keys (C, E); (B, C)."""
    length = keys.square().sum(dim=1)
    apart = torch.addmm(length, rows, keys.T, alpha=-2.0)
    apart = apart.add_(rows.square().sum(dim=1, keepdim=True))
    return apart.clamp_(min=0.0).add_(SMOOTHING).sqrt_()
