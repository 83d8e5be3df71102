"""A model file that is not exactly what it says is refused, by name, before the runtime sees it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from resealing import resealed

from fathometer.errors import Fault, ModelFileError
from fathometer.learners.linear import Logistic
from fathometer.modelfile import load as loading
from fathometer.modelfile import verify as verifying
from fathometer.modelfile.load import from_bytes, load
from fathometer.modelfile.verify import verify
from fathometer.modelfile.write import ship


@pytest.fixture(scope="module")
def content(survival):
    model = Logistic((1e-2,)).fit(survival.table, survival.task, survival.split)
    return ship(model, "logistic", survival.table, survival.split.lockbox).file().content


def add_loop(proto):
    body = helper.make_graph([], "body", [], [])
    proto.graph.node.append(helper.make_node("Loop", [], [], body=body))


def add_external(proto):
    tensor = TensorProto(name="far", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    proto.graph.initializer.append(tensor)


def add_sparse(proto):
    proto.graph.sparse_initializer.add()


def add_function(proto):
    proto.functions.add(name="f", domain="x")


def add_custom(proto):
    proto.graph.node.append(helper.make_node("EPContext", [], ["y"], domain="com.microsoft"))


def add_domain(proto):
    proto.opset_import.add(domain="evil", version=1)


def raise_opset(proto):
    proto.opset_import[0].version = 99


def bomb(proto):
    proto.graph.initializer.append(TensorProto(name="b", data_type=1, dims=[2**40], raw_data=b"\0"))


def overflow(proto):
    proto.graph.initializer.append(
        TensorProto(name="b", data_type=1, dims=[2**32, 2**32], raw_data=b"")
    )


def rename_input(proto):
    proto.graph.input[0].name = "someone else"


def widen_output(proto):
    proto.graph.output[1].type.tensor_type.shape.dim[1].dim_value = 9


def break_columns(proto):
    for prop in proto.metadata_props:
        if prop.key == "fathometer.columns":
            prop.value = "[" * 100_000


def newer_format(proto):
    for prop in proto.metadata_props:
        if prop.key == "fathometer.model":
            prop.value = prop.value.replace('"format": 1', '"format": 2')


def loose_end(proto):
    proto.graph.node[0].input[0] = "nowhere"


HOSTILE = [
    (add_loop, Fault.GRAPH),
    (add_external, Fault.EXTERNAL),
    (add_sparse, Fault.GRAPH),
    (add_function, Fault.GRAPH),
    (add_custom, Fault.OPERATOR),
    (add_domain, Fault.OPSET),
    (raise_opset, Fault.OPSET),
    (bomb, Fault.SHAPE),
    (overflow, Fault.SHAPE),
    (rename_input, Fault.SHAPE),
    (widen_output, Fault.SHAPE),
    (break_columns, Fault.METADATA),
    (newer_format, Fault.FORMAT),
]


@pytest.mark.parametrize(
    ("harm", "fault"), HOSTILE, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_hostile_change_is_refused_by_name(content, harm, fault):
    proto = onnx.ModelProto.FromString(content)
    harm(proto)
    with pytest.raises(ModelFileError) as caught:
        from_bytes(resealed(proto))
    assert caught.value.fault is fault


def test_a_graph_with_a_loose_end_is_refused_by_the_runtime(content):
    proto = onnx.ModelProto.FromString(content)
    loose_end(proto)
    with pytest.raises(ModelFileError) as caught:
        _ = from_bytes(resealed(proto)).session
    assert caught.value.fault is Fault.RUNTIME


def test_every_flipped_bit_is_noticed(content):
    random = np.random.default_rng(0)
    for place in random.integers(0, len(content), 400):
        turned = bytearray(content)
        turned[place] ^= 1 << int(random.integers(8))
        with pytest.raises(ModelFileError):
            from_bytes(bytes(turned))


def test_every_cut_is_noticed(content):
    for length in np.random.default_rng(0).integers(0, len(content), 100):
        with pytest.raises(ModelFileError):
            from_bytes(content[:length])


def test_random_bytes_are_refused_without_another_error():
    random = np.random.default_rng(0)
    for size in random.integers(0, 400, 500):
        with pytest.raises(ModelFileError):
            from_bytes(random.bytes(int(size)))


def test_an_absent_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(ModelFileError, match=r"gone\.onnx"):
        load(tmp_path / "gone.onnx")


def test_anothers_onnx_file_is_told_apart(tmp_path):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])
    other = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [value], [other])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    with pytest.raises(ModelFileError, match="Fathometer did not write it"):
        from_bytes(proto.SerializeToString())


def test_labels_that_are_no_whole_numbers_are_refused_when_the_file_is_opened(content):
    proto = onnx.ModelProto.FromString(content)
    for prop in proto.metadata_props:
        if prop.key == "fathometer.task":
            assert '"classes": ["0", "1"]' in prop.value
            prop.value = prop.value.replace('["0", "1"]', '["no", "yes"]')
    with pytest.raises(ModelFileError, match="its task cannot be read") as caught:
        from_bytes(resealed(proto))
    assert caught.value.fault is Fault.METADATA


def test_a_tensors_name_that_is_not_utf_8_is_refused_when_the_file_is_opened(content):
    proto = onnx.ModelProto.FromString(content)
    name = proto.graph.node[0].output[0].encode()
    spoilt = content.replace(name, b"\xff" + name[1:])
    with pytest.raises(ModelFileError, match="not UTF-8"):
        verify(spoilt)


def test_more_than_the_largest_file_is_not_even_read(monkeypatch):
    for module in (loading, verifying):
        monkeypatch.setattr(module, "LARGEST_FILE", 1000)
    with pytest.raises(ModelFileError) as caught:
        load("/dev/zero")
    assert caught.value.fault is Fault.TOO_LARGE
