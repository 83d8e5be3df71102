"""A file of few bytes makes little of a row: what grows without end is refused before it is run."""

from __future__ import annotations

import time

import numpy as np
import onnx
import pytest
from onnx import helper

from fathometer.errors import Fault, ModelFileError
from fathometer.graph import Element, Graph
from fathometer.learners.constant import Constant
from fathometer.learners.linear import Logistic
from fathometer.learners.network import PlainNetwork, Training
from fathometer.learners.random_forest import RandomForest
from fathometer.modelfile.feeds import feeds_from
from fathometer.modelfile.load import from_bytes, open_session
from fathometer.modelfile.time_limit import TimeLimit
from fathometer.modelfile.verify import _Walk, verify
from fathometer.modelfile.width import LARGEST_WIDTH, Node, widest
from fathometer.modelfile.wire import Field
from fathometer.modelfile.write import seal, ship, statements


def doubled(fares, times: int) -> bytes:
    """A file that puts a column beside itself so many times."""
    graph = Graph()
    spec = next(column.spec for column in fares.table if column.name == "age")
    wide = found = graph.input(spec.name, Element.DOUBLE)
    for _ in range(times):
        wide = graph.add("Concat", wide, wide, axis=1)
    found = graph.add("ReduceSum", wide, graph.constant(np.array([1])), keepdims=0)
    stated = statements(Constant().fit(fares.table, fares.task, fares.split), "doubled")
    kinds = [{**column} for column in stated["columns"]["columns"]]
    own = [column for column in kinds if column["name"] == spec.name]
    finished = graph.finish({"value": (found, Element.DOUBLE, None)})
    return seal(finished, {**stated, "columns": {"columns": own}})


def test_doubling_a_column_is_refused_where_it_makes_a_million_of_one(fares):
    assert from_bytes(doubled(fares, 10)).predict({"age": 2.0}) == 2048.0
    with pytest.raises(ModelFileError, match="values of a row") as caught:
        from_bytes(doubled(fares, 26))
    assert caught.value.fault is Fault.TOO_LARGE


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node(
            "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1 << 40
        ),
        helper.make_node("TfIdfVectorizer", ["x"], ["y"], ngram_indexes=[0, 1 << 40]),
    ],
    ids=["trees", "n-grams"],
)
def test_a_node_that_states_a_huge_answer_is_refused(fares, node):
    proto = onnx.ModelProto.FromString(doubled(fares, 1))
    proto.graph.node.append(node)
    with pytest.raises(ModelFileError, match="too many values"):
        verify(proto.SerializeToString())


def test_what_our_learners_write_is_a_hundredth_as_wide(survival):
    brief = PlainNetwork(training=Training(epochs=1, least_steps=1))
    for learner in (Logistic((1e-2,)), RandomForest(trees=4), brief):
        model = learner.fit(survival.table, survival.task, survival.split)
        content = ship(model, "x", survival.table, survival.split.lockbox).file().content
        walk = _Walk(content)
        walk.model()
        assert widest(walk.graph_nodes, walk.shapes) < LARGEST_WIDTH / 100


def test_layers_that_read_all_before_them_stay_as_wide_as_they_are():
    nodes, read = [], ["x"]
    for layer in range(60):
        nodes.append(Node("Concat", tuple(read), (f"all{layer}",)))
        nodes.append(Node("Transpose", (f"weight{layer}",), (f"turned{layer}",)))
        nodes.append(Node("MatMul", (f"all{layer}", f"turned{layer}"), (f"h{layer}",)))
        read.append(f"h{layer}")
    shapes = {f"weight{layer}": (8, 1 + 8 * layer) for layer in range(60)}
    assert widest(nodes, shapes) == 1 + 8 * 59


@pytest.mark.parametrize("sizes", [b"\xff" * 200_000, b"\x01" * 9, b"\x80\x80\x80\x80\x08"])
def test_a_shape_that_no_tensor_has_is_refused_at_once(sizes):
    body = helper.make_tensor("x", 1, [1], [0.0]).SerializeToString()[2:]  # without its shape
    length = bytearray()
    left = len(sizes)
    while left > 127:
        length.append(left & 127 | 128)
        left >>= 7
    body = b"\x0a" + bytes(length) + bytes([left]) + sizes + body
    started = time.perf_counter()
    with pytest.raises(ModelFileError):
        _Walk(body)._tensor(Field(5, 0, 0, len(body), is_span=True))
    assert time.perf_counter() - started < 0.2


@pytest.fixture(scope="module")
def long():
    """Cosines of cosines of four million numbers: some 20 s of a core."""
    graph = Graph()
    found = graph.input("x", Element.FLOAT)
    for _ in range(1_000):
        found = graph.add("Cos", found)
    return open_session(graph.finish({"y": (found, Element.FLOAT, 1)}).SerializeToString())


def test_a_run_that_lasts_too_long_is_ended_and_others_are_not(long, survival):
    limit = TimeLimit(0.3)
    started = time.perf_counter()
    with pytest.raises(ModelFileError, match=r"still answering after 0\.3 s"):
        limit.run(long, "y", {"x": np.ones((1 << 22, 1), np.float32)})
    assert time.perf_counter() - started < 3.0
    model = Logistic((1e-2,)).fit(survival.table, survival.task, survival.split)
    file = ship(model, "logistic", survival.table, survival.split.lockbox).file()
    feeds = feeds_from(survival.table, file.columns)[0]
    found = limit.run(file.session, "probability", feeds)
    np.testing.assert_array_equal(found, file.scores(feeds))
