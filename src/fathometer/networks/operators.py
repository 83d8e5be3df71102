"""Torch's core operators and their twins: a closed table.

What torch takes apart into these operators needs no row of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch.fx import Node

from fathometer.graph import Element
from fathometer.networks.writer import (
    Writer,
    cannot_write,
    dtype_of,
    node_in,
    shape_of,
    whole_in,
    wholes_in,
)

END = np.iinfo(np.int64).max  # "to the end", as a slice says it
# How one operator is written, from its node.
Write = Callable[[Writer, Node], str]


def _plain(name: str) -> Write:
    return lambda w, node: w.add(name, node.args[0])


def _two(name: str) -> Write:
    """Of two arguments of the result's type; `alpha` multiplies the second."""

    def write(w: Writer, node: Node) -> str:
        dtype = dtype_of(node)
        first, second = (w.tensor(each, dtype) for each in node.args[:2])
        if dtype == torch.bool:  # torch multiplies and adds conditions
            return w.graph.add({"Mul": "And", "Add": "Or"}[name], first, second)
        alpha = node.kwargs.get("alpha", 1)
        if alpha != 1:
            second = w.graph.add("Mul", second, w.tensor(alpha, dtype))
        return w.graph.add(name, first, second)

    return write


def _compared(name: str, *, negated: bool = False) -> Write:
    """A comparison of two arguments, in the type that torch compares them in."""

    def write(w: Writer, node: Node) -> str:
        one, other = (e.meta["val"] if isinstance(e, Node) else e for e in node.args[:2])
        dtype = torch.result_type(one, other)  # type: ignore[arg-type]
        if dtype == torch.bool:
            dtype = torch.int64
        found = w.graph.add(name, *(w.tensor(each, dtype) for each in node.args[:2]))
        return w.graph.add("Not", found) if negated else found

    return write


def _logical(name: str) -> Write:
    return lambda w, node: w.graph.add(name, *(w.tensor(each, torch.bool) for each in node.args))


def _matmul(w: Writer, node: Node) -> str:
    return w.add("MatMul", *node.args[:2])


def _addmm(w: Writer, node: Node) -> str:
    if node.kwargs.get("alpha", 1) != 1 or node.kwargs.get("beta", 1) != 1:
        raise cannot_write(node, "it scales its terms")
    bias, first, second = node.args[:3]
    return w.graph.add("Add", w.add("MatMul", first, second), w.tensor(bias))


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


def _reduced(name: str) -> Write:
    """Over some axes, or all of them."""

    def write(w: Writer, node: Node) -> str:
        source = node_in(node.args[0])
        axes = wholes_in(node.args[1]) if len(node.args) > 1 and node.args[1] else None
        chosen = axes if axes is not None else list(range(len(shape_of(source))))
        kept = bool(node.args[2]) if len(node.args) > 2 else False
        tensor = w.tensor(source, dtype_of(node))
        return w.graph.add(name, tensor, w.whole(*chosen), keepdims=int(kept))

    return write


def _lowest(w: Writer, node: Node) -> str:
    axes = node.args[1] if len(node.args) > 1 else []
    chosen = [whole_in(axes)] if isinstance(axes, int) else wholes_in(axes)
    chosen = chosen or list(range(len(shape_of(node_in(node.args[0])))))
    kept = bool(node.args[2]) if len(node.args) > 2 else False
    turned = w.graph.add("Neg", w.tensor(node.args[0]))
    found = w.graph.add("ReduceMax", turned, w.whole(*chosen), keepdims=int(kept))
    return w.graph.add("Neg", found)


def _highest_of(w: Writer, node: Node) -> str:
    """The first result of `max` along an axis; the places are not written."""
    kept = bool(node.args[2]) if len(node.args) > 2 else False
    axis = w.whole(whole_in(node.args[1]))
    return w.graph.add("ReduceMax", w.tensor(node.args[0]), axis, keepdims=int(kept))


