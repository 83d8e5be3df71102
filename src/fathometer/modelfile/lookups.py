"""Category columns read once: one `LabelEncoder` a column, whatever the folds and members make of
its levels.

Each fold knows its own levels, so five folds write five encoders of one column. What a tensor says
of a level is a table with a row a level; such tables are worked out here, over the levels of all
encoders together, and looked up by one code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from fathometer.graph import Element, Graph, write_lookup
from fathometer.modelfile.written import Written, attribute

if TYPE_CHECKING:
    import onnx

MOST_CELLS = 1 << 16  # 256 KB as float: small beside the trees and weights of a file


@dataclass(frozen=True, eq=False)
class Lookup:
    """A tensor that is a row of `table` for each row's level of `column`.

    `axes` says which shape the tensor has: "code" (rows, 1) of a table (codes,), "row"
    (rows, 1, width) or "flat" (rows, width) of a table (codes, width)."""

    column: str
    table: np.ndarray
    axes: str


@dataclass(frozen=True, eq=False)
class Stack:
    """Lookups of several columns side by side: a table for each.

    Of tables (codes,) the tensor is (rows, columns); of tables (folds, codes, ...), where each fold
    says something else of a level, it is (folds, rows, columns, ...)."""

    columns: tuple[str, ...]
    tables: tuple[np.ndarray, ...]

    @property
    def by_fold(self) -> bool:
        return self.tables[0].ndim > 1

    def each(self, change: Callable[[int, np.ndarray], np.ndarray]) -> Stack:
        """The stack whose tables are made from these, each with its place."""
        return Stack(self.columns, tuple(change(i, t) for i, t in enumerate(self.tables)))


class Lookups:
    """What is known of the category columns of one graph, written into another."""

    def __init__(self, written: Written, graph: Graph) -> None:
        self._written = written
        self._graph = graph
        self._known: dict[str, Lookup] = {}
        self._stacks: dict[str, Stack] = {}
        self._codes: dict[str, dict[str, int]] = {}  # from a string to its code
        encoders: dict[str, list[onnx.NodeProto]] = {}
        for node in written.nodes:
            if _is_encoder(node) and node.input[0] in written.inputs:
                encoders.setdefault(node.input[0], []).append(node)
        for column, nodes in encoders.items():
            self._join(column, nodes)
        for node in written.nodes:
            found = self._derived(node)
            if found is not None:
                self._known[node.output[0]] = found
            stack = self._stacked(node)
            if stack is not None:
                self._stacks[node.output[0]] = stack

    def of(self, tensor: str) -> Lookup | None:
        """What a tensor of the old graph looks up, None if it is none."""
        return self._known.get(tensor)

    def stack(self, tensor: str) -> Stack | None:
        """Columns side by side in a tensor of the old graph; one column is a stack of one."""
        one = self._known.get(tensor)
        if one is not None and one.axes == "code":
            return Stack((one.column,), (one.table,))
        return self._stacks.get(tensor)

    def _join(self, column: str, nodes: Sequence[onnx.NodeProto]) -> None:
        """One code for each combination of the encoders' answers; code 0 for what none knows."""
        maps = [
            dict(
                zip(
                    attribute(node, "keys_strings"),
                    attribute(node, "values_int64s").tolist(),
                    strict=True,
                )
            )
            for node in nodes
        ]
        others = tuple(int(attribute(node, "default_int64", -1)) for node in nodes)
        code_of: dict[tuple[int, ...], int] = {others: 0}
        codes: dict[str, int] = {}
        for key in dict.fromkeys(key for each in maps for key in each):
            answers = tuple(each.get(key, other) for each, other in zip(maps, others, strict=True))
            codes[key] = code_of.setdefault(answers, len(code_of))
        self._codes[column] = codes
        tables = np.array(list(code_of), dtype=np.int64)  # (codes, encoders)
        for place, node in enumerate(nodes):
            self._known[node.output[0]] = Lookup(column, tables[:, place], "code")

    def _derived(self, node: onnx.NodeProto) -> Lookup | None:
        """What a node makes of a lookup, where that is a lookup again."""
        constants = [self._written.constant(name) for name in node.input]
        known = [self._known.get(name) for name in node.input]
        first = known[0] if known else None
        if node.op_type == "Equal" and first and first.axes == "code" and constants[1] is not None:
            if not _is_small(len(first.table) * constants[1].size, constants[1]):
                return None
            table = first.table[:, None] == constants[1].reshape(1, -1)
            return Lookup(first.column, table, "flat")
        if node.op_type == "Cast" and first and first.axes != "code":
            types = {Element.FLOAT.value: np.float32, Element.DOUBLE.value: np.float64}
            to = types.get(attribute(node, "to"))
            return Lookup(first.column, first.table.astype(to), first.axes) if to else None
        if node.op_type == "Gather" and attribute(node, "axis", 0) == 0:
            values, place = constants[0], known[1]
            if place and place.axes == "code" and values is not None and values.ndim in (1, 2):
                axes = "row" if values.ndim == 2 else "code"
                if not _is_small(len(place.table) * values[0].size, values):
                    return None
                return Lookup(place.column, values[place.table], axes)
        if node.op_type == "Squeeze" and first and first.axes == "row":
            axis = constants[1] if len(constants) > 1 else None
            if axis is not None and axis.tolist() == [1]:
                return Lookup(first.column, first.table, "flat")
        return None

    def _stacked(self, node: onnx.NodeProto) -> Stack | None:
        """What a node makes of columns side by side, where those are looked up again."""
        stacks = [self.stack(name) for name in node.input]
        constants = [self._written.constant(name) for name in node.input]
        axis = attribute(node, "axis", 0)
        known = [stack for stack in stacks if stack is not None]
        if node.op_type == "Concat" and len(known) == len(stacks):
            if {2 if stack.by_fold else 1 for stack in known} == {axis}:
                columns = tuple(name for stack in known for name in stack.columns)
                return Stack(columns, tuple(t for stack in known for t in stack.tables))
            return None
        if len(stacks) != 2 or len(known) != 1:
            return None
        (stack,) = known
        if node.op_type == "Add":
            return _moved(stack, constants[1])
        if node.op_type == "Gather" and stacks[1] is not None and constants[0] is not None:
            values = constants[0]
            codes = sum(table.size for table in stack.tables)
            if not _is_small(codes * (len(values) if axis else values[0].size), values):
                return None
            if values.ndim == 2 and not stack.by_fold and axis == 1:
                return stack.each(lambda _, table: values[:, table])
            if values.ndim == 2 and stack.by_fold and axis == 0:
                return stack.each(lambda _, table: values[table])
        places = constants[1]
        if node.op_type == "Gather" and stack.by_fold and axis == 0 and places is not None:
            return stack.each(lambda _, table: table[places]) if places.ndim == 1 else None
        return None

    def write(self, node: onnx.NodeProto, renamed: dict[str, str]) -> str | None:
        """Write a node of the old graph by looking up; None where it does something else."""
        known = self._known.get(node.output[0])
        if known is not None:
            return self._write_one(known)
        stack = self._stacks.get(node.output[0])
        if stack is not None and stack.by_fold:
            places = self.codes(stack.columns, [table.shape[1] for table in stack.tables])
            table = self._graph.constant(np.concatenate(stack.tables, axis=1))
            return self._graph.add("Gather", table, places, axis=1)
        if node.op_type == "Concat":
            return self._write_joined(node, renamed)
        return None

    def code(self, column: str) -> str:
        """The code of a column's level, int64 (rows, 1)."""
        raw = self._graph.input(column, Element.STRING)
        return write_lookup(self._graph, raw, self._codes[column], 0)

    def codes(self, columns: Sequence[str], heights: Sequence[int]) -> str:
        """Places of several columns' levels in their tables stacked, int64 (rows, columns)."""
        joined = self._graph.concat([self.code(column) for column in columns])
        first = np.cumsum([0, *heights[:-1]])
        if len(columns) == 1:
            return joined
        return self._graph.add("Add", joined, self._graph.constant(first))

    def _write_one(self, known: Lookup) -> str:
        code = self.code(known.column)
        if known.axes == "code" and np.array_equal(known.table, np.arange(len(known.table))):
            return code
        found = self._graph.add("Gather", self._graph.constant(known.table), code)
        if known.axes != "flat":
            return found
        return self._graph.add("Squeeze", found, self._graph.constant(np.array([1])))

    def _write_joined(self, node: onnx.NodeProto, renamed: dict[str, str]) -> str | None:
        """Lookups among the parts of a joined tensor, written with one `Squeeze` for all."""
        flat = [self._flat(name) for name in node.input]
        if attribute(node, "axis") != 1 or sum(each is not None for each in flat) < 2:
            return None
        parts: list[str] = []
        run: list[Lookup] = []
        for name, known in zip([*node.input, ""], [*flat, None], strict=True):
            if known is not None:
                run.append(known)
                continue
            if run:
                parts.append(self._write_run(run))
                run = []
            if name:
                values = self._written.constant(name)
                parts.append(self._graph.constant(values) if values is not None else renamed[name])
        return self._graph.concat(parts)

    def _flat(self, name: str) -> Lookup | None:
        known = self._known.get(name)
        return known if known is not None and known.axes == "flat" else None

    def _write_run(self, run: Sequence[Lookup]) -> str:
        rows = []
        for column, same in groupby(run, key=lambda known: known.column):
            table = np.concatenate([known.table for known in same], axis=1)
            rows.append(self._graph.add("Gather", self._graph.constant(table), self.code(column)))
        axis = self._graph.constant(np.array([1]))
        return self._graph.add("Squeeze", self._graph.concat(rows, axis=2), axis)


def _is_small(cells: int, given: np.ndarray) -> bool:
    """Whether a table over all encoders' codes is not much larger than what it is made from.

    Where one encoder knows 100,000 levels, another's 64 columns or embeddings stay as they were."""
    return cells <= max(2 * given.size, MOST_CELLS)


def _moved(stack: Stack, by: np.ndarray | None) -> Stack | None:
    """Each column's table with a number of its own added, (columns,) or (folds, 1, columns)."""
    wanted = (1, 3)[stack.by_fold]
    if by is None or by.ndim != wanted or by.shape[-1] != len(stack.columns):
        return None
    if not stack.by_fold:
        return stack.each(lambda place, table: table + by[place])
    if by.shape[1] != 1 or stack.tables[0].ndim != 2:
        return None
    return stack.each(lambda place, table: table + by[:, :, place])


def _is_encoder(node: onnx.NodeProto) -> bool:
    given = {each.name for each in node.attribute}
    return node.op_type == "LabelEncoder" and {"keys_strings", "values_int64s"} <= given
