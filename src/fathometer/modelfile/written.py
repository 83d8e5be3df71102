"""A finished graph, read backwards: which node makes a tensor, and what is constant in it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.graph import tensor_array

if TYPE_CHECKING:
    import onnx

# Operators whose every output element comes from one element of each input. `LabelEncoder` and
# `RegexFullMatch` take one input.
ELEMENTWISE = """
Abs Add And Cast Clip Div Equal Floor Greater GreaterOrEqual Identity IsNaN LabelEncoder Less
LessOrEqual Max Min Mod Mul Neg Not Or RegexFullMatch StringConcat Sub Where
"""


class Written:
    """The nodes and constants of a model by the names of their tensors."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes = tuple(model.graph.node)
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.inputs = {port.name for port in model.graph.input}
        self.makers = {name: node for node in self.nodes for name in node.output}
        self.uses = Counter(name for node in self.nodes for name in node.input)
        self.ends = [self.makers[port.name] for port in model.graph.output]
        self._arrays: dict[str, np.ndarray] = {}

    def array(self, name: str) -> np.ndarray:
        """A constant's values; strings as objects."""
        if name not in self._arrays:
            self._arrays[name] = tensor_array(self.constants[name])
        return self._arrays[name]

    def constant(self, name: str) -> np.ndarray | None:
        """A constant's values, None for what is computed."""
        return self.array(name) if name in self.constants else None

    def made_by(self, name: str, operator: str) -> onnx.NodeProto | None:
        """The node that makes a tensor, if it applies this operator."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == operator else None

    def width(self, name: str) -> int | None:
        """The columns of a (rows, columns) tensor, None where they cannot be told."""
        node = self.makers.get(name)
        if name in self.inputs:
            return 1
        if node is None:
            return None
        if node.op_type in ELEMENTWISE.split():
            found = [self._broadcast(each) for each in node.input]
            known = [width for width in found if width is not None]
            return max(known) if len(known) == len(found) else None
        if node.op_type == "Gather" and attribute(node, "axis") == 1:
            places = self.constant(node.input[1])
            return len(places) if places is not None and places.ndim == 1 else None
        if node.op_type == "TfIdfVectorizer":
            return int(attribute(node, "ngram_indexes").max()) + 1
        if node.op_type == "MatMul":
            weights = self.constant(node.input[1])
            return weights.shape[1] if weights is not None and weights.ndim == 2 else None
        if node.op_type == "Squeeze":
            rows = self.made_by(node.input[0], "Gather")
            table = self.constant(rows.input[0]) if rows else None
            return table.shape[1] if table is not None and table.ndim == 2 else None
        if node.op_type == "Concat" and attribute(node, "axis") == 1:
            widths = [self.width(each) for each in node.input]
            known = [width for width in widths if width is not None]
            return sum(known) if len(known) == len(widths) else None
        return None

    def _broadcast(self, name: str) -> int | None:
        """The columns of an operand; of a constant, its last axis."""
        if name in self.constants:
            return self.array(name).shape[-1] if self.array(name).ndim else 1
        return self.width(name)


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    """One attribute of a node: an int, a float, bytes, an array, or a list of strings."""
    from onnx import AttributeProto, numpy_helper

    for each in node.attribute:
        if each.name == name:
            if each.type == AttributeProto.TENSOR:
                return numpy_helper.to_array(each.t)
            if each.type == AttributeProto.INTS:
                return np.array(each.ints, dtype=np.int64)
            if each.type == AttributeProto.STRINGS:
                return [text.decode() for text in each.strings]
            if each.type == AttributeProto.STRING:
                return each.s.decode()
            return each.i if each.type == AttributeProto.INT else each.f
    return default