def _sign(w: Writer, node: Node) -> str:
    zero, x = w.number(0.0), w.tensor(node.args[0])
    above, below = (
        w.graph.cast(w.graph.add(name, x, zero), Element.FLOAT) for name in ("Greater", "Less")
    )
    return w.graph.add("Sub", above, below)


def _norm(w: Writer, node: Node) -> str:
    order = node.args[1] if len(node.args) > 1 else 2
    if order != 2:
        raise cannot_write(node, f"it is a norm of order {order}")
    axes = node.args[2] if len(node.args) > 2 else None
    chosen = wholes_in(axes) if axes else list(range(len(shape_of(node_in(node.args[0])))))
    kept = bool(node.args[3]) if len(node.args) > 3 else False
    return w.graph.add("ReduceL2", w.tensor(node.args[0]), w.whole(*chosen), keepdims=int(kept))


def _variance(w: Writer, node: Node) -> str:
    source = node_in(node.args[0])
    axes = wholes_in(node.args[1]) if len(node.args) > 1 and node.args[1] else None
    chosen = axes if axes is not None else list(range(len(shape_of(source))))
    sizes = [shape_of(source)[axis] for axis in chosen]
    count = math.prod(whole_in(size) for size in sizes)
    correction = node.kwargs.get("correction")
    spread = _spread(w, w.tensor(source), chosen, bool(node.kwargs.get("keepdim", False)))
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


def _gelu(w: Writer, node: Node) -> str:
    x = w.tensor(node.args[0])
    if node.kwargs.get("approximate", "none") == "tanh":
        cubed = w.graph.add("Mul", w.graph.add("Mul", x, x), x)
        bent = w.graph.add("Add", x, w.graph.add("Mul", cubed, w.number(0.044715)))
        bent = w.graph.add("Tanh", w.graph.add("Mul", bent, w.number(math.sqrt(2 / math.pi))))
    else:
        bent = w.graph.add("Erf", w.graph.add("Mul", x, w.number(math.sqrt(0.5))))
    share = w.graph.add("Add", bent, w.number(1.0))
    return w.graph.add("Mul", w.graph.add("Mul", x, w.number(0.5)), share)


def _leaky_relu(w: Writer, node: Node) -> str:
    x, slope = w.tensor(node.args[0]), _float(node, 1, 0.01)
    below = w.graph.add("Relu", w.graph.add("Neg", x))
    return w.graph.add("Sub", w.graph.add("Relu", x), w.graph.add("Mul", below, w.number(slope)))


def _elu(w: Writer, node: Node) -> str:
    x = w.tensor(node.args[0])
    alpha, scale, inner = (_float(node, place, 1.0) for place in (1, 2, 3))
    below = w.graph.add("Mul", w.graph.add("Min", x, w.number(0.0)), w.number(inner))
    bent = w.graph.add("Sub", w.graph.add("Exp", below), w.number(1.0))
    bent = w.graph.add("Mul", bent, w.number(alpha))
    return w.graph.add("Mul", w.graph.add("Add", w.graph.add("Relu", x), bent), w.number(scale))


def _clamp(w: Writer, node: Node) -> str:
    x, dtype = w.tensor(node.args[0], dtype_of(node)), dtype_of(node)
    limits = (*node.args[1:], *(None, None)[len(node.args) - 1 :])
    for name, limit in zip(("Max", "Min"), limits, strict=True):
        if limit is not None:
            x = w.graph.add(name, x, w.tensor(limit, dtype))
    return x


def _hardtanh(w: Writer, node: Node) -> str:
    low, high = _float(node, 1, -1.0), _float(node, 2, 1.0)
    return w.graph.add("Clip", w.tensor(node.args[0]), w.number(low), w.number(high))


def _where(w: Writer, node: Node) -> str:
    dtype = dtype_of(node)
    one, other = (w.tensor(each, dtype) for each in node.args[1:3])
    return w.graph.add("Where", w.tensor(node.args[0], torch.bool), one, other)


def _pow(w: Writer, node: Node) -> str:
    base, power = node.args[:2]
    if power == 2:
        return w.add("Mul", base, base)
    return w.graph.add("Pow", w.tensor(base, torch.float32), w.tensor(power, torch.float32))


