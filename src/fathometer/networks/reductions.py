"""Twins of the operators that gather whole axes: sums, extremes, norms and what they make."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch.fx import Node

from fathometer.networks.writer import (
    Write,
    Writer,
    cannot_write,
    dtype_of,
    node_in,
    shape_of,
    whole_in,
    wholes_in,
)


def _axes(node: Node, place: int = 1) -> list[int]:
    """The axes that an argument names: one, some, or all where it names none."""
    given = node.args[place] if len(node.args) > place else None
    if isinstance(given, int):
        return [given]
    return wholes_in(given) if given else list(range(len(shape_of(node_in(node.args[0])))))


def _kept(node: Node, place: int = 2) -> int:
    """Whether the axes stay, with a size of 1."""
    return int(len(node.args) > place and bool(node.args[place]))


def _reduced(name: str) -> Write:
    """Over some axes, or all of them."""

    def write(w: Writer, node: Node) -> str:
        tensor = w.tensor(node.args[0], dtype_of(node))
        return w.graph.add(name, tensor, w.whole(*_axes(node)), keepdims=_kept(node))

    return write


def _lowest(w: Writer, node: Node) -> str:
    turned = w.graph.add("Neg", w.tensor(node.args[0]))
    found = w.graph.add("ReduceMax", turned, w.whole(*_axes(node)), keepdims=_kept(node))
    return w.graph.add("Neg", found)


def _highest_of(w: Writer, node: Node) -> str:
    """The first result of `max` along an axis; the places are not written."""
    axis = w.whole(*_axes(node))
    return w.graph.add("ReduceMax", w.tensor(node.args[0]), axis, keepdims=_kept(node))


def _norm(w: Writer, node: Node) -> str:
    order = node.args[1] if len(node.args) > 1 else 2
    if order != 2:
        raise cannot_write(node, f"it is a norm of order {order}")
    tensor, axes = w.tensor(node.args[0]), w.whole(*_axes(node, 2))
    return w.graph.add("ReduceL2", tensor, axes, keepdims=_kept(node, 3))


def _variance(w: Writer, node: Node) -> str:
    source, axes = node_in(node.args[0]), _axes(node)
    count = math.prod(whole_in(shape_of(source)[axis]) for axis in axes)
    correction = node.kwargs.get("correction")
    spread = _spread(w, w.tensor(source), axes, bool(node.kwargs.get("keepdim", False)))
    part = count - (1.0 if correction is None else float(str(correction)))
    return w.graph.add("Mul", spread, w.number(count / part))


def _spread(w: Writer, tensor: str, axes: Sequence[int], keep: bool) -> str:
    """The mean squared distance from the mean."""
    mean = w.graph.add("ReduceMean", tensor, w.whole(*axes), keepdims=1)
    away = w.graph.add("Sub", tensor, mean)
    squared = w.graph.add("Mul", away, away)
    return w.graph.add("ReduceMean", squared, w.whole(*axes), keepdims=int(keep))


def _layer_norm(w: Writer, node: Node) -> str:
    source, shape, weight, bias, epsilon = node.args
    axes = [-place for place in range(len(wholes_in(shape)), 0, -1)]
    tensor = w.tensor(source)
    mean = w.graph.add("ReduceMean", tensor, w.whole(*axes), keepdims=1)
    spread = _spread(w, tensor, axes, keep=True)
    root = w.graph.add("Sqrt", w.graph.add("Add", spread, w.tensor(epsilon, torch.float32)))
    scaled = w.graph.add("Div", w.graph.add("Sub", tensor, mean), root)
    if weight is not None:
        scaled = w.graph.add("Mul", scaled, w.tensor(weight))
    return scaled if bias is None else w.graph.add("Add", scaled, w.tensor(bias))


def _softmax(name: str) -> Write:
    return lambda w, node: w.graph.add(name, w.tensor(node.args[0]), axis=whole_in(node.args[1]))


REDUCTIONS: Mapping[str, Write] = {
    "aten.mean.dim": _reduced("ReduceMean"),
    "aten.sum.dim_IntList": _reduced("ReduceSum"),
    "aten.amax.default": _reduced("ReduceMax"),
    "aten.max.dim": _highest_of,
    "aten.amin.default": _lowest,
    "aten.min.dim": _lowest,
    "aten.linalg_vector_norm.default": _norm,
    "aten.var.correction": _variance,
    "aten.native_layer_norm.default": _layer_norm,
    "aten._softmax.default": _softmax("Softmax"),
    "aten._log_softmax.default": _softmax("LogSoftmax"),
}
