"""An exported torch module written into a graph, node by node.

Torch's own exporters are not used. Both write operators that a model file may not hold (Shape,
Expand, LayerNormalization), and the newer one the paths and source lines of the module as well.
Here everything that does not depend on the rows is computed first, so that shapes, transposed
weights and masks become constants; what is left is written from the table in `operators`."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.fx import Node

from fathometer.graph import Graph
from fathometer.networks.operators import TWINS
from fathometer.networks.writer import Writer, cannot_write, node_in, whole_in, wholes_in

if TYPE_CHECKING:
    from torch.export import ExportedProgram


def write_exported(
    graph: Graph, program: ExportedProgram, constants: Mapping[str, Tensor], rows: str
) -> str:
    """Write an exported module's graph; returns its output, a float tensor (rows, K).

    Args:
        constants: its parameters, buffers and constants, by the names of its signature.
        rows: the tensor that is its one input.

    Raises:
        NetworkError: if it uses an operator that has no twin; the message names it.
    """
    writer = Writer(graph, rows)
    specs = {spec.arg.name: spec.target for spec in program.graph_signature.input_specs}
    for node in program.graph.nodes:
        if node.op == "placeholder":
            target = specs[node.name]
            writer.values[node] = rows if target is None else constants[target]
        elif node.op == "output":
            return writer.tensor(node.args[0][0], torch.float32)
        else:
            writer.values[node] = _value(writer, node)
    raise AssertionError("an exported graph ends with its output")


def _value(writer: Writer, node: Node) -> object:
    """What a node comes to: computed where nothing in it depends on the rows, else written."""
    known = [_known(writer, each) for each in (*node.args, *node.kwargs.values())]
    if all(known) and callable(node.target):

        def computed_of(each: Node) -> Any:
            return writer.values[each]

        args = torch.fx.node.map_arg(node.args, computed_of)
        named = torch.fx.node.map_arg(node.kwargs, computed_of)
        with torch.no_grad():
            return node.target(*args, **named)
    if not isinstance(node.meta.get("val"), Tensor | tuple | list):
        return node.meta.get("val")  # a size; where it is needed, it is read from the shapes
    if node.target is operator.getitem:
        source, place = node_in(node.args[0]), whole_in(node.args[1])
        computed = writer.values[source]
        if isinstance(computed, tuple | list):
            return computed[place]
        if str(source.target) == "aten.split_with_sizes.default":
            return _part(writer, source, place)
        if place == 0:
            return computed
        raise cannot_write(source, "its first result alone is written")
    if str(node.target) == "aten.split_with_sizes.default":
        return None  # written part by part
    write = TWINS.get(str(node.target))
    if write is None:
        raise cannot_write(node, "it has no twin there")
    try:
        return write(writer, node)
    except TypeError as error:
        raise cannot_write(node, f"one of its arguments does not fit: {error}") from error


def _part(w: Writer, source: Node, place: int) -> str:
    """One part of a tensor that is split."""
    sizes = wholes_in(source.args[1])
    axis = whole_in(source.args[2]) if len(source.args) > 2 else 0
    start = sum(sizes[:place])
    bounds = w.whole(start), w.whole(start + sizes[place]), w.whole(axis)
    return w.graph.add("Slice", w.tensor(source.args[0]), *bounds)


def _known(writer: Writer, argument: object) -> bool:
    """Whether an argument depends neither on the rows nor on how many there are."""
    if isinstance(argument, Node):
        value = writer.values[argument]
        return isinstance(value, Tensor | int | float | bool)
    if isinstance(argument, list | tuple):
        return all(_known(writer, each) for each in argument)
    return not isinstance(argument, torch.SymInt)
