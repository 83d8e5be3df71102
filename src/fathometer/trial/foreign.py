"""ONNX files from elsewhere, opened as carefully as our own: a closed list, and nothing else.

Such a file has no hash of ours and may be hostile. It is read from its bytes, so that nothing it
names on the disk is opened; operators must stand on a list without loops and branches; memory is
bounded, and what takes too long is ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.errors import Fault, ModelFileError
from fathometer.modelfile.verify import LARGEST_FILE, MOST_NODES
from fathometer.runtime import PROVIDERS, one_thread

if TYPE_CHECKING:
    import onnx
    import onnxruntime

# What networks, trees, linear models and their preparation are exported as. Not on it, on purpose:
# If, Loop, Scan and SequenceMap; and ConstantOfShape, Einsum, Expand, EyeLike, OneHot, Pad,
# Random*, Range, Resize, Tile and Upsample, which make a large tensor from a few numbers. Products
# and Concat can as well, if not in one step: that is what `MOST_BYTES` is for.
STANDARD = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil
Celu Clip Concat Constant Conv Cos Cosh CumSum DequantizeLinear Div Dropout Elu Equal Erf Exp
Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater
GreaterOrEqual GroupNormalization GRU HardSigmoid HardSwish Identity InstanceNormalization IsInf
IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LRN LSTM MatMul MatMulInteger
Max MaxPool Mean Min Mish Mod Mul Neg Not Or Pow PRelu QuantizeLinear Reciprocal ReduceL1 ReduceL2
ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape
RNN Round Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign Split Sqrt Squeeze
StringConcat StringNormalizer StringSplit Sub Sum Tan Tanh TfIdfVectorizer ThresholdedRelu TopK
Transpose Unsqueeze Where Xor
"""
LEARNED = """
ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder
LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler
TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor ZipMap
"""
OPERATORS: Mapping[str, frozenset[str]] = {
    "": frozenset(STANDARD.split()),
    "ai.onnx": frozenset(STANDARD.split()),
    "ai.onnx.ml": frozenset(LEARNED.split()),
    "com.microsoft": frozenset({"Tokenizer"}),
}
EXTERNAL = 1  # TensorProto.EXTERNAL
RUN_SECONDS = 60.0  # for all answers together, those that are timed included
# More for each picture: VGG-16, among the largest of the usual networks (15 billion products for a
# picture of 224 × 224), took a busy core of an Intel Xeon 0.23 to 0.35 s.
PICTURE_SECONDS = 1.0
MOST_BYTES = 4 << 30  # of memory, for what all challengers of a process hold at a time


@dataclass(frozen=True)
class Port:
    """An input or output: its name, element type in NumPy's words, and axes (None: free)."""

    name: str
    element: str
    axes: tuple[int | None, ...]

    def __str__(self) -> str:
        free = ("rows", *["any"] * len(self.axes))
        axes = ", ".join(
            name if axis is None else str(axis) for name, axis in zip(free, self.axes, strict=False)
        )
        return f"{self.name} {self.element} ({axes})"


@dataclass(eq=False)
class ForeignModel:
    """A verified file and its session."""

    session: onnxruntime.InferenceSession
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    classes: tuple[str, ...]  # as the file names them; empty where it does not
    size_bytes: int
    seconds: float = field(default=0.0)  # that answering has taken so far
    pictures: int = field(default=0)  # that it has been asked about

    def run(self, output: str, feeds: Mapping[str, np.ndarray]) -> np.ndarray:
        """One output, within the time that is left.

        Raises:
            ModelFileError: if the runtime fails, or the time is up.
        """
        import onnxruntime

        most = RUN_SECONDS + PICTURE_SECONDS * self.pictures
        left = most - self.seconds
        options = onnxruntime.RunOptions()

        def end() -> None:
            options.terminate = True

        timer = threading.Timer(max(left, 0.001), end)
        timer.daemon = True
        started = time.monotonic()
        timer.start()
        try:
            found = self.session.run([output], dict(feeds), options)[0]
        except Exception as error:  # noqa: BLE001  its errors share no public type
            if options.terminate:
                raise ModelFileError(
                    Fault.RUNTIME, f"it was still answering after {most:.0f} s."
                ) from None
            raise ModelFileError(
                Fault.RUNTIME, f"onnxruntime cannot run it: {str(error).splitlines()[0][:300]}"
            ) from None
        finally:
            timer.cancel()
            self.seconds += time.monotonic() - started
        return np.asarray(found)


