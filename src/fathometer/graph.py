"""Writing ONNX graphs, a node at a time.

A `Graph` hash-conses: asking for the same operator on the same inputs with the same attributes
returns the tensor that is already there. So five fold models, or an ensemble of unlike models, that
each write their own preprocessing share every step they have in common, without knowing of each
other. The graph knows nothing of tables, models or metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

# Operator sets: StringSplit, StringConcat and RegexFullMatch came with 20; LabelEncoder and the
# tree operators we use are complete in ai.onnx.ml 3. All are in every onnxruntime since 1.17.
OPSETS = {"": 20, "ai.onnx.ml": 3, "com.microsoft": 1}
IR_VERSION = 10

# What the names of stored tensors begin with; those that hold rows of the training data are told
# apart, so that a file can say how many travel in it.
CONSTANT, TRAINING_ROWS = "/constant/", "/training rows/"

# Arrays hold integers or bytes.
Attribute = int | float | str | Sequence[int] | Sequence[float] | Sequence[str] | np.ndarray


class Element(Enum):
    """Element types of the tensors we name, with ONNX's own codes."""

    FLOAT = 1
    UINT8 = 2
    INT64 = 7
    STRING = 8
    BOOL = 9
    DOUBLE = 11


class Graph:
    """An ONNX graph under construction; tensors are known by their names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: dict[str, tuple[Element, Sequence[int | str]]] = {}
        self._known: dict[bytes, tuple[str, ...]] = {}

    def input(self, name: str, element: Element) -> str:
        """Declare a column of raw values, shape (rows, 1), and return its tensor."""
        self._inputs.setdefault(name, (element, ("rows", 1)))
        return name

    def pictures(self, name: str, channels: int) -> str:
        """Declare a column of pictures and return its tensor, uint8.

        Shape (rows, height, width, channels); height and width are the caller's, the same for all
        rows of a call."""
        shape = ("rows", f"{name}/height", f"{name}/width", channels)
        self._inputs.setdefault(name, (Element.UINT8, shape))
        return name

    def declare(self, port: onnx.ValueInfoProto) -> str:
        """Declare an input as another graph did, and return its tensor."""
        kind = port.type.tensor_type
        shape = [size.dim_param or size.dim_value for size in kind.shape.dim]
        self._inputs.setdefault(port.name, (Element(kind.elem_type), shape))
        return str(port.name)

    def constant(
        self, values: np.ndarray | np.generic | Sequence[str] | float, *, is_rows: bool = False
    ) -> str:
        """Store an array (numbers, booleans or strings) once and return its tensor.

        is_rows: its rows are training rows, in whatever form; the file will say how many."""
        from onnx import helper, numpy_helper

        array = np.asarray(values)
        if array.dtype.kind in "OU":
            flat = [str(value).encode() for value in array.ravel()]
            tensor = helper.make_tensor("", Element.STRING.value, array.shape, flat)
        else:
            tensor = numpy_helper.from_array(np.ascontiguousarray(array))
        digest = hashlib.sha256(tensor.SerializeToString()).hexdigest()[:24]
        name = (TRAINING_ROWS if is_rows else CONSTANT) + digest
        if name not in self._constants:
            tensor.name = name
            self._constants[name] = tensor
        return name

    def again(self, name: str, values: np.ndarray) -> str:
        """Store what another graph stores by this name."""
        return self.constant(values, is_rows=name.startswith(TRAINING_ROWS))

    def add(
        self,
        operator: str,
        *inputs: str,
        domain: str = "",
        outputs: int = 1,
        **attributes: Attribute,
    ) -> str:
        """Apply an operator and return its first output; `attributes` are ONNX's own names."""
        return self.add_many(operator, *inputs, domain=domain, outputs=outputs, **attributes)[0]

    def add_many(
        self, operator: str, *inputs: str, domain: str = "", outputs: int, **attributes: Attribute
    ) -> tuple[str, ...]:
        """Apply an operator and return all its outputs."""
        from onnx import helper

        node = helper.make_node(operator, list(inputs), [], domain=domain)
        for name, value in sorted(attributes.items()):
            _set_attribute(node, name, value)
        return self._write(node, outputs)

    def _write(self, node: onnx.NodeProto, outputs: int) -> tuple[str, ...]:
        """Append a node that has no outputs and no name yet, unless its equal is there."""
        key = hashlib.sha256(node.SerializeToString(deterministic=True)).digest()
        if key not in self._known:
            node.name = f"/{len(self._nodes)}/{node.op_type}"
            names = tuple(f"{node.name}/{place}" for place in range(outputs))
            node.output.extend(names)
            self._nodes.append(node)
            self._known[key] = names
        return self._known[key]

    def cast(self, tensor: str, element: Element) -> str:
        """Convert a tensor's elements."""
        return self.add("Cast", tensor, to=element.value)

    def concat(self, tensors: Sequence[str], axis: int = 1) -> str:
        """Join tensors along an axis; one tensor is returned as it is."""
        return tensors[0] if len(tensors) == 1 else self.add("Concat", *tensors, axis=axis)

    def replay(self, model: onnx.ModelProto) -> str:
        """Write another model's whole graph into this one and return its last output's tensor.

        What both have in common, down to the constants, is shared."""
        # An input that a node leaves out has no name.
        renamed = {"": ""} | {port.name: port.name for port in model.graph.input}
        for port in model.graph.input:
            self.declare(port)
        for tensor in model.graph.initializer:
            renamed[tensor.name] = self.again(tensor.name, tensor_array(tensor))
        for node in model.graph.node:
            if node.name.startswith("/out/"):
                renamed[node.output[0]] = renamed[node.input[0]]
                continue
            written = self.copy(node, [renamed[name] for name in node.input])
            renamed.update(zip(node.output, written, strict=True))
        return str(renamed[model.graph.output[-1].name])

    def copy(self, node: onnx.NodeProto, inputs: Sequence[str]) -> tuple[str, ...]:
        """Apply another graph's node to these tensors and return all its outputs."""
        fresh = type(node)()
        fresh.CopyFrom(node)
        del fresh.input[:], fresh.output[:]
        fresh.ClearField("name")
        fresh.input.extend(inputs)
        return self._write(fresh, len(node.output))

    def _drop_unused(self) -> None:
        """Leave out the nodes and constants that no output needs."""
        needed: set[str] = set()
        kept = []
        for node in reversed(self._nodes):
            if node.name.startswith("/out/") or not needed.isdisjoint(node.output):
                needed.update(node.input)
                kept.append(node)
        self._nodes = kept[::-1]
        self._constants = {n: tensor for n, tensor in self._constants.items() if n in needed}

    def finish(self, outputs: dict[str, tuple[str, Element, int | None]]) -> onnx.ModelProto:
        """Close the graph.

        Args:
            outputs: from the output's name to its tensor, element type and number of columns;
                `None` columns mean shape (rows,).
        """
        from onnx import helper

        for name, (tensor, _, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [tensor], [name], name=f"/out/{name}"))
        self._drop_unused()
        graph = helper.make_graph(
            self._nodes,
            "fathometer",
            [
                helper.make_tensor_value_info(name, element.value, shape)
                for name, (element, shape) in self._inputs.items()
            ],
            [
                helper.make_tensor_value_info(
                    name, element.value, ["rows"] if width is None else ["rows", width]
                )
                for name, (_, element, width) in outputs.items()
            ],
            initializer=list(self._constants.values()),
        )
        used = {node.domain for node in self._nodes} | {""}
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid(d, v) for d, v in OPSETS.items() if d in used],
            ir_version=IR_VERSION,
            producer_name="fathometer",
        )


