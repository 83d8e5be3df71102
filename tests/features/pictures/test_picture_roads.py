"""The engineered roads of pictures: fitted on training rows alone, the same here and in a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from fathometer.features.roads import Road, fit_recipe
from fathometer.graph import Element, Graph
from fathometer.learners.light_gbm import LightGBM
from fathometer.learners.linear import Logistic
from fathometer.learners.random_forest import ExtraTrees, RandomForest
from fathometer.learners.support_vectors import KernelMachine, LinearMachine
from fathometer.modelfile.write import TOLERANCE, edge_rows, ship
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from, picture_column


def asked_of(table, recipe, rows):
    """The recipe's graph, asked about some pictures at once."""
    graph = Graph()
    model = graph.finish({"matrix": (recipe.write(graph), Element.FLOAT, len(recipe.names))})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"photo": table["photo"].pixels[rows]})[0]


@pytest.mark.parametrize("road", Road)
@pytest.mark.parametrize("kind", ["clothes", "photographs"])
def test_the_graph_of_pictures_makes_the_same_matrix(road, kind, request):
    """To the last bit, one by one and together."""
    table = request.getfixturevalue(kind)
    task = ask(table, "label")
    fitted = fit_recipe(road, table, task, np.arange(0, 600))
    assert fitted.training.shape == (600, len(fitted.recipe.names))
    assert len(fitted.recipe.names) <= (300 if road is Road.TREES else 1_560)
    edges = edge_rows(table, (table["photo"].spec,))
    for judged in (table.rows(np.arange(550, 700)), edges):
        expected = fitted.recipe.matrix(judged)
        assert np.isfinite(expected).all()
        places = np.arange(len(judged))
        assert np.array_equal(asked_of(judged, fitted.recipe, places), expected)
        for place in places[:8]:
            single = asked_of(judged, fitted.recipe, places[place : place + 1])
            assert np.array_equal(single[0], expected[place])


def test_trees_see_whole_numbers(photographs):
    matrix = fit_recipe(Road.TREES, photographs, ask(photographs, "label"), np.arange(500)).training
    assert np.array_equal(matrix, np.rint(matrix))
    assert np.abs(matrix).max() < 1_000


@pytest.mark.parametrize("road", Road)
def test_pictures_that_judge_teach_no_step(road, clothes):
    task, rows = ask(clothes, "label"), np.arange(0, 800, 2)
    pixels = clothes["photo"].pixels.copy()
    pixels[1::2] = 255 - pixels[1::2]
    turned = replace(clothes, columns=(picture_column("photo", pixels), clothes["label"]))
    graphs = []
    for table in (clothes, turned):
        graph, fitted = Graph(), fit_recipe(road, table, task, rows)
        written = fitted.recipe.write(graph)
        model = graph.finish({"matrix": (written, Element.FLOAT, len(fitted.recipe.names))})
        graphs.append(model.SerializeToString(deterministic=True))
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 9, 3), (5, 40, 1), (6, 6, 3)])
@pytest.mark.parametrize("road", Road)
def test_tiny_pictures_have_their_pixels_and_colours(road, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (60, *shape), dtype=np.uint8)
    labels = column_from("label", Kind.CATEGORY, ["a", "b"] * 30)
    table = Table((picture_column("photo", pixels), labels))
    fitted = fit_recipe(road, table, ask(table, "label"), np.arange(40))
    matrix = fitted.recipe.matrix(table)
    assert np.isfinite(matrix).all()
    assert np.array_equal(asked_of(table, fitted.recipe, np.arange(60)), matrix)


def test_pictures_stand_beside_other_columns(clothes):
    price = column_from("price", Kind.NUMBER, np.arange(800.0))
    mixed = replace(clothes, columns=(price, *clothes.columns))
    alone, beside = (
        fit_recipe(Road.TREES, table, ask(table, "label"), np.arange(400)).recipe
        for table in (clothes, mixed)
    )
    assert set(beside.names) == {"price", *alone.names}


LEARNERS = [
    LightGBM(rounds=8),
    RandomForest(trees=10),
    ExtraTrees(trees=10),
    Logistic((1e-2,), iterations=20),
    LinearMachine((1e-2,)),
    KernelMachine(100, (1.0,), (1e-4,)),
]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
@pytest.mark.parametrize("kind", ["clothes", "photographs"])
def test_a_file_of_pictures_answers_as_the_model_did(learner, kind, request):
    table = request.getfixturevalue(kind).rows(np.arange(0, 800, 2))
    task = ask(table, "label")
    split = divide(table, task, DivideOptions(folds=3))
    model = learner.fit(table, task, split)
    shipped = ship(model, learner.name, table, split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE / 10
    truth = task.encode(table["label"])[split.lockbox]
    chance = 0.1
    assert (shipped.scores.argmax(axis=1) == truth).mean() > 2 * chance
