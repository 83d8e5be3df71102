"""What a model file may contain: a closed list, checked on the bytes before any runtime sees them.

Refused: operators that are not on the list (so no loops, no branches, no code), subgraphs,
functions, sparse tensors, external data, tensors whose data is not as long as their shape says,
fields we do not know, and a hash that does not fit. ONNX's own checker and onnxruntime each accept
some of these (a hard link to a file outside, a loop of 10^12 steps, an offset past the end)."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fathometer.errors import Fault, ModelFileError
from fathometer.graph import OPSETS, TRAINING_ROWS
from fathometer.modelfile.width import (
    LARGEST_WIDTH,
    STATED_WIDTHS,
    Node,
    states_too_much,
    widest,
)
from fathometer.modelfile.wire import ATTRIBUTE_RUNS, Field, fields, read_varint
from fathometer.table.kind import LARGEST_SIDE

LARGEST_FILE = 1 << 30  # bytes; protobuf itself ends at 2 GiB
MOST_NODES = 200_000
LARGEST_METADATA = 64 << 20  # bytes of one metadata value
HASH_KEY = "fathometer.sha256"
BLANK_HASH = "0" * 64

# Operators that our learners write, and none that repeats, branches, or makes much from little.
STANDARD = """
Abs Add And ArgMax AveragePool Cast Clip Concat Conv Cos CumSum Div Equal Erf Exp Floor Gather
GatherElements Gemm GlobalAveragePool Greater GreaterOrEqual Identity IsNaN Less LessOrEqual Log
LogSoftmax MatMul Max MaxPool Min Mod Mul Neg Not Or Pow ReduceL2 ReduceMax ReduceMean ReduceSum
RegexFullMatch Relu Reshape Resize ScatterElements Selu Sigmoid Sin Slice Softmax Softplus Sqrt
Squeeze StringConcat StringNormalizer StringSplit Sub Sum Tanh TfIdfVectorizer TopK Transpose
Unsqueeze Where
"""
OPERATORS: Mapping[str, frozenset[str]] = {
    "": frozenset(STANDARD.split()),
    "ai.onnx.ml": frozenset({"LabelEncoder", "TreeEnsembleRegressor"}),
    "com.microsoft": frozenset({"Tokenizer"}),
}

# Bytes of an element, by ONNX's type code: float, uint8, int64, bool, double; strings are counted
# apart.
ELEMENT_BYTES = {1: 4, 2: 1, 7: 8, 9: 1, 11: 8}
STRING_CODE = 8

# Resize makes a picture of the sizes it is told: they must lie in the file, be no larger than
# pictures are learned from, and be told of height and width, as `table.resizing` writes them.
RESIZED_AXES = b"\x0a\x04axes\x40\x01\x40\x02\xa0\x01\x07"  # the attribute axes = [1, 2]
SIZES_INPUT = 3
SIZES_BYTES = 2 * 8
INT64_CODE = 7
MOST_AXES = 8  # of a tensor that lies in the file
LARGEST_PADDING = 64  # pixels that one operator may add at a side


@dataclass(frozen=True)
class Port:
    """An input or output of the graph."""

    name: str
    element: int  # ONNX's type code
    shape: tuple[int | None, ...]  # None where the size is free


@dataclass(frozen=True)
class Contents:
    """What verification found in a file."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: dict[str, str]
    operators: tuple[str, ...]  # distinct, sorted
    training_rows: tuple[int, ...]  # that it holds, in whatever form: in each table of them
    sha256: str


def verify(content: bytes) -> Contents:
    """Check a whole file.

    Raises:
        ModelFileError: with the `Fault` that the first failed check stands for.
    """
    if len(content) > LARGEST_FILE:
        raise ModelFileError(
            Fault.TOO_LARGE,
            f"the file has {len(content):,} bytes; at most {LARGEST_FILE:,} are read.",
        )
    walk = _Walk(content)
    walk.model()
    return Contents(
        tuple(walk.inputs),
        tuple(walk.outputs),
        walk.metadata,
        tuple(sorted(walk.operators)),
        tuple(s[0] for name, s in walk.shapes.items() if name.startswith(TRAINING_ROWS) and s),
        _check_hash(content, walk),
    )


def blank_hash_of(content: bytes, start: int) -> str:
    """SHA-256 of a file whose own hash, 64 characters at `start`, is blanked."""
    digest = hashlib.sha256(content[:start])
    digest.update(BLANK_HASH.encode())
    digest.update(content[start + len(BLANK_HASH) :])
    return digest.hexdigest()