def _set_attribute(node: onnx.NodeProto, name: str, value: Attribute) -> None:
    """Add an attribute, as onnx's helper makes it; arrays without its look at every element: the
    nodes of a forest are millions."""
    from onnx import AttributeProto, helper

    if not isinstance(value, np.ndarray):
        node.attribute.append(helper.make_attribute(name, value))
        return
    made = node.attribute.add(name=name)
    if value.dtype.kind == "S":
        made.type = AttributeProto.STRINGS
        made.strings.extend(value.tolist())
    else:
        made.type = AttributeProto.INTS
        made.ints.extend(value.tolist())


def write_split(graph: Graph, texts: str, pattern: str = "") -> str:
    """Cut strings (rows,) into what matches an RE2 pattern, or without one into characters.

    Returns strings (rows, most tokens of a row), filled up with empty ones. By onnxruntime's
    Tokenizer, the one operator outside ONNX proper that a model file may contain."""
    how: dict[str, Attribute] = {"tokenexp": pattern} if pattern else {"separators": [""]}
    how |= {"mark": 0, "mincharnum": 1, "pad_value": ""}
    return graph.add("Tokenizer", texts, domain="com.microsoft", outputs=1, **how)


def write_blank(graph: Graph, texts: str) -> str:
    """An empty string for each of some strings, whatever they say."""
    return graph.add(
        "LabelEncoder",
        texts,
        domain="ai.onnx.ml",
        keys_strings=[""],
        values_strings=[""],
        default_string="",
    )


