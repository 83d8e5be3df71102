"""Promises of the two-sample test and of the estimate of label noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits

from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.read import read
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task
from fathometer.trial.noise import find_noise
from fathometer.trial.shift import find_shift


def drifting(by: float) -> tuple[Table, Task, Split]:
    """600 rows of two columns; the first of the lockbox is higher by so much."""
    random = np.random.default_rng(0)
    late = np.repeat([0, 1], 300)
    table = read(
        pa.table(
            {
                "price": random.normal(size=600) + by * late,
                "size": random.normal(size=600),
                "sold": random.integers(2, size=600),
            }
        )
    ).table
    task = ask(table, "sold")
    split = divide(table, task, DivideOptions(folds=3))
    rows = np.arange(600)
    return table, task, replace(split, train=rows[:300], lockbox=rows[300:])


def test_a_lockbox_of_other_rows_is_noticed_and_its_column_named() -> None:
    table, task, split = drifting(1.5)
    found = find_shift(table, task, split)
    assert found is not None
    assert found.low > 0.7
    assert found.columns == ("price",)
    assert "most by price" in found.words


def test_a_lockbox_of_like_rows_is_not_mentioned() -> None:
    table, task, split = drifting(0.0)
    found = find_shift(table, task, split)
    assert found is not None
    assert found.words == ""
    assert found.columns == ()


def test_the_column_that_divided_the_rows_is_left_out() -> None:
    table, task, split = drifting(1.5)
    found = find_shift(table, task, split, without=("price",))
    assert found is not None
    assert found.words == ""


def test_few_rows_are_not_compared() -> None:
    table, task, split = drifting(1.5)
    assert find_shift(table, task, replace(split, lockbox=np.arange(10))) is None


def told(rows: int, wrong: float, *, hard: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a share is wrong, and what a good model says of the rows; of `hard` rows
    nothing can be known."""
    random = np.random.default_rng(2)
    honest = random.integers(2, size=rows)
    signal = 6.0 * (honest - 0.5) + random.normal(size=rows)
    signal[random.random(rows) < hard] = 0.3 * random.normal()
    chance = wrong + (1 - 2 * wrong) / (1 + np.exp(-2 * signal))
    labels = np.where(random.random(rows) < wrong, 1 - honest, honest)
    return labels, np.column_stack([1 - chance, chance])


@pytest.mark.parametrize("wrong", [0.05, 0.1, 0.2])
def test_wrong_labels_are_counted(wrong: float) -> None:
    found = find_noise(*told(5_000, wrong))
    assert found is not None
    assert found.low <= wrong <= found.high
    assert f"about {100 * found.share:.1f} %" in found.words


def test_right_labels_raise_no_doubt() -> None:
    assert find_noise(*told(5_000, 0.0)) is None
    assert find_noise(*told(5_000, 0.0, hard=0.4)) is None
    assert find_noise(*told(300, 0.2)) is None  # too few rows to tell


@pytest.mark.parametrize(("light", "is_told"), [(1.0, False), (0.9, True), (0.7, True)])
def test_pictures_that_were_taken_otherwise_are_noticed(light: float, is_told: bool) -> None:
    digits = load_digits()
    pixels = (digits.images * 15).astype(np.uint8)[..., None]
    rows = np.random.default_rng(0).permutation(len(pixels))
    learned, lockbox = rows[:900], rows[900:]
    pixels[lockbox] = pixels[lockbox] * light
    labels = column_from("label", Kind.CATEGORY, digits.target.astype(str).tolist())
    table = Table((picture_column("image", pixels), labels), "digits")
    task = ask(table, "label")
    split = replace(divide(table, task, DivideOptions(folds=3)), train=learned, lockbox=lockbox)
    found = find_shift(table, task, split)
    assert found is not None
    assert bool(found.words) == is_told
    assert found.columns == (("image",) if is_told else ())
