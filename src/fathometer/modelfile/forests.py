"""The trees of all folds in one node, and one matrix for all trees that holds nothing twice.

Each fold centres the numbers by its own medians and rounds them to float32 before its trees compare
them with thresholds. Subtracting and rounding keep the order of numbers, so such a comparison is
also one of the raw number with another threshold, which is found here exactly; then all folds
compare the same raw numbers. Columns that come from categories are looked up together, and columns
that no tree asks for are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.graph import Element, Graph
from fathometer.modelfile.lookups import Lookups
from fathometer.modelfile.matrix import Centred, Counted, Matrix, Part, Ready, Said
from fathometer.modelfile.written import Written, attribute

if TYPE_CHECKING:
    import onnx

TREES = "TreeEnsembleRegressor"
MOST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class Grown:
    """One old node of trees, what its columns are, and what is added to its sums."""

    node: onnx.NodeProto
    cast: str  # its sums as double
    parts: tuple[Part, ...]
    offset: np.ndarray

    @property
    def sources(self) -> set[str]:
        """The tensors of the old graph that the columns are made from, categories apart."""
        return {part.source for part in self.parts if not isinstance(part, Said)}


class Forests:
    """The trees of one graph, written into another."""

    def __init__(self, written: Written, graph: Graph, lookups: Lookups) -> None:
        self._written = written
        self._graph = graph
        self._lookups = lookups
        self._sums: dict[str, tuple[Grown, ...]] = {}  # by the tensor of the sum
        self._covered: set[str] = set()  # tensors that are written with the sum they end in
        for node in written.nodes:
            parts = [self._grown(name) for name in node.input] if node.op_type == "Sum" else []
            found = tuple(each for each in parts if each is not None)
            if found and len(found) == len(parts) and len({_rule(g.node) for g in found}) == 1:
                self._sums[node.output[0]] = found
                self._covered.update(node.input)
        for node in written.nodes:
            alone = self._grown(node.output[0])
            if alone is not None and node.output[0] not in self._covered:
                self._sums[node.output[0]] = (alone,)
        self.later = self._after(self._sums.keys())
        for name, found in tuple(self._sums.items()):
            if not self.later.isdisjoint(each for grown in found for each in grown.sources):
                del self._sums[name]  # trees over what other trees answer keep their own matrix
                self._covered.difference_update(self._written.makers[name].input)
        for found in self._sums.values():
            for each in found:
                self._covered |= {each.node.output[0], each.cast}
        self._trees: dict[str, list[Trees]] = {}
        self._tensor, self._places = "", np.zeros(0, dtype=np.int64)

    def _after(self, names: Iterable[str]) -> set[str]:
        """These tensors and all that are computed from them."""
        found = set(names)
        for node in self._written.nodes:
            if not found.isdisjoint(node.input):
                found.update(node.output)
        return found

    def covers(self, node: onnx.NodeProto) -> bool:
        """Whether an old node is written as a part of a later sum of trees."""
        return node.output[0] in self._covered

    def prepare(self, renamed: dict[str, str]) -> None:
        """Write the matrix of all trees, once everything but `later` is written."""
        if not self._sums:
            return
        matrix = Matrix(self._graph, self._lookups, renamed)
        for name, found in self._sums.items():
            self._trees[name] = [_raw_trees(each, matrix) for each in found]
        self._tensor, self._places = matrix.write()

    def write(self, node: onnx.NodeProto) -> str | None:
        """Write a sum of trees, offset included; None for any other node."""
        grown = self._sums.get(node.output[0])
        if grown is None:
            return None
        outputs, aggregate = _rule(grown[0].node)
        scores = self._graph.add(
            TREES,
            self._tensor,
            domain="ai.onnx.ml",
            n_targets=outputs,
            aggregate_function=aggregate,
            **_attributes(self._trees.pop(node.output[0]), self._places),
        )
        offset = np.sum([each.offset for each in grown], axis=0)
        wide = self._graph.cast(scores, Element.DOUBLE)
        return self._graph.add("Add", wide, self._graph.constant(offset))

    def _grown(self, name: str) -> Grown | None:
        """Trees whose sums, as double, and an offset make this tensor; None if it is not so."""
        add = self._written.made_by(name, "Add")
        offset = self._written.constant(add.input[1]) if add else None
        cast = self._written.made_by(add.input[0], "Cast") if add else None
        trees = self._written.made_by(cast.input[0], TREES) if cast else None
        if add is None or cast is None or trees is None or offset is None:
            return None
        if self._written.uses[add.input[0]] > 1 or self._written.uses[cast.input[0]] > 1:
            return None
        values = attribute(trees, "nodes_values_as_tensor")
        if values is None or values.dtype != np.float64:
            return None
        parts = self._parts(trees.input[0], is_double=True)
        return None if parts is None else Grown(trees, add.input[0], parts, offset)

    def _parts(self, name: str, *, is_double: bool) -> tuple[Part, ...] | None:
        """What a matrix's columns are; None if that cannot be told."""
        node = self._written.makers.get(name)
        operator = node.op_type if node else ""
        if node and operator == "Concat" and attribute(node, "axis") == 1:
            each = [self._parts(part, is_double=is_double) for part in node.input]
            known = [parts for parts in each if parts is not None]
            return tuple(p for parts in known for p in parts) if len(known) == len(each) else None
        if node and operator == "Cast" and attribute(node, "to") == Element.DOUBLE.value:
            return self._parts(node.input[0], is_double=False)
        said = self._said(name)
        if said is not None:
            return said
        part = self._centred(name) or self._counted(name)
        if part is not None:
            return (part,)
        width = self._written.width(name)
        return None if width is None else (Ready(name, width, is_double),)

    def _centred(self, name: str) -> Centred | None:
        cast = self._written.made_by(name, "Cast")
        where = self._written.made_by(cast.input[0], "Where") if cast else None
        if cast is None or where is None or attribute(cast, "to") != Element.FLOAT.value:
            return None
        missing = self._written.made_by(where.input[0], "IsNaN")
        centred = self._written.made_by(where.input[2], "Sub")
        fill = self._written.constant(where.input[1])
        if missing is None or centred is None or fill is None:
            return None
        centre = self._written.constant(centred.input[1])
        if centre is None or centre.ndim != 1 or missing.input[0] != where.input[2]:
            return None
        return Centred(centred.input[0], centre, np.broadcast_to(fill, centre.shape))

    def _said(self, name: str) -> tuple[Part, ...] | None:
        known = self._lookups.of(name)
        if known is not None and known.axes == "flat" and known.table.dtype == np.float32:
            return (Said(known.column, known.table),)
        return self._stacked(name)

    def _stacked(self, name: str) -> tuple[Said, ...] | None:
        """The tables behind a tensor that a `Matrix` wrote over several columns, or None."""
        reshape = self._written.made_by(name, "Reshape")
        gather = self._written.made_by(reshape.input[0], "Gather") if reshape else None
        values = self._written.constant(gather.input[0]) if gather else None
        stack = self._lookups.stack(gather.input[1]) if gather else None
        if gather is None or values is None or values.ndim != 2 or attribute(gather, "axis", 0):
            return None
        if stack is None or stack.by_fold or values.dtype != np.float32:
            return None
        pairs = zip(stack.columns, stack.tables, strict=True)
        return tuple(Said(column, values[table]) for column, table in pairs)

    def _counted(self, name: str) -> Counted | None:
        node = self._written.made_by(name, "TfIdfVectorizer")
        if (
            node is None
            or attribute(node, "mode") != "TF"
            or attribute(node, "weights") is not None
        ):
            return None
        words = attribute(node, "pool_strings")
        places = attribute(node, "ngram_indexes")
        plain = words is not None and np.array_equal(places, np.arange(len(words)))
        return Counted(node.input[0], tuple(words)) if plain else None


