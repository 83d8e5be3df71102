"""A finished graph → one with fewer nodes that gives the same answers, and gives them sooner.

For one row a node costs about as much as the arithmetic in it, so the folds of a model and the
members of an ensemble, which each write their own preparation and their own trees, are drawn
together: `lookups` reads each category column once for all of them, `forests` grows the trees of
all folds in one node over one matrix. Here the graph is replayed with those two rules; what no
output needs any more is left out. Knows operators, nothing of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fathometer.graph import Element, Graph
from fathometer.modelfile.forests import Forests
from fathometer.modelfile.lookups import Lookups
from fathometer.modelfile.written import Written

if TYPE_CHECKING:
    import onnx


def lean(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model in fewer nodes; metadata, if there are any, are not carried over."""
    written, graph = Written(model), Graph()
    renamed = {"": ""} | {port.name: port.name for port in model.graph.input}
    for port in model.graph.input:
        graph.declare(port)
    lookups = Lookups(written, graph)
    forests = Forests(written, graph, lookups)
    kept = [n for n in written.nodes if not forests.covers(n) and not n.name.startswith("/out/")]
    for node in kept:
        if node.output[0] not in forests.later:
            _write(node, written, graph, lookups, renamed)
    forests.prepare(renamed)
    for node in kept:
        tensor = forests.write(node)
        if tensor is not None:
            renamed[node.output[0]] = tensor
        elif node.output[0] in forests.later:
            _write(node, written, graph, lookups, renamed)
    outputs = {}
    for port, node in zip(model.graph.output, written.ends, strict=True):
        kind = port.type.tensor_type
        sizes = [size.dim_value for size in kind.shape.dim]
        width = sizes[1] if len(sizes) == 2 else None
        outputs[port.name] = (renamed[node.input[0]], Element(kind.elem_type), width)
    return graph.finish(outputs)


def _write(
    node: onnx.NodeProto,
    written: Written,
    graph: Graph,
    lookups: Lookups,
    renamed: dict[str, str],
) -> None:
    """Write one node as a lookup, or as it is."""
    tensor = lookups.write(node, renamed)
    if tensor is not None:
        renamed[node.output[0]] = tensor
        return
    for name in node.input:
        if name in written.constants:
            renamed[name] = graph.again(name, written.array(name))
    inputs = [renamed[name] for name in node.input]
    renamed.update(zip(node.output, graph.copy(node, inputs), strict=True))
