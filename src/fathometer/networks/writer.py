"""One pass over an exported program while it is written into a graph: what is known so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.fx import Node

from fathometer.errors import NetworkError
from fathometer.graph import Element, Graph

ELEMENTS = {
    torch.float32: Element.FLOAT,
    torch.float64: Element.DOUBLE,
    torch.int64: Element.INT64,
    torch.bool: Element.BOOL,
}


@dataclass
class Writer:
    """One pass over an exported program; a value is a tensor's name where it depends on the rows,
    else what torch computed."""

    graph: Graph
    rows: str  # a float tensor (rows, ·), for values that are repeated for every row
    values: dict[Node, object] = field(default_factory=dict)

    def tensor(self, value: object, dtype: torch.dtype | None = None) -> str:
        """The graph's tensor of an argument, cast to `dtype`."""
        known = self.values[value] if isinstance(value, Node) else value
        if isinstance(known, str):
            node = node_in(value)
            if dtype is None or dtype == dtype_of(node):
                return known
            return self.graph.cast(known, element(dtype, node))
        array = known if isinstance(known, Tensor) else torch.tensor(known)
        if dtype is not None or not isinstance(known, Tensor):
            array = array.to(dtype or torch.float32)
        return self.graph.constant(array.detach().cpu().numpy())

    def add(self, name: str, *inputs: object) -> str:
        """Apply an ONNX operator to arguments."""
        return self.graph.add(name, *(self.tensor(each) for each in inputs))

    def number(self, value: float) -> str:
        """A float constant."""
        return self.graph.constant(np.float32(value))

    def whole(self, *values: int) -> str:
        """A list of whole numbers."""
        return self.graph.constant(np.array(values, dtype=np.int64))

    def reshape(self, tensor: str, source: Node, node: Node) -> str:
        """To the shape of `node`; a size that varies with the rows is kept or left to be found."""
        before, after = shape_of(source), shape_of(node)
        sizes = []
        for place, size in enumerate(after):
            if isinstance(size, int):
                sizes.append(size)
            elif place < len(before) and str(before[place]) == str(size):
                sizes.append(0)
            else:
                sizes.append(-1)
        if sizes.count(-1) > 1:
            raise cannot_write(node, "it changes two sizes that vary with the rows")
        return self.graph.add("Reshape", tensor, self.whole(*sizes))

    def repeated(self, tensor: str, node: Node) -> str:
        """The tensor stretched to the shape of `node`, by adding zeros of that shape."""
        if dtype_of(node) != torch.float32:
            raise cannot_write(node, f"it repeats values of the type {dtype_of(node)}")
        shape = shape_of(node)
        zeros = self.graph.constant(np.zeros([s if isinstance(s, int) else 1 for s in shape], "f4"))
        places = [place for place, size in enumerate(shape) if not isinstance(size, int)]
        if places:
            if len(places) > 1 or str(shape[places[0]]) != str(self._row_count(node)):
                raise cannot_write(node, "it repeats values more often than there are rows")
            first = self.graph.add("Slice", self.rows, self.whole(0), self.whole(1), self.whole(1))
            none = self.graph.add("Mul", first, self.number(0.0))
            sizes = [0 if place == places[0] else 1 for place in range(len(shape))]
            if places[0] != 0:
                raise cannot_write(node, "its rows are not its first axis")
            zeros = self.graph.add(
                "Add", zeros, self.graph.add("Reshape", none, self.whole(*sizes))
            )
        return self.graph.add("Add", tensor, zeros)

    @staticmethod
    def _row_count(node: Node) -> object:
        inputs = [each for each in node.graph.nodes if each.op == "placeholder"]
        return next(s for each in inputs for s in shape_of(each) if not isinstance(s, int))


# How one operator is written, from its node.
Write = Callable[[Writer, Node], str]


def shape_of(node: Node) -> tuple[object, ...]:
    """The sizes of a node's tensor: whole numbers, or symbols where they vary with the rows."""
    return tuple(node.meta["val"].shape)


def dtype_of(node: Node) -> torch.dtype:
    """The element type of a node's tensor."""
    found: torch.dtype = node.meta["val"].dtype
    return found


def element(dtype: torch.dtype, node: Node) -> Element:
    """The graph's element type."""
    if dtype not in ELEMENTS:
        raise cannot_write(node, f"it makes values of the type {dtype}")
    return ELEMENTS[dtype]


def cannot_write(node: Node, why: str) -> NetworkError:
    """An operator without a twin, with the submodule that it stands in."""
    stack = node.meta.get("nn_module_stack") or {}
    path, kind = next(reversed(stack.values()), ("", ""))
    path = path.removeprefix("L['self']").strip(".")
    name = getattr(kind, "__name__", str(kind)).rpartition(".")[2]
    where = f'submodule "{path}" ({name})' if path else "the module"
    return NetworkError(
        f'{where} uses the operator "{node.target}", which a model file cannot hold: {why}.',
        details="written are: linear layers, activations, LayerNorm, softmax, attention, "
        "arithmetic, reductions, and whatever cuts, joins and reshapes",
    )


def node_in(argument: object) -> Node:
    """An argument that is a tensor's node.

    Raises:
        TypeError: if it is anything else; so do the two below.
    """
    if not isinstance(argument, Node):
        raise TypeError("not a tensor of the graph")
    return argument


def whole_in(argument: object) -> int:
    """An argument that is a whole number, and no size that varies with the rows."""
    if not isinstance(argument, int):
        raise TypeError("it varies with the rows")
    return argument


def wholes_in(argument: object) -> list[int]:
    """An argument that is a list of whole numbers."""
    if not isinstance(argument, Sequence):
        raise TypeError("not a list")
    return [whole_in(each) for each in argument]