def open_foreign(content: bytes) -> ForeignModel:
    """Verify a file's bytes and open a session of one thread.

    Raises:
        ModelFileError: with the `Fault` that the first failed check stands for.
    """
    import onnx

    if len(content) > LARGEST_FILE:
        raise ModelFileError(
            Fault.TOO_LARGE, f"it has {len(content):,} bytes; at most {LARGEST_FILE:,} are read."
        )
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:  # protobuf's errors share no public type
        raise ModelFileError(Fault.NOT_A_MODEL, "it is not an ONNX model.") from error
    if not model.graph.node:
        raise ModelFileError(Fault.NOT_A_MODEL, "it is not an ONNX model, or an empty one.")
    _check(model)
    classes = _classes(model)
    _unzip(model)
    session = _bounded_session(model.SerializeToString())
    return ForeignModel(
        session,
        _ports(session.get_inputs()),
        _ports(session.get_outputs()),
        classes,
        len(content),
    )


def _bounded_session(content: bytes) -> onnxruntime.InferenceSession:
    """A session of one thread whose tensors come from an arena of `MOST_BYTES`.

    Constants are not folded: that happens at opening, outside the arena and without a time limit.

    Raises:
        ModelFileError: if the runtime refuses the model.
    """
    import onnxruntime

    _bound_memory()
    options = one_thread()
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return onnxruntime.InferenceSession(
            content,
            options,
            providers=[*PROVIDERS],
            disabled_optimizers=["ConstantFolding"],
        )
    except Exception as error:  # noqa: BLE001  its errors share no public type
        raise ModelFileError(
            Fault.RUNTIME, f"onnxruntime cannot open it: {str(error).splitlines()[0][:300]}"
        ) from None


@cache
def _bound_memory() -> None:
    """Give the runtime's environment its arena; once for a process."""
    import onnxruntime

    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    arena = onnxruntime.OrtArenaCfg({"max_mem": MOST_BYTES})
    onnxruntime.create_and_register_allocator(memory, arena)


def _check(model: onnx.ModelProto) -> None:
    """Refuse whatever is not on the list."""
    if len(model.functions) or len(model.training_info):
        raise ModelFileError(Fault.GRAPH, "it defines functions of its own.")
    if len(model.graph.node) > MOST_NODES:
        raise ModelFileError(Fault.TOO_LARGE, f"it has more than {MOST_NODES:,} nodes.")
    if len(model.graph.sparse_initializer):
        raise ModelFileError(Fault.GRAPH, "it holds sparse tensors.")
    for node in model.graph.node:
        if node.op_type not in OPERATORS.get(node.domain, frozenset()):
            raise ModelFileError(
                Fault.OPERATOR,
                f"it uses the operator {node.domain or 'ai.onnx'}.{node.op_type}, which is not on "
                "the list of operators that a challenger may contain.",
            )
    for tensor in _tensors(model):
        if tensor.data_location == EXTERNAL or len(tensor.external_data):
            raise ModelFileError(Fault.EXTERNAL, "a tensor in it lies in another file.")


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if (
                attribute.HasField("g")
                or len(attribute.graphs)
                or attribute.HasField("sparse_tensor")
            ):
                raise ModelFileError(Fault.GRAPH, "it holds graphs within its graph.")
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _classes(model: onnx.ModelProto) -> tuple[str, ...]:
    """The classes in the order of the probabilities, as converters of classifiers leave them."""
    for node in reversed(model.graph.node):
        for attribute in node.attribute:
            if attribute.name.startswith(("classlabels", "class_labels")):
                if len(attribute.strings):
                    return tuple(_decoded(text) for text in attribute.strings)
                if len(attribute.ints):
                    return tuple(str(number) for number in attribute.ints)
    return ()


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise ModelFileError(
            Fault.GRAPH, f"it names a class {name[:40]!r}, which is not UTF-8."
        ) from None


def _unzip(model: onnx.ModelProto) -> None:
    """Take the maps off the end that scikit-learn's converter puts there: a tensor is asked for."""
    from onnx import TensorProto, helper

    for node in [each for each in model.graph.node if each.op_type == "ZipMap"]:
        if len(node.input) != 1 or len(node.output) != 1:
            raise ModelFileError(Fault.GRAPH, "it has a ZipMap without one input and one output.")
        model.graph.node.remove(node)
        for port in [each for each in model.graph.output if each.name == node.output[0]]:
            model.graph.output.remove(port)
            made = helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, None)
            model.graph.output.append(made)


ELEMENTS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
    "tensor(string)": "string",
}


def _ports(found: Sequence[Any]) -> tuple[Port, ...]:
    ports = []
    for each in found:
        if each.type not in ELEMENTS:
            raise ModelFileError(
                Fault.SHAPE, f'its "{each.name}" is {each.type}, which is not understood.'
            )
        axes = tuple(axis if isinstance(axis, int) else None for axis in each.shape or ())
        ports.append(Port(each.name, ELEMENTS[each.type], axes))
    return tuple(ports)
