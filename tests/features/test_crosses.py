"""Crosses of columns: the graph makes what we make, and no row learns its own target."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from fathometer.features.category import frequent_levels
from fathometer.features.cross_search import Lessons, fit_crosses
from fathometer.features.crosses import (
    LevelCells,
    Operation,
    ValueCells,
    fit_level_relative,
    fit_number_crosses,
    fit_pair_statistics,
)
from fathometer.features.number import fit_numbers
from fathometer.features.roads import Road, fit_recipe
from fathometer.graph import Element, Graph
from fathometer.table.kind import ELEMENTS, Kind
from fathometer.table.table import Table, column_from


def odd_table(rows: int, seed: int = 0) -> Table:
    """Numbers with gaps, zeros, infinities and far too large ones; levels with gaps."""
    random = np.random.default_rng(seed)
    near, far = random.normal(size=rows), 1e9 + random.normal(size=rows)
    near[random.random(rows) < 0.1] = np.nan
    near[:4] = 0.0, np.inf, -np.inf, 1e-310
    far[4:7] = 0.0, 3e29, -3e29
    few = random.integers(0, 5, rows).astype(float)
    few[7] = np.nan
    shade = np.array(["red", "green", "blue", None], dtype=object)[random.integers(0, 4, rows)]
    return Table(
        (
            column_from("near", Kind.NUMBER, near),
            column_from("far", Kind.NUMBER, far),
            column_from("few", Kind.NUMBER, few),
            column_from("shade", Kind.CATEGORY, shade),
        )
    )


def strangers() -> Table:
    """Values and levels that the training rows did not have."""
    return Table(
        (
            column_from("near", Kind.NUMBER, [np.nan, 0.0, np.inf, 7.0, 1e-320]),
            column_from("far", Kind.NUMBER, [0.0, np.nan, 1e300, -1e29, 5.0]),
            column_from("few", Kind.NUMBER, [2.5, 99.0, np.nan, np.inf, 3.0]),
            column_from("shade", Kind.CATEGORY, ["mauve", None, "", "red", "blue"]),
        )
    )


def in_graph(step, table: Table) -> np.ndarray:
    graph = Graph()
    model = graph.finish({"out": (step.write(graph), Element.FLOAT, len(step.names))})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    wanted = [port.name for port in session.get_inputs()]
    feed = {
        name: (
            table[name].numbers
            if ELEMENTS[table[name].kind] is Element.DOUBLE
            else table[name].strings
        )[:, None]
        for name in wanted
    }
    return np.asarray(session.run(None, feed)[0])


def steps(table: Table) -> dict[str, tuple]:
    """One step of every sort with its training matrix."""
    numbers = fit_numbers(table, tuple(column.spec for column in table), cyclic=False)
    assert numbers is not None
    left, right = np.array([0, 1, 2, 2]), np.array([1, 0, 0, 1])
    shade = LevelCells("shade", frequent_levels(table["shade"], most=2))
    few = ValueCells(numbers, 2, np.arange(5.0))
    target = {"truth": np.random.default_rng(1).normal(size=len(table))}
    made = {op.name: fit_number_crosses(numbers, op, left, right, table) for op in Operation}
    made["relative to level"] = fit_level_relative(shade, numbers, np.array([0, 1]), table)
    made["relative to value"] = fit_level_relative(few, numbers, np.array([1]), table)
    made["pair"] = fit_pair_statistics(shade, few, table, target, 0)
    return made


@pytest.mark.parametrize(
    "sort", [*(op.name for op in Operation), "relative to level", "relative to value", "pair"]
)
def test_graph_makes_the_same_crosses(sort: str) -> None:
    table = odd_table(400)
    step, _ = steps(table)[sort]
    for rows in (table, strangers(), table.rows(np.arange(1))):
        found = in_graph(step, rows)
        np.testing.assert_array_equal(found, step.matrix(rows))
        assert not np.isinf(found).any()


@pytest.mark.parametrize("question", ["survival", "classes", "fares"])
def test_recipe_with_crosses_has_more_columns_and_its_twin(question, request) -> None:
    setting = request.getfixturevalue(question)
    plain, more = (
        fit_recipe(Road.TREES, setting.table, setting.task, setting.split.train, crosses=crosses)
        for crosses in (False, True)
    )
    assert set(plain.recipe.names) < set(more.recipe.names)
    assert more.training.shape[1] == len(more.recipe.names)
    np.testing.assert_array_equal(more.training[:, : plain.training.shape[1]], plain.training)


def test_a_row_does_not_see_its_own_target_in_a_pair() -> None:
    table = odd_table(300)
    shade = LevelCells("shade", frequent_levels(table["shade"], most=4))
    numbers = fit_numbers(table, tuple(column.spec for column in table), cyclic=False)
    few = ValueCells(numbers, 2, np.arange(5.0))
    truth = np.random.default_rng(0).normal(size=len(table))
    turned = truth.copy()
    turned[11] += 100.0
    _, before = fit_pair_statistics(shade, few, table, {"truth": truth}, 0)
    _, after = fit_pair_statistics(shade, few, table, {"truth": turned}, 0)
    assert np.array_equal(before[11], after[11])
    assert not np.array_equal(before, after)


def test_a_product_that_decides_is_found() -> None:
    random = np.random.default_rng(0)
    columns = {name: random.normal(size=1500) for name in ("one", "two", "three", "four")}
    truth = columns["one"] * columns["three"] + 0.1 * random.normal(size=1500)
    table = Table(tuple(column_from(name, Kind.NUMBER, values) for name, values in columns.items()))
    numbers = fit_numbers(table, tuple(column.spec for column in table), cyclic=False)
    from fathometer.features.number import fit_centred

    step = fit_centred(numbers, table)
    lessons = Lessons(table, truth, 0, {"truth": truth}, 0)
    found = fit_crosses([(step, step.matrix(table))], lessons)
    names = [name for step, _ in found for name in step.names]
    assert "one * three" in names


def test_crosses_of_one_column_or_of_constants_are_none() -> None:
    table = Table((column_from("one", Kind.NUMBER, np.ones(50)),))
    numbers = fit_numbers(table, tuple(column.spec for column in table), cyclic=False)
    from fathometer.features.number import fit_centred

    step = fit_centred(numbers, table)
    truth = np.random.default_rng(0).normal(size=50)
    assert fit_crosses([(step, step.matrix(table))], Lessons(table, truth, 0, {}, 0)) == []