@dataclass(frozen=True, eq=False)
class Trees:
    """The attributes of trees that compare the columns of a `Matrix`."""

    arrays: dict[str, np.ndarray]
    columns: list[int]  # of the matrix, by old feature; -1 where no tree asks


def _raw_trees(grown: Grown, matrix: Matrix) -> Trees:
    """Trees over the matrix: thresholds on centred numbers become thresholds on raw ones."""
    node = grown.node
    modes = next(np.array(list(each.strings)) for each in node.attribute if each.name == MODES)
    arrays = {
        each.name: attribute(node, each.name) for each in node.attribute if each.name != MODES
    }
    arrays[MODES] = modes
    inner = modes != b"LEAF"
    feature = arrays["nodes_featureids"]
    threshold = arrays["nodes_values_as_tensor"].copy()
    missing_left = arrays["nodes_missing_value_tracks_true"].copy()
    used = np.zeros(sum(part.width for part in grown.parts), dtype=bool)
    used[feature[inner]] = True
    used[0] |= not used.any()  # trees of one leaf compare nothing, but the rows must be counted
    columns: list[int] = []
    for part in grown.parts:
        first = len(columns)
        wanted = used[first : first + part.width]
        columns += [matrix.place(part, at) if wanted[at] else -1 for at in range(part.width)]
        own = inner & (feature >= first) & (feature < first + part.width)
        if isinstance(part, Centred):
            column = feature[own] - first
            fill = part.fill[column]
            below = fill <= threshold[own]
            missing_left[own] = np.where(np.isnan(fill), missing_left[own], below)
            threshold[own] = raw_thresholds(threshold[own], part.centre[column])
    arrays["nodes_values_as_tensor"] = threshold
    arrays["nodes_missing_value_tracks_true"] = missing_left
    return Trees(arrays, columns)


