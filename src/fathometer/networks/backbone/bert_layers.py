"""The layers of BERT, in forms that onnxruntime recognises and computes as one operator each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fathometer.graph import Graph
from fathometer.networks.gelu import write_gelu, write_gelu_by_tanh


@dataclass(frozen=True, eq=False)
class Dense:
    """A product and a bias."""

    weight: np.ndarray  # (in, out) float32
    bias: np.ndarray  # (out,)

    @property
    def parameters(self) -> int:
        return self.weight.size + self.bias.size

    def write(self, graph: Graph, stream: str) -> str:
        """(rows, T, in) to (rows, T, out)."""
        product = graph.add("MatMul", stream, graph.constant(self.weight))
        return graph.add("Add", product, graph.constant(self.bias))


@dataclass(frozen=True, eq=False)
class Norm:
    """Layer normalisation (Ba et al., arXiv 1607.06450)."""

    scale: np.ndarray  # (width,) float32
    shift: np.ndarray
    epsilon: float

    @property
    def parameters(self) -> int:
        return self.scale.size + self.shift.size

    def write(self, graph: Graph, stream: str) -> str:
        """(rows, T, width)."""
        axis = graph.constant(np.array([-1]))
        mean = graph.add("ReduceMean", stream, axis, keepdims=1)
        away = graph.add("Sub", stream, mean)
        squared = graph.add("Pow", away, graph.constant(np.float32(2)))
        spread = graph.add("ReduceMean", squared, axis, keepdims=1)
        spread = graph.add("Add", spread, graph.constant(np.float32(self.epsilon)))
        scaled = graph.add("Div", away, graph.add("Sqrt", spread))
        scaled = graph.add("Mul", scaled, graph.constant(self.scale))
        return graph.add("Add", scaled, graph.constant(self.shift))


@dataclass(frozen=True, eq=False)
class Block:
    """Attention, then a dense step for each token; after both the sum with what came in is
    normalised."""

    heads: int
    query: Dense
    key: Dense
    value: Dense
    told: Dense
    norm: Norm
    raised: Dense
    lowered: Dense
    last_norm: Norm
    activation: str

    @property
    def parameters(self) -> int:
        dense = (self.query, self.key, self.value, self.told, self.raised, self.lowered)
        return sum(each.parameters for each in (*dense, self.norm, self.last_norm))

    @property
    def _each(self) -> int:
        """The width of a head."""
        return len(self.query.bias) // self.heads

    def write(self, graph: Graph, stream: str, unseen: str) -> str:
        """(rows, T, width); unseen float (rows, 1, 1, T): 0, and very negative where there is no
        token."""
        # The query is scaled instead of the scores: it is smaller.
        scale = np.float32(self._each**-0.5)
        small = Dense(self.query.weight * scale, self.query.bias * scale)
        query = self._write_heads(graph, small.write(graph, stream), [0, 2, 1, 3])
        key = self._write_heads(graph, self.key.write(graph, stream), [0, 2, 3, 1])
        value = self._write_heads(graph, self.value.write(graph, stream), [0, 2, 1, 3])
        scores = graph.add("Add", graph.add("MatMul", query, key), unseen)
        seen = graph.add("MatMul", graph.add("Softmax", scores, axis=3), value)
        turned = graph.add("Transpose", seen, perm=[0, 2, 1, 3])
        width = self.heads * self._each
        joined = graph.add("Reshape", turned, graph.constant(np.array([0, -1, width])))
        stream = self.norm.write(graph, graph.add("Add", stream, self.told.write(graph, joined)))
        raised = ACTIVATIONS[self.activation](graph, self.raised.write(graph, stream))
        lowered = self.lowered.write(graph, raised)
        return self.last_norm.write(graph, graph.add("Add", stream, lowered))

    def _write_heads(self, graph: Graph, product: str, order: list[int]) -> str:
        """(rows, T, width) to (rows, heads, T, each), or its last two axes the other way round."""
        shape = graph.constant(np.array([0, -1, self.heads, self._each]))
        return graph.add("Transpose", graph.add("Reshape", product, shape), perm=order)


def _write_relu(graph: Graph, x: str) -> str:
    return graph.add("Relu", x)


# By the names of configurations.
ACTIVATIONS: Mapping[str, Callable[[Graph, str], str]] = {
    "gelu": write_gelu,
    "gelu_new": write_gelu_by_tanh,
    "gelu_pytorch_tanh": write_gelu_by_tanh,
    "relu": _write_relu,
}
