"""Torch's core operators and their twins: a closed table of every operator that is written.

What torch takes apart into these operators needs no row of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.fx import Node

from fathometer.graph import Element
from fathometer.networks.arranging import ARRANGING
from fathometer.networks.gelu import write_gelu, write_gelu_by_tanh
from fathometer.networks.reductions import REDUCTIONS
from fathometer.networks.writer import Write, Writer, cannot_write, dtype_of


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


def _sign(w: Writer, node: Node) -> str:
    zero, x = w.number(0.0), w.tensor(node.args[0])
    above, below = (
        w.graph.cast(w.graph.add(name, x, zero), Element.FLOAT) for name in ("Greater", "Less")
    )
    return w.graph.add("Sub", above, below)


def _gelu(w: Writer, node: Node) -> str:
    is_tanh = node.kwargs.get("approximate", "none") == "tanh"
    return (write_gelu_by_tanh if is_tanh else write_gelu)(w.graph, w.tensor(node.args[0]))


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


def _inverse(w: Writer, node: Node) -> str:
    return w.graph.add("Div", w.number(1.0), w.tensor(node.args[0]))


def _inverse_root(w: Writer, node: Node) -> str:
    return w.graph.add("Div", w.number(1.0), w.add("Sqrt", node.args[0]))


def _log_of_one_more(w: Writer, node: Node) -> str:
    return w.graph.add("Log", w.graph.add("Add", w.tensor(node.args[0]), w.number(1.0)))


def _one_less_than_exp(w: Writer, node: Node) -> str:
    return w.graph.add("Sub", w.add("Exp", node.args[0]), w.number(1.0))


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
TWINS: Mapping[str, Write] = {
    **ARRANGING,
    **REDUCTIONS,
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
    "aten.sign.default": _sign,
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