def raw_thresholds(threshold: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The largest double x for which float32(x - centre) <= threshold; (nodes,) each.

    -infinity where there is none. Bisection over all doubles in their order, on different pairs."""
    both = np.empty(len(threshold), dtype=np.complex128)  # sorted much sooner than rows of pairs
    both.real, both.imag = threshold, centre
    pairs, place = np.unique(both, return_inverse=True)
    limit, middle = pairs.real, pairs.imag

    def goes_left(key: np.ndarray) -> np.ndarray:
        bits = np.where(key >= 0, key, np.iinfo(np.int64).min - key)
        with np.errstate(over="ignore"):
            return np.asarray((bits.view(np.float64) - middle).astype(np.float32) <= limit)

    top = np.full(len(limit), MOST).view(np.int64)
    low, high = -top, top
    everything, nothing = goes_left(high), ~goes_left(low)
    for _ in range(64):
        half = (low >> 1) + (high >> 1) + (low & high & 1)
        left = goes_left(half)
        low, high = np.where(left, half, low), np.where(left, high, half)
    low = np.where(everything, top, low)
    found = np.where(low >= 0, low, np.iinfo(np.int64).min - low).view(np.float64)
    return np.asarray(np.where(nothing, -np.inf, found)[place])


def _rule(node: onnx.NodeProto) -> tuple[int, str]:
    """How many sums a node of trees gives, and how it makes them."""
    return int(attribute(node, "n_targets", 1)), attribute(node, "aggregate_function", "SUM")


def _attributes(pieces: Sequence[Trees], places: np.ndarray) -> dict[str, Any]:
    """All trees one after the other as the attributes of one node.

    places: from a column's number in the matrix to where it was written."""
    from onnx import numpy_helper

    shifted: dict[str, list[np.ndarray]] = {}
    trees = 0
    for piece in pieces:
        arrays = dict(piece.arrays)
        where = np.append(places, 0)[piece.columns]  # -1, which nobody asks for, becomes 0
        arrays["nodes_featureids"] = where[arrays["nodes_featureids"]]
        for name in ("nodes_treeids", "target_treeids"):
            arrays[name] = arrays[name] + trees
        trees = int(arrays["nodes_treeids"].max()) + 1
        for name in (MODES, *INTEGERS, *DOUBLES):
            shifted.setdefault(name, []).append(arrays[name])
    joined = {name: np.concatenate(each) for name, each in shifted.items()}
    return {
        **{name: joined[name] for name in (MODES, *INTEGERS)},
        **{name: numpy_helper.from_array(joined[name]) for name in DOUBLES},
    }


MODES = "nodes_modes"  # bytes
INTEGERS = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_missing_value_tracks_true",
    "target_treeids",
    "target_nodeids",
    "target_ids",
)
DOUBLES = ("nodes_values_as_tensor", "target_weights_as_tensor")