def parse_json(text: str, what: str) -> dict[str, object]:
    """A JSON object from metadata.

    Raises:
        ModelFileError: if it is not one.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(Fault.METADATA, f"its {what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelFileError(Fault.METADATA, f"its {what} is not a JSON object.")
    return value


def _check_hash(content: bytes, walk: _Walk) -> str:
    stated = walk.metadata.get(HASH_KEY)
    if stated is None or len(stated) != len(BLANK_HASH):
        raise ModelFileError(
            Fault.METADATA,
            "it is an ONNX model, but Fathometer did not write it: its hash is missing.",
        )
    found = blank_hash_of(content, walk.hash_start)
    if found != stated:
        raise ModelFileError(
            Fault.HASH,
            f"its content has the hash {found[:12]}…, but it states {stated[:12]}…",
            try_next="copy the file again from where it was made",
        )
    return found


def _ignored(found: object) -> None:
    """What was read for its errors alone."""


class _Walk:
    """One pass over the messages of a file; refuses whatever has no rule."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.inputs: list[Port] = []
        self.outputs: list[Port] = []
        self.metadata: dict[str, str] = {}
        self.operators: set[str] = set()
        self.hash_start = 0
        self.nodes = 0
        self.graphs = 0
        self.sizes: dict[str, bytes] = {}  # two int64 each, little endian
        self.resized: list[str] = []  # the tensors that say to which sizes
        self.shapes: dict[str, tuple[int, ...]] = {}  # of initializers
        self.graph_nodes: list[Node] = []

    def model(self) -> None:
        """ModelProto."""
        self._message(
            Field(0, 0, 0, len(self.content), is_span=True),
            "model",
            {
                1: self._skip,
                2: self._skip,
                3: self._skip,
                5: self._skip,
                7: self._graph,
                8: self._opset,
                14: self._metadata,
            },
        )
        if self.graphs != 1:
            raise ModelFileError(
                Fault.NOT_A_MODEL, f"it holds {self.graphs} graphs instead of one."
            )

    def _message(
        self, span: Field, what: str, rules: Mapping[int, Callable[[Field], None]]
    ) -> None:
        passing = ATTRIBUTE_RUNS if what == "attribute" else None
        for field in fields(self.content, span.start, span.end, passing=passing):
            rule = rules.get(field.number)
            if rule is None:
                raise ModelFileError(
                    Fault.GRAPH, f"its {what} has field {field.number}, which we do not read."
                )
            rule(field)

    def _skip(self, field: Field) -> None:
        """A field that cannot do anything."""

    def _text(self, field: Field) -> str:
        try:
            return self.content[field.start : field.end].decode()
        except UnicodeDecodeError as error:
            raise ModelFileError(Fault.NOT_A_MODEL, "a name in it is not UTF-8.") from error

    def _graph(self, field: Field) -> None:
        self.graphs += 1
        self._message(
            field,
            "graph",
            {
                1: self._node,
                2: self._skip,
                5: lambda part: self.shapes.update([self._tensor(part)]),
                11: lambda port: self.inputs.append(self._port(port)),
                12: lambda port: self.outputs.append(self._port(port)),
            },
        )
        if widest(self.graph_nodes, self.shapes) > LARGEST_WIDTH:
            raise ModelFileError(
                Fault.TOO_LARGE, f"it makes more than {LARGEST_WIDTH:,} values of a row."
            )
        for name in self.resized:
            values = np.frombuffer(self.sizes.get(name, b""), dtype="<i8")
            if not len(values) or values.min() < 1 or values.max() > LARGEST_SIDE:
                raise ModelFileError(
                    Fault.GRAPH, f"it resizes to sizes unstated, or not 1 to {LARGEST_SIDE}."
                )

    def _opset(self, field: Field) -> None:
        domain, version = "", 0
        for part in fields(self.content, field.start, field.end):
            if part.number == 1:
                domain = self._text(part)
            else:
                version = part.value
        if OPSETS.get(domain) != version:
            known = ", ".join(f"{name or 'ai.onnx'} {number}" for name, number in OPSETS.items())
            raise ModelFileError(
                Fault.OPSET, f"it uses {domain or 'ai.onnx'} {version}; we read {known}."
            )

    def _metadata(self, field: Field) -> None:
        key, value = "", Field(2, 0)
        for part in fields(self.content, field.start, field.end):
            if part.number == 1:
                key = self._text(part)
            elif part.number == 2:
                value = part
        if value.end - value.start > LARGEST_METADATA or key in self.metadata:
            raise ModelFileError(Fault.METADATA, f"its metadata {key!r} is too long or doubled.")
        if key == HASH_KEY:
            self.hash_start = value.start
        self.metadata[key] = self._text(value)

    def _node(self, field: Field) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ModelFileError(Fault.TOO_LARGE, f"it has more than {MOST_NODES:,} nodes.")
        names = {4: "", 7: ""}
        inputs: list[str] = []
        outputs: list[str] = []
        axes: list[bytes] = []

        def name(part: Field) -> None:
            names[part.number] = self._text(part)

        def attribute(part: Field) -> None:
            if self._attribute(part) == "axes":
                axes.append(self.content[part.start : part.end])

        self._message(
            field,
            "node",
            {
                1: lambda part: inputs.append(self._text(part)),
                2: lambda part: outputs.append(self._text(part)),
                3: self._skip,
                4: name,
                5: attribute,
                7: name,
            },
        )
        operator, domain = names[4], names[7]
        if operator not in OPERATORS.get(domain, frozenset()):
            raise ModelFileError(
                Fault.OPERATOR,
                f"it uses the operator {domain or 'ai.onnx'}.{operator}, "
                "which is not on the list of operators that a model file may contain.",
            )
        self.operators.add(f"{domain}.{operator}" if domain else operator)
        self.graph_nodes.append(Node(operator, tuple(inputs), tuple(outputs)))
        if operator == "Resize":
            if len(inputs) != SIZES_INPUT + 1 or inputs[1] or inputs[2] or axes != [RESIZED_AXES]:
                raise ModelFileError(Fault.GRAPH, "it resizes more than height and width.")
            self.resized.append(inputs[SIZES_INPUT])

    def _attribute(self, field: Field) -> str:
        """Check an attribute and return its name."""
        names: list[str] = []
        # 6 and 11 are subgraphs, 22 and 23 sparse tensors: no rule, so refused.
        self._message(
            field,
            "attribute",
            {
                1: lambda part: names.append(self._text(part)),
                2: self._skip,
                3: self._skip,
                4: self._skip,
                5: lambda part: _ignored(self._tensor(part)),
                7: self._skip,
                8: self._skip,
                9: lambda part: _ignored(self._text(part)),
                20: self._skip,
            },
        )
        if "pads" in names and any(
            part.number == 8 and (part.is_span or part.value > LARGEST_PADDING)
            for part in fields(self.content, field.start, field.end)
        ):
            raise ModelFileError(
                Fault.GRAPH, f"an operator in it adds more than {LARGEST_PADDING} pixels at a side."
            )
        if not STATED_WIDTHS.isdisjoint(names) and states_too_much(self.content, field):
            raise ModelFileError(Fault.TOO_LARGE, "an operator in it answers too many values.")
        return names[0] if len(names) == 1 else ""

    def _tensor(self, field: Field) -> tuple[str, tuple[int, ...]]:
        """Check a tensor and return its name and shape."""
        sizes: list[int] = []
        element, length, strings = 0, 0, 0
        name, raw = "", b""
        for part in fields(self.content, field.start, field.end):
            if part.number == 1 and part.is_span:
                sizes += self._packed(part)
            elif part.number == 1:
                sizes.append(part.value)
            elif part.number == 2:
                element = part.value
            elif part.number == 6:
                strings += 1
            elif part.number == 9:
                length += part.end - part.start
                raw = self.content[part.start : part.end] if length <= SIZES_BYTES else b""
            elif part.number in (13, 14):
                raise ModelFileError(Fault.EXTERNAL, "a tensor in it lies in another file.")
            elif part.number == 8:
                name = self._text(part)
            else:
                raise ModelFileError(Fault.GRAPH, f"a tensor has field {part.number}.")
        if len(sizes) > MOST_AXES or max(sizes, default=0) > LARGEST_FILE:
            raise ModelFileError(Fault.SHAPE, f"a tensor has the shape {tuple(sizes)[:8]}.")
        count = math.prod(sizes)  # Python integers: no overflow
        expected = strings if element == STRING_CODE else count * ELEMENT_BYTES.get(element, -1)
        if (count if element == STRING_CODE else length) != expected:
            raise ModelFileError(
                Fault.SHAPE, f"a tensor of shape {tuple(sizes)[:8]} has {length:,} bytes of values."
            )
        if element == INT64_CODE and len(raw) == SIZES_BYTES:
            self.sizes[name] = b"" if name in self.sizes else raw
        return name, tuple(sizes)

    def _packed(self, field: Field) -> list[int]:
        """The integers of a span, as far as more than a tensor may have axes."""
        values: list[int] = []
        at = field.start
        while at < field.end and len(values) <= MOST_AXES:
            value, at = read_varint(self.content, at, field.end)
            values.append(value)
        return values

    def _port(self, field: Field) -> Port:
        name, element = "", 0
        shape: list[int | None] = []
        for part in fields(self.content, field.start, field.end):
            if part.number == 1:
                name = self._text(part)
            elif part.number == 2:
                for kind in fields(self.content, part.start, part.end):
                    if kind.number != 1:
                        raise ModelFileError(Fault.SHAPE, f"{name!r} is not a tensor.")
                    for piece in fields(self.content, kind.start, kind.end):
                        if piece.number == 1:
                            element = piece.value
                        else:
                            shape += [
                                self._size(d) for d in fields(self.content, piece.start, piece.end)
                            ]
        return Port(name, element, tuple(shape))

    def _size(self, field: Field) -> int | None:
        for part in fields(self.content, field.start, field.end):
            if part.number == 1:
                return part.value
        return None