def write_lookup(graph: Graph, texts: str, numbers: Mapping[str, int], default: int) -> str:
    """The number of each of some strings, `default` for those without one; int64 of their shape."""
    return graph.add(
        "LabelEncoder",
        texts,
        domain="ai.onnx.ml",
        keys_strings=list(numbers),
        values_int64s=list(numbers.values()),
        default_int64=default,
    )


def write_slice(graph: Graph, tensor: str, start: int, end: int, axis: int = 1) -> str:
    """A tensor's part from `start` to before `end` along an axis; negative ends count backwards."""
    bounds = (graph.constant(np.array([bound])) for bound in (start, end, axis))
    return graph.add("Slice", tensor, *bounds)


def write_squared_distances(graph: Graph, rows: str, reference: np.ndarray) -> str:
    """Squared Euclidean distances in double, (rows, references), from a double tensor (rows,
    columns) to training rows, float32 (references, columns), that are written as they are."""
    wide = graph.cast(graph.constant(reference, is_rows=True), Element.DOUBLE)
    across = graph.add("MatMul", rows, graph.add("Transpose", wide, perm=[1, 0]))
    twice = graph.add("Mul", across, graph.constant(-2.0))
    length = (reference.astype(np.float64) ** 2).sum(axis=1)
    axis = graph.constant(np.array([1]))
    own = graph.add("ReduceSum", graph.add("Mul", rows, rows), axis, keepdims=1)
    squared = graph.add("Add", graph.add("Add", twice, graph.constant(length)), own)
    return graph.add("Max", squared, graph.constant(0.0))


def write_counts(graph: Graph, tokens: str, known: Sequence[str] | Sequence[int]) -> str:
    """How often each row of tokens, (rows, tokens), holds each known one; float (rows, known)."""
    is_text = all(isinstance(each, str) for each in known)
    how: dict[str, Attribute] = {"pool_strings" if is_text else "pool_int64s": known}
    how |= {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0}
    how |= {"ngram_counts": [0], "ngram_indexes": list(range(len(known)))}
    return graph.add("TfIdfVectorizer", tokens, domain="", outputs=1, **how)


def tensor_array(tensor: onnx.TensorProto) -> np.ndarray:
    """The values of a stored tensor; strings as objects."""
    from onnx import numpy_helper

    if tensor.data_type != Element.STRING.value:
        return np.asarray(numpy_helper.to_array(tensor))
    texts = np.array([text.decode() for text in tensor.string_data], dtype=object)
    return texts.reshape(tuple(tensor.dims))
