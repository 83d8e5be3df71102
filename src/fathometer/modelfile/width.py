"""How wide a graph's tensors get: a few nodes that each double a tensor would fill any memory.

Counts what is put side by side (Concat) and what products with the file's own tensors turn it into,
which bounds all that our learners write. It is no inference of shapes: what broadcasting makes of
two tensors is not counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fathometer.modelfile.wire import ATTRIBUTE_RUNS, Field, fields

# Elements of a row, or of a token; the widest that we write are 200,000 counts of n-grams.
LARGEST_WIDTH = 1 << 20
# Operators whose answer is as wide as the file says, and stated there.
STATED = frozenset({"TreeEnsembleRegressor", "TfIdfVectorizer"})
# The places of n-grams in their counts, and the answers of trees: how many a row gets.
STATED_WIDTHS = frozenset({"ngram_indexes", "n_targets"})
WIDE_INTEGER = re.compile(rb"[\x18\x40][\x80-\xff]{3}")  # an attribute's, of 2^21 and more
TURNING = frozenset({"Cast", "Identity", "Transpose"})  # what may stand between it and a product


@dataclass(frozen=True)
class Node:
    """What of a node decides how wide its answers are."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def widest(nodes: Sequence[Node], shapes: Mapping[str, tuple[int, ...]]) -> float:
    """The largest width of any tensor, an input's being 1.

    Args:
        nodes: in the order in which they are run.
        shapes: of the tensors that lie in the file.
    """
    widths: dict[str, float] = {}
    known = dict(shapes)
    for node in nodes:
        own = [widths.get(name, 1.0) for name in node.inputs]
        if node.operator == "Concat":
            width = sum(own)
        elif node.operator in STATED:
            width = 1.0
        elif node.operator in ("MatMul", "Conv") and len(node.inputs) > 1:
            width = _multiplied(node.operator, own, known.get(node.inputs[1], ()))
        else:
            width = max(own, default=1.0)
        widths |= dict.fromkeys(node.outputs, width)
        shape = known.get(node.inputs[0]) if node.inputs else None
        if shape is not None and node.operator in TURNING:
            turned = shape[::-1] if node.operator == "Transpose" else shape
            known |= dict.fromkeys(node.outputs, turned)
    return max(widths.values(), default=1.0)


def states_too_much(content: bytes, attribute: Field) -> bool:
    """Whether an attribute that states a width states too large a one, or in another way of writing
    integers than ours."""
    if WIDE_INTEGER.search(content, attribute.start, attribute.end):
        return True
    parts = fields(content, attribute.start, attribute.end, passing=ATTRIBUTE_RUNS)
    return any(part.number == 8 and part.is_span for part in parts)


def _multiplied(operator: str, widths: Sequence[float], shape: tuple[int, ...]) -> float:
    """The width of a product with a tensor of the file; an empty shape: with another."""
    if len(shape) < 2 or 0 in shape:
        return max(widths)
    if operator == "MatMul":
        return max(1.0, widths[0] * shape[-1] / shape[-2])
    made, read = shape[:2]  # kernels of one channel may each read a channel of their own
    scaled = widths[0] * made / read if read > 1 else widths[0]
    return max(1.0, min(scaled, max(widths[0], float(made))))