def _after(first: str, second: str) -> Write:
    return lambda w, node: w.graph.add(second, w.add(first, node.args[0]))


def _inverse(w: Writer, node: Node) -> str:
    return w.graph.add("Div", w.number(1.0), w.tensor(node.args[0]))


def _inverse_root(w: Writer, node: Node) -> str:
    return w.graph.add("Div", w.number(1.0), w.add("Sqrt", node.args[0]))


def _log_of_one_more(w: Writer, node: Node) -> str:
    return w.graph.add("Log", w.graph.add("Add", w.tensor(node.args[0]), w.number(1.0)))


def _one_less_than_exp(w: Writer, node: Node) -> str:
    return w.graph.add("Sub", w.add("Exp", node.args[0]), w.number(1.0))


def _passed(w: Writer, node: Node) -> str:
    return w.tensor(node.args[0])


UNARY = (
    "relu",
    "sigmoid",
    "tanh",
    "exp",
    "log",
    "sqrt",
    "abs",
    "neg",
    "erf",
    "sin",
    "cos",
    "floor",
)
# Every operator that is written. What torch takes apart into these needs no row of its own.
TWINS: Mapping[str, Write] = {
    **{f"aten.{name}.default": _plain(name.capitalize()) for name in UNARY},
    "aten.logical_not.default": _logical("Not"),
    "aten.bitwise_not.default": _logical("Not"),
    "aten.logical_and.default": _logical("And"),
    "aten.bitwise_and.Tensor": _logical("And"),
    "aten.logical_or.default": _logical("Or"),
    "aten.bitwise_or.Tensor": _logical("Or"),
    **{f"aten.{name}.Tensor": _two(name.capitalize()) for name in ("add", "sub", "mul", "div")},
    "aten.maximum.default": _two("Max"),
    "aten.minimum.default": _two("Min"),
    **{
        f"aten.{name}.{kind}": _compared(twin, negated=name == "ne")
        for name, twin in {
            "gt": "Greater",
            "ge": "GreaterOrEqual",
            "lt": "Less",
            "le": "LessOrEqual",
            "eq": "Equal",
            "ne": "Equal",
        }.items()
        for kind in ("Tensor", "Scalar")
    },
    "aten.mm.default": _matmul,
    "aten.bmm.default": _matmul,
    "aten.addmm.default": _addmm,
    **{
        f"aten.{name}": _reshape
        for name in (
            "view.default",
            "unsqueeze.default",
            "squeeze.dims",
        )
    },
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
    "aten.mean.dim": _reduced("ReduceMean"),
    "aten.sum.dim_IntList": _reduced("ReduceSum"),
    "aten.amax.default": _reduced("ReduceMax"),
    "aten.max.dim": _highest_of,
    "aten.amin.default": _lowest,
    "aten.min.dim": _lowest,
    "aten.sign.default": _sign,
    "aten.linalg_vector_norm.default": _norm,
    "aten.var.correction": _variance,
    "aten.native_layer_norm.default": _layer_norm,
    "aten._softmax.default": _softmax("Softmax"),
    "aten._log_softmax.default": _softmax("LogSoftmax"),
    "aten.gelu.default": _gelu,
    "aten.leaky_relu.default": _leaky_relu,
    "aten.elu.default": _elu,
    "aten.clamp.default": _clamp,
    "aten.hardtanh.default": _hardtanh,
    "aten.where.self": _where,
    "aten.pow.Tensor_Scalar": _pow,
    "aten.pow.Tensor_Tensor": _pow,
    "aten.reciprocal.default": _inverse,
    "aten.rsqrt.default": _inverse_root,
    "aten.log1p.default": _log_of_one_more,
    "aten.expm1.default": _one_less_than_exp,
}


def _float(node: Node, place: int, otherwise: float) -> float:
    given = node.args[place] if len(node.args) > place else otherwise
    if not isinstance(given, int | float):
        raise TypeError("it varies with the rows")
    return float(given)
