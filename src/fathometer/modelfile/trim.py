"""A verified file's graph without what Python answers sooner: category lookups, and the label.

For one row the runtime spends longer on taking the columns in than on computing, and longest on
strings. So where encoders alone read a column, their tables are read from the file, and the graph
takes codes instead of strings; where columns are only put side by side, it takes them as they then
stand. Every other step stays, byte for byte. Needs nothing but the bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fathometer.graph import Element
from fathometer.modelfile.wire import BYTES, Field, fields

# Field numbers of ModelProto, GraphProto, NodeProto and AttributeProto (onnx.proto).
MODEL_GRAPH, MODEL_METADATA = 7, 14
NODE, GRAPH_NAME, INITIALIZER, INPUT, OUTPUT = 1, 2, 5, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE = 1, 2, 4, 5
ATTRIBUTE_NAME, ATTRIBUTE_INTEGER, ATTRIBUTE_INTEGERS, ATTRIBUTE_STRINGS = 1, 3, 8, 9
PORT_NAME, TENSOR_NAME = 1, 8


@dataclass(frozen=True)
class Encoder:
    """What one `LabelEncoder` answers: a code for each string it knows, another for all else."""

    output: str
    codes: Mapping[str, int]
    other: int


@dataclass(frozen=True)
class Source:
    """One column of a port: a column's numbers, or its strings' codes."""

    column: str
    encoder: Encoder | None = None


@dataclass(frozen=True)
class Entry:
    """An input of the trimmed graph, (rows, sources): numbers as double, or codes as int64."""

    name: str
    sources: tuple[Source, ...]

    @property
    def element(self) -> Element:
        return Element.INT64 if self.sources[0].encoder else Element.DOUBLE


@dataclass(frozen=True)
class Trimmed:
    """A model with one output, the scores, that takes columns side by side where it can."""

    content: bytes
    entries: tuple[Entry, ...]
    texts: tuple[str, ...]  # the string inputs that are left


@dataclass(frozen=True)
class _Node:
    payload: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operator: str
    attributes: tuple[Field, ...]


def trim(content: bytes, scores: str, numbers: Sequence[str], strings: Sequence[str]) -> Trimmed:
    """Cut a verified model down to its output `scores`.

    numbers, strings: the names of its double and its string inputs."""
    parts = list(fields(content, 0, len(content)))
    (graph,) = (part for part in parts if part.number == MODEL_GRAPH)
    inner = list(fields(content, graph.start, graph.end))
    kept = _needed([_read_node(content, part) for part in inner if part.number == NODE], scores)
    sources = {name: Source(name) for name in numbers}
    encoders = dict(_replaced(content, kept, strings))
    for name, found in encoders.items():
        sources |= {encoder.output: Source(name, encoder) for encoder in found}
    entries = [
        Entry(node.outputs[0], tuple(sources[name] for name in node.inputs))
        for node in kept
        if _joins(content, node, sources)
    ]
    gone = {entry.name for entry in entries} | sources.keys()
    kept = [node for node in kept if gone.isdisjoint(node.outputs)]
    used = {name for node in kept for name in node.inputs}
    entries += [Entry(name, (source,)) for name, source in sources.items() if name in used]
    texts = tuple(name for name in strings if name not in encoders)
    body = [_span(NODE, node.payload) for node in kept]
    body += [_span(INPUT, _port(each.name, each.element, len(each.sources))) for each in entries]
    body += [_span(INPUT, _port(name, Element.STRING, 1)) for name in texts]
    for part in inner:
        is_used = part.number == INITIALIZER and _text(content, part, TENSOR_NAME) in used
        if is_used or (part.number == OUTPUT and _text(content, part, PORT_NAME) == scores):
            body.append(_span(part.number, content[part.start : part.end]))
    body.append(_span(GRAPH_NAME, b"trimmed"))
    whole = [
        _span(MODEL_GRAPH, b"".join(body)) if part.number == MODEL_GRAPH else _again(content, part)
        for part in parts
        if part.number != MODEL_METADATA
    ]
    return Trimmed(b"".join(whole), tuple(entries), texts)


def _needed(nodes: Sequence[_Node], scores: str) -> list[_Node]:
    """The nodes that the scores depend on, in their order."""
    needed, kept = {scores}, []
    for node in reversed(nodes):
        if not needed.isdisjoint(node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def _joins(content: bytes, node: _Node, sources: Mapping[str, Source]) -> bool:
    """Whether a node puts columns of one type side by side, and does nothing else."""
    if node.operator != "Concat" or not all(name in sources for name in node.inputs):
        return False
    axes = [
        part.value
        for attribute in node.attributes
        for part in fields(content, attribute.start, attribute.end)
        if part.number == ATTRIBUTE_INTEGER
    ]
    return axes == [1] and len({sources[name].encoder is None for name in node.inputs}) == 1


def _read_node(content: bytes, span: Field) -> _Node:
    parts = list(fields(content, span.start, span.end))

    def texts(number: int) -> tuple[str, ...]:
        return tuple(content[p.start : p.end].decode() for p in parts if p.number == number)

    return _Node(
        content[span.start : span.end],
        texts(NODE_INPUT),
        texts(NODE_OUTPUT),
        "".join(texts(NODE_OPERATOR)),
        tuple(part for part in parts if part.number == NODE_ATTRIBUTE),
    )


def _replaced(
    content: bytes, nodes: Sequence[_Node], strings: Sequence[str]
) -> Iterator[tuple[str, tuple[Encoder, ...]]]:
    """The inputs that nothing but encoders reads, with their tables."""
    users: dict[str, list[_Node]] = {name: [] for name in strings}
    for node in nodes:
        for name in users.keys() & set(node.inputs):
            users[name].append(node)
    for name, found in users.items():
        if all(node.operator == "LabelEncoder" for node in found):
            encoders = [_read_encoder(content, node) for node in found]
            known = tuple(encoder for encoder in encoders if encoder is not None)
            if known and len(known) == len(encoders):
                yield name, known


def _read_encoder(content: bytes, node: _Node) -> Encoder | None:
    """The table of a `LabelEncoder` from strings to integers, None if it is of another kind."""
    keys: list[str] = []
    values: list[int] = []
    other: int | None = None
    for attribute in node.attributes:
        name = _text(content, attribute, ATTRIBUTE_NAME)
        parts = list(fields(content, attribute.start, attribute.end))
        if name == "keys_strings":
            keys = [
                content[p.start : p.end].decode() for p in parts if p.number == ATTRIBUTE_STRINGS
            ]
        elif name == "values_int64s":
            values = [p.value for p in parts if p.number == ATTRIBUTE_INTEGERS and not p.is_span]
        elif name == "default_int64":
            other = next((p.value for p in parts if p.number == ATTRIBUTE_INTEGER), 0)
    most = 1 << 63  # beyond it stands a negative number, which no code of ours is
    plain = other is not None and len(keys) == len(values) and max(values, default=0) < most
    if other is None or not plain or other >= most:
        return None
    return Encoder(node.outputs[0], dict(zip(keys, values, strict=True)), other)


def _text(content: bytes, span: Field, number: int) -> str:
    found = (p for p in fields(content, span.start, span.end) if p.number == number)
    return next((content[part.start : part.end].decode() for part in found), "")


def _port(name: str, element: Element, width: int) -> bytes:
    """The `ValueInfoProto` of an input (rows, width)."""
    rows = _span(1, _span(2, b"rows"))  # a dimension with a name
    columns = _span(1, _varint(1 << 3) + _varint(width))  # a dimension with a size
    tensor = _varint(1 << 3) + _varint(element.value) + _span(2, rows + columns)
    return _span(PORT_NAME, name.encode()) + _span(2, _span(1, tensor))


def _again(content: bytes, part: Field) -> bytes:
    """A top-level field as it stood."""
    if part.is_span:
        return _span(part.number, content[part.start : part.end])
    return _varint(part.number << 3) + _varint(part.value)


def _span(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | BYTES) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
