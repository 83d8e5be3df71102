"""A declared network on inputs of a known shape: the value of `declaration` made to answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import gelu, mish, silu

from fathometer.errors import NetworkError
from fathometer.graph import Graph
from fathometer.networks import layers
from fathometer.networks.declaration import ALL, INPUTS, OUTPUT, Declaration, Layer
from fathometer.networks.gelu import write_gelu
from fathometer.networks.layers import Activation, WriteActivation
from fathometer.networks.network import (
    Dropout,
    Inputs,
    InputTensors,
    Parameters,
    Shape,
    keep_all,
)


def _write_tanh(graph: Graph, x: str) -> str:
    return graph.add("Tanh", x)


def _write_mish(graph: Graph, x: str) -> str:
    """x · tanh(softplus(x)) (Misra 2019)."""
    return graph.add("Mul", x, graph.add("Tanh", graph.add("Softplus", x)))


# Each activation, its twin, and the gain of the weights before it: He's for those that let about
# half pass, else those of `torch.nn.init.calculate_gain`.
ACTIVATIONS: Mapping[str, tuple[Activation, WriteActivation, float]] = {
    "relu": (torch.relu, layers.write_relu, math.sqrt(2)),
    "silu": (silu, layers.write_silu, math.sqrt(2)),
    "gelu": (gelu, write_gelu, math.sqrt(2)),
    "mish": (mish, _write_mish, math.sqrt(2)),
    "tanh": (torch.tanh, _write_tanh, 5 / 3),
    "identity": (lambda x: x, lambda graph, x: x, 1.0),
}


@dataclass(frozen=True)
class DeclaredNetwork:
    """A declaration for inputs of one shape.

    Raises:
        NetworkError: if a layer would read nothing of these inputs, or a pattern goes beyond them.
    """

    shape: Shape
    declaration: Declaration

    def __post_init__(self) -> None:
        for layer in self.declaration.layers:
            width = self.width_read(layer.reads)
            where = f'layer "{layer.name}"'
            if not width:
                raise NetworkError(
                    f"{where} reads {_quoted(layer.reads)}, of which this table has none."
                )
            most = max((start for start, _ in layer.pattern or ()), default=0)
            if most >= width:
                raise NetworkError(
                    f"{where} has a connection from {most} in its pattern, but what it reads "
                    f"({_quoted(layer.reads)}) is numbered 0 to {width - 1}."
                )
        output = self.declaration.output
        if not self.width_read(output):
            raise NetworkError(f"the output reads {_quoted(output)}, of which this table has none.")

    @property
    def fixed(self) -> frozenset[str]:
        """The bins, which are quantiles of the learning rows, and the patterns of connections."""
        sparse = (f"{layer.name}.mask" for layer in self.declaration.layers if layer.is_sparse)
        return layers.BINS.union(sparse)

    @cached_property
    def widths(self) -> dict[str, int]:
        """Columns of each input and units of each layer, by name."""
        shape = self.shape
        return {
            "numbers": shape.numbers,
            "flags": shape.flags,
            "encoded": shape.numbers * self.declaration.bins,
            "categories": layers.EMBEDDING_WIDTH * len(shape.levels),
            **{layer.name: layer.units for layer in self.declaration.layers},
        }

    def sources(self, reads: Sequence[str]) -> tuple[str, ...]:
        """What is read, "all" spelled out, without what this shape does not have."""
        spelled = [each for name in reads for each in (INPUTS if name == ALL else (name,))]
        return tuple(name for name in dict.fromkeys(spelled) if self.widths[name])

    def width_read(self, reads: Sequence[str]) -> int:
        """Columns of all that is read, side by side."""
        return sum(self.widths[name] for name in self.sources(reads))

    def connections(self, layer: Layer) -> int:
        """How many of a layer's weights are not left out."""
        if layer.is_sparse:
            return int(self.mask(layer).sum())
        return self.width_read(layer.reads) * layer.units

    @property
    def embedding_size(self) -> int:
        """Numbers in one network's table of embeddings."""
        return layers.EMBEDDING_WIDTH * sum(self.shape.levels)

    @cached_property
    def parameter_count(self) -> int:
        """Trained parameters of one network, without the weights that are left out."""
        each = (self.connections(layer) + layer.units for layer in self.declaration.layers)
        last = (self.width_read(self.declaration.output) + 1) * self.shape.outputs
        read = "categories" in self.sources(tuple(self.declaration.inputs))
        return sum(each) + last + (self.embedding_size if read else 0)

    def mask(self, layer: Layer) -> np.ndarray:
        """1 where an input reaches a unit, else 0; (inputs, units) float32."""
        inputs = self.width_read(layer.reads)
        mask = np.zeros((inputs, layer.units), dtype=np.float32)
        if layer.pattern is not None:
            mask[tuple(np.array(layer.pattern).T)] = 1.0
        else:
            # The name takes part, so that two layers of one shape are not connected alike.
            draw = np.random.default_rng([layer.pattern_seed, crc32(layer.name.encode())])
            reached = max(1, round((layer.density or 1.0) * inputs))
            order = draw.random((inputs, layer.units)).argsort(axis=0)
            np.put_along_axis(mask, order[:reached], 1.0, axis=0)
        return mask

    def start(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows, patterns from their own seeds, all else from the generator."""
        parameters, used = Parameters(), self.sources(tuple(self.declaration.inputs))
        if "encoded" in used:
            edges = layers.quantile_edges(numbers, self.declaration.bins)
            parameters["left"], parameters["slope"] = layers.bins_between(edges)
        if "categories" in used:
            parameters[layers.EMBEDDING] = layers.start_embedding(self.shape.levels, generator)
        for layer in self.declaration.in_order:
            inputs, gain = self.width_read(layer.reads), ACTIVATIONS[layer.activation][2]
            weight, bias = layers.start_dense(inputs, layer.units, gain, generator)
            if layer.is_sparse:
                mask = torch.from_numpy(self.mask(layer))
                # As wide as if the inputs that reach a unit were all that there are.
                weight = weight * mask * (inputs / mask.sum(dim=0).clamp(min=1)).sqrt()
                parameters[f"{layer.name}.mask"] = mask
            parameters |= {f"{layer.name}.weight": weight, f"{layer.name}.bias": bias}
        inputs = self.width_read(self.declaration.output)
        weight, bias = layers.start_dense(inputs, self.shape.outputs, 1.0, generator)
        return parameters | {f"{OUTPUT}.weight": weight, f"{OUTPUT}.bias": bias}

    def forward(self, parameters: Parameters, inputs: Inputs, drop: Dropout = keep_all) -> Tensor:
        """Logits or standardised values, (P, B, K)."""
        values = {"numbers": inputs.numbers, "flags": inputs.flags}
        if "left" in parameters:
            left, slope = parameters["left"], parameters["slope"]
            values["encoded"] = layers.piecewise(inputs.numbers, left, slope)
        if layers.EMBEDDING in parameters:
            table = parameters[layers.EMBEDDING]
            values["categories"] = layers.embed(inputs.codes, table, self.shape.levels)

        def dense(name: str, reads: Sequence[str]) -> Tensor:
            parts = [values[source] for source in self.sources(reads)]
            weight = parameters[f"{name}.weight"]
            if f"{name}.mask" in parameters:
                weight = weight * parameters[f"{name}.mask"]
            x = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
            return layers.dense(x, weight, parameters[f"{name}.bias"])

        for layer in self.declaration.in_order:
            activate = ACTIVATIONS[layer.activation][0]
            hidden = activate(dense(layer.name, layer.reads))
            if layer.dropout:
                hidden = drop(hidden)
            for name in layer.adds:
                hidden = hidden + values[name]
            values[layer.name] = hidden
        return dense(OUTPUT, self.declaration.output)

    def write(self, graph: Graph, parameters: dict[str, np.ndarray], inputs: InputTensors) -> str:
        """The twin of `forward`, (P, rows, K); patterns are multiplied into the weights."""
        values = {"numbers": inputs.numbers or "", "flags": inputs.flags or ""}
        if "left" in parameters and inputs.numbers is not None:
            left, slope = parameters["left"], parameters["slope"]
            values["encoded"] = layers.write_piecewise(graph, inputs.numbers, left, slope)
        if layers.EMBEDDING in parameters and inputs.codes is not None:
            table, levels = parameters[layers.EMBEDDING], self.shape.levels
            values["categories"] = layers.write_embed(graph, inputs.codes, table, levels)

        def dense(name: str, reads: Sequence[str]) -> str:
            weight = parameters[f"{name}.weight"]
            if f"{name}.mask" in parameters:
                weight = weight * parameters[f"{name}.mask"]
            x = graph.concat([values[source] for source in self.sources(reads)], axis=2)
            return layers.write_dense(graph, x, weight, parameters[f"{name}.bias"])

        for layer in self.declaration.in_order:
            write_activation = ACTIVATIONS[layer.activation][1]
            hidden = write_activation(graph, dense(layer.name, layer.reads))
            for name in layer.adds:
                hidden = graph.add("Add", hidden, values[name])
            values[layer.name] = hidden
        return dense(OUTPUT, self.declaration.output)

    def draw(self) -> str:
        """The layers as a table: what each reads, its shape and its parameters."""
        from fathometer.networks.drawing import draw_declared

        return draw_declared(self)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
