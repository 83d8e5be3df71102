"""Raw "?", "NA" and -999 mean missing in the graph, as they do in the table."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from fathometer.features.learned import fit_learned_road
from fathometer.features.roads import Road, fit_recipe
from fathometer.graph import Element, Graph
from fathometer.table.ask import ask
from fathometer.table.read import read

ROWS = 120
RAW = {
    "colour": [("red", "blue", "?", "green")[row % 4] for row in range(ROWS)],
    "town": ["?" if row % 7 == 0 else f"town {row % 20}" for row in range(ROWS)],  # many levels
    "said": ["NA" if row % 5 == 0 else f"na {row % 3} words no. {row}" for row in range(ROWS)],
    "weight": [-999.0 if row % 10 == 0 else row % 9 / 2 for row in range(ROWS)],
    "size": [float(row % 11) for row in range(ROWS)],
    "bought": [str(row % 3 == 0) for row in range(ROWS)],
}


@pytest.fixture(scope="module")
def sold():
    table = read(RAW).table
    assert [table[name].missing for name in ("colour", "town", "said", "weight")] == [
        30,
        18,
        24,
        12,
    ]
    return table, ask(table, "bought")


def answer(graph, tensor):
    model = graph.finish({"out": (tensor, Element.FLOAT, None)})
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feeds = {
        port.name: np.array(RAW[port.name], object if "string" in port.type else float)[:, None]
        for port in session.get_inputs()
    }
    return session.run(None, feeds)[0]


@pytest.mark.parametrize("rows", [np.arange(ROWS), np.arange(1, ROWS, 70)], ids=["all", "few"])
@pytest.mark.parametrize("road", Road)
def test_raw_words_for_missing_give_the_tables_own_matrix(road, rows, sold):
    table, task = sold
    recipe = fit_recipe(road, table, task, rows).recipe
    graph = Graph()
    found = answer(graph, recipe.write(graph))
    np.testing.assert_allclose(found, recipe.matrix(table), atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("part", ["numbers", "flags", "codes"])
def test_raw_words_for_missing_give_the_networks_own_inputs(part, sold):
    table, task = sold
    road = fit_learned_road(table, task, [np.arange(0, ROWS, 2), np.arange(1, ROWS, 2)])
    graph = Graph()
    found = answer(graph, graph.cast(getattr(road.write(graph), part), Element.FLOAT))
    np.testing.assert_allclose(found, getattr(road.inputs(table), part), atol=1e-6)


def test_a_column_without_words_for_missing_costs_no_node(sold):
    table, task = sold
    plain = table.without(["weight", "said", "town", "colour"])
    graph = Graph()
    recipe = fit_recipe(Road.TREES, plain, task, np.arange(ROWS)).recipe
    model = graph.finish({"out": (recipe.write(graph), Element.FLOAT, 1)})
    assert not {"Or", "Equal", "LabelEncoder"} & {node.op_type for node in model.graph.node}
