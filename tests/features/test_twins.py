"""Every step's matrix here equals what its graph twin makes of the raw columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest

from fathometer.errors import LearnerError
from fathometer.features.learned import fit_learned_road
from fathometer.features.roads import Road, fit_recipe
from fathometer.graph import Element, Graph
from fathometer.modelfile.write import edge_rows
from fathometer.table.date import parse
from fathometer.table.kind import ELEMENTS, ColumnSpec, Kind
from fathometer.table.layout import LAYOUTS
from fathometer.table.table import Column, Table, column_from


def feeds(table, wanted):
    return {
        name: (
            table[name].numbers
            if ELEMENTS[table[name].kind] is Element.DOUBLE
            else table[name].strings
        )[:, None]
        for name in wanted
    }


def run(graph, tensor, table):
    model = graph.finish({"out": (tensor, Element.FLOAT, None)})
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, feeds(table, [port.name for port in session.get_inputs()]))[0]


def with_edges(setting):
    specs = tuple(c.spec for c in setting.table if c.name != setting.task.target)
    features = setting.table.without([setting.task.target])
    return [features, edge_rows(features, specs)]


@pytest.mark.parametrize("road", Road)
@pytest.mark.parametrize("question", ["survival", "classes", "fares"])
def test_recipe_and_graph_make_the_same_matrix(road, question, request):
    setting = request.getfixturevalue(question)
    recipe = fit_recipe(road, setting.table, setting.task, setting.split.train).recipe
    for table in with_edges(setting):
        graph = Graph()
        found = run(graph, recipe.write(graph), table)
        np.testing.assert_allclose(found, recipe.matrix(table), atol=1e-6, equal_nan=True)
        assert found.shape[1] == len(recipe.names)


@pytest.mark.parametrize("part", ["numbers", "flags", "codes"])
def test_learned_road_and_graph_make_the_same_inputs(part, survival):
    folds = [survival.split.fold_rows(fold)[0] for fold in range(3)]
    road = fit_learned_road(survival.table, survival.task, folds)
    for table in with_edges(survival):
        graph = Graph()
        tensor = graph.cast(getattr(road.write(graph), part), Element.FLOAT)
        np.testing.assert_allclose(
            run(graph, tensor, table), getattr(road.inputs(table), part), atol=1e-6
        )


def test_a_category_whose_levels_never_repeat_is_left_out(survival):
    names = column_from("name", Kind.CATEGORY, [f"u{row}" for row in range(len(survival.table))])
    target = survival.table[survival.task.target]
    folds = [survival.split.fold_rows(fold)[0] for fold in range(3)]
    beside = replace(survival.table, columns=(names, survival.table["age"], target))
    road = fit_learned_road(beside, survival.task, folds)
    assert road.levels == ()
    assert road.write(Graph()).codes is None
    alone = replace(survival.table, columns=(names, target))
    with pytest.raises(LearnerError, match="stands in two"):
        fit_learned_road(alone, survival.task, folds)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.example)
def test_raw_dates_mean_the_same_in_the_graph(layout):
    raw = [
        layout.example,
        layout.example + " 10:11",
        None,
        layout.example + "T23:59:59.25+02:30",
        "2001-02-28 05:06:07Z",
        "junk",
        "1969-03-31",
        "0004-02-29",
        "2024-02-30 01:00-11:30",
        "0000-01-01",
        "0001-01-01",
        "0001-01-01 01:00+02:00",
        "9999-12-31T23:59-05:00",
    ]
    seconds = pa.array(parse(pa.array(raw), layout), from_pandas=True)
    when = Column(ColumnSpec("when", Kind.DATE, layout), seconds)
    from fathometer.features.calendar import fit_calendar

    parts = fit_calendar(when, cyclic=True)
    graph = Graph()
    tensor = graph.cast(parts.write(graph), Element.FLOAT)
    model = graph.finish({"out": (tensor, Element.FLOAT, len(parts.names))})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    strings = np.array([[text or ""] for text in raw], dtype=object)
    found = session.run(None, {"when": strings})[0]
    np.testing.assert_allclose(found, parts.values(when).astype(np.float32), atol=1e-6)


def test_moments_that_no_date_string_says_are_missing_here_and_in_the_graph():
    from fathometer.features.calendar import fit_calendar

    when = column_from("when", Kind.DATE, [0.0, 253402300800.0, -62135596801.0, -7e10, None])
    parts = fit_calendar(when, cyclic=False)
    found = run((graph := Graph()), graph.cast(parts.write(graph), Element.FLOAT), Table((when,)))
    np.testing.assert_allclose(found, parts.values(when).astype(np.float32))
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, True, True]


def test_calendar_agrees_with_the_standard_library():
    import datetime

    from fathometer.features.calendar import civil_from_days

    first = datetime.date(1970, 1, 1)
    dates = [datetime.date(1599, 1, 1) + datetime.timedelta(days=97 * n) for n in range(3000)]
    year, month, day, of_year = civil_from_days(np.array([(d - first).days for d in dates]))
    assert [*zip(year, month, day, strict=True)] == [(d.year, d.month, d.day) for d in dates]
    assert list(of_year) == [d.timetuple().tm_yday for d in dates]


def test_a_row_does_not_see_its_own_target(survival):
    """Changing one training row's target changes no target statistic of that row."""
    from fathometer.features.category import fit_target_statistics

    column = survival.table["cabin"]
    truth = survival.truth.astype(float)
    _, before = fit_target_statistics(column, {"survived": truth}, seed=0)
    turned = truth.copy()
    turned[7] = 1 - turned[7]
    _, after = fit_target_statistics(column, {"survived": turned}, seed=0)
    assert np.array_equal(before[7], after[7])
    assert not np.array_equal(before, after)


def test_steps_of_two_models_are_written_once(survival):
    graph = Graph()
    recipe = fit_recipe(Road.TREES, survival.table, survival.task, survival.split.train).recipe
    again = fit_recipe(Road.TREES, survival.table, survival.task, survival.split.train).recipe
    assert recipe.write(graph) == again.write(graph)


def test_a_constant_and_an_empty_column_harm_nothing(survival):
    rows = len(survival.table)
    odd = (
        column_from("one", Kind.NUMBER, np.ones(rows)),
        column_from("none", Kind.NUMBER, [None] * rows),
        column_from("nothing", Kind.CATEGORY, [None] * rows),
        survival.table[survival.task.target],
    )
    table: Table = replace(survival.table, columns=odd)
    for road in Road:
        fitted = fit_recipe(road, table, survival.task, survival.split.train)
        assert np.isfinite(fitted.training[:, 0]).all()
