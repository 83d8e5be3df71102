"""Twins of the operators that cut, join, reshape and pass on tensors, values unchanged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
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

END = np.iinfo(np.int64).max  # "to the end", as a slice says it


def _reshape(w: Writer, node: Node) -> str:
    source = node_in(node.args[0])
    return w.reshape(w.tensor(source), source, node)


def _permute(w: Writer, node: Node) -> str:
    source, order = node_in(node.args[0]), wholes_in(node.args[1])
    axes = [axis % len(order) for axis in order]
    return w.graph.add("Transpose", w.tensor(source), perm=axes)


def _expand(w: Writer, node: Node) -> str:
    source = node_in(node.args[0])
    if [str(size) for size in shape_of(source)] == [str(size) for size in shape_of(node)]:
        return w.tensor(source)
    return w.repeated(w.tensor(source), node)


def _full(w: Writer, node: Node) -> str:
    return w.repeated(w.tensor(node.args[1], torch.float32), node)


def _slice(w: Writer, node: Node) -> str:
    given: list[object] = list(node.args)
    tensor, axis, start, end, step = given + [0, None, None, 1][len(given) - 1 :]
    source, place = node_in(tensor), whole_in(axis)
    if isinstance(end, Node) and str(end.meta["val"]) == str(shape_of(source)[place]):
        end = None  # all rows
    bounds = (start or 0, END if end is None else end, place, step)
    return w.graph.add("Slice", w.tensor(source), *(w.whole(whole_in(each)) for each in bounds))


def _select(w: Writer, node: Node) -> str:
    source, axis, place = node.args
    picked = w.graph.add("Gather", w.tensor(source), w.whole(whole_in(place)), axis=whole_in(axis))
    return w.graph.add("Squeeze", picked, w.whole(whole_in(axis)))


def _index_select(w: Writer, node: Node) -> str:
    source, axis, places = node.args
    return w.graph.add("Gather", w.tensor(source), w.tensor(places), axis=whole_in(axis))


def _picked(w: Writer, node: Node) -> str:
    """Places of one axis, listed: `x[:, [0, 2]]`."""
    source, listed = node.args[:2]
    if not isinstance(listed, Sequence):
        raise TypeError("not a list")
    given = [(axis, each) for axis, each in enumerate(listed) if each is not None]
    axis, places = given[0]
    known = w.values[node_in(places)]
    if len(given) > 1 or not isinstance(known, torch.Tensor) or known.dtype != torch.int64:
        raise cannot_write(node, "it picks by more than one fixed list of places")
    return w.graph.add("Gather", w.tensor(source), w.tensor(places), axis=axis)


def _cat(w: Writer, node: Node) -> str:
    dtype, parts = dtype_of(node), node.args[0]
    if not isinstance(parts, Sequence):
        raise TypeError("not a list")
    axis = whole_in(node.args[1]) if len(node.args) > 1 else 0
    return w.graph.concat([w.tensor(part, dtype) for part in parts], axis=axis)


def _cast(w: Writer, node: Node) -> str:
    return w.tensor(node.args[0], dtype_of(node))


def _passed(w: Writer, node: Node) -> str:
    return w.tensor(node.args[0])


ARRANGING: Mapping[str, Write] = {
    "aten.view.default": _reshape,
    "aten.unsqueeze.default": _reshape,
    "aten.squeeze.dims": _reshape,
    "aten.permute.default": _permute,
    "aten.expand.default": _expand,
    "aten.full.default": _full,
    "aten.slice.Tensor": _slice,
    "aten.select.int": _select,
    "aten.index_select.default": _index_select,
    "aten.index.Tensor": _picked,
    "aten.cat.default": _cat,
    "aten._to_copy.default": _cast,
    "aten.clone.default": _passed,
    "aten.alias.default": _passed,
}
