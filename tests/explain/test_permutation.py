"""What a model file looks at is found and measured: on planted columns, on every kind of column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fathometer.errors import TaskError
from fathometer.explain import importance
from fathometer.explain.paired_loss import PairedLoss
from fathometer.explain.permutation import MOST_COLUMNS, WIDEST, Effort, drawn_rows
from fathometer.explain.screening import strongest
from fathometer.learners.constant import Constant
from fathometer.learners.decision_tree import DecisionTree
from fathometer.learners.linear import Logistic, Ridge
from fathometer.modelfile.load import from_bytes
from fathometer.modelfile.write import ship
from fathometer.table.ask import answerable, ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.metric import METRICS
from fathometer.table.read import read
from fathometer.verdict.bench import Rows


def shipped(frame, target, learner):
    """A file that learned from the frame, and the lockbox's rows."""
    table = read(frame).table
    task = ask(table, target)
    table, _ = answerable(table, task)
    split = divide(table, task, DivideOptions(folds=2))
    file = ship(learner.fit(table, task, split), "model", table, split.lockbox).file()
    return file, table.rows(split.lockbox)


@pytest.fixture(scope="module")
def planted():
    """The first column decides, the second helps, the third is noise."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(900, 3))
    answer = 3 * numbers[:, 0] + numbers[:, 1] + random.normal(size=900)
    frame = pd.DataFrame(numbers, columns=["decides", "helps", "noise"])
    return frame.assign(answer=answer, yes=np.where(answer > 0, "yes", "no"))


@pytest.fixture(scope="module")
def linear(planted):
    return shipped(planted.drop(columns="yes"), "answer", Ridge((1e-3,)))


@pytest.fixture(scope="module")
def tree(planted):
    frame = planted[["decides", "noise", "yes"]]
    return shipped(frame, "yes", DecisionTree(most_leaves=2))


def test_a_column_that_decides_is_needed_and_noise_is_not(linear):
    found = importance(*linear)
    decides, helps, noise = found.columns
    assert [one.name for one in found.columns] == ["decides", "helps", "noise"]
    assert decides.low > helps.high > helps.low > 0
    assert noise.low <= 0 <= noise.high
    assert [one.name for one in found.needed] == ["decides", "helps"]
    # Exchanging adds the variance of the values given to that of the values lost: 2 × 3².
    assert decides.value == pytest.approx(np.sqrt(2 * 9 + 1) - 1, rel=0.2)


def test_equal_seeds_give_equal_numbers_and_others_do_not(linear):
    assert importance(*linear, seed=3) == importance(*linear, seed=3)
    assert importance(*linear, seed=3) != importance(*linear, seed=4)


def test_a_column_that_the_model_ignores_loses_exactly_nothing(tree):
    found = importance(*tree)
    decides, noise = found.columns
    assert decides.low > 0
    assert (noise.name, noise.value, noise.low, noise.high) == ("noise", 0.0, 0.0, 0.0)


def test_answers_that_move_without_a_change_of_the_score_leave_some_doubt(linear):
    """Accuracy may stay the same on few rows; that is no proof of 0."""
    truth, known = np.array([0, 1] * 20), np.tile([[0.9, 0.1], [0.2, 0.8]], (20, 1))
    order = np.roll(np.arange(40), 2)
    loss = PairedLoss(METRICS["accuracy"], Rows(truth), known, [order], seed=0)
    value, low, high = loss.of([known * 0.98 + 0.01])
    assert value == 0
    assert low < 0 < high


def test_intervals_hold_the_truth_of_a_column_that_decides():
    """The values given are chance as well: without them 84 % of these intervals do."""
    random, truths = np.random.default_rng(0), np.sqrt(3) - 1
    held = 0
    for world in range(60):
        values, noise = random.normal(size=(2, 120))
        orders = [random.permutation(120) for _ in range(5)]
        rows = Rows(values + noise)
        loss = PairedLoss(METRICS["rmse"], rows, values[:, None], orders, seed=world)
        _, low, high = loss.of([values[order][:, None] for order in orders])
        held += low <= truths <= high
    assert held >= 54


def test_rows_of_a_group_are_drawn_together(linear):
    """Every row four times over tells no more than once."""
    file, rows = linear
    frame = pd.DataFrame({name: rows[name].numbers for name in ("decides", "helps", "answer")})
    frame = frame.assign(noise=rows["noise"].numbers, row=np.arange(len(frame)))
    fourfold = pd.concat([frame] * 4, ignore_index=True)
    once = importance(file, frame).columns[0]
    alone = importance(file, fourfold).columns[0]
    grouped = importance(file, fourfold, group="row").columns[0]
    assert alone.high - alone.low < 0.7 * (once.high - once.low)
    assert 0.8 < (grouped.high - grouped.low) / (once.high - once.low) < 1.8


def test_pictures_are_exchanged_like_any_column(striped_folder):
    file, rows = shipped(striped_folder, "label", Logistic((1e-2,)))
    found = importance(file, rows)
    [image] = found.columns
    assert (image.name, image.kind) == ("image", "image")
    assert image.low > 0.2
    paths = [str(path) for path in sorted(striped_folder.rglob("*.*"))]
    named = importance(file, {"image": paths, "label": [path.split("/")[-2] for path in paths]})
    assert named.rows == 120
    assert named.columns[0].low > 0.3
    assert importance(file, striped_folder).columns[0].low > 0.3


def test_texts_dates_and_categories_are_exchanged_like_any_column():
    random = np.random.default_rng(0)
    good = random.random(400) < 0.5
    words = [f"it was {'lovely' if one else 'dreadful'} on visit {n}" for n, one in enumerate(good)]
    days = np.datetime64("2020-01-01") + random.integers(0, 900, 400)
    frame = pd.DataFrame({"review": words, "day": days.astype(str), "stars": good.astype(int)})
    frame["shop"] = random.choice(["north", "south", "east"], 400)
    file, rows = shipped(frame, "stars", Logistic((1e-2,)))
    found = importance(file, rows)
    assert {one.kind for one in found.columns} == {"text", "date", "category"}
    assert [one.name for one in found.needed] == ["review"]


def test_a_file_that_looks_at_nothing_loses_nothing(planted):
    file, rows = shipped(planted.drop(columns="answer"), "yes", Constant())
    assert {(one.low, one.value, one.high) for one in importance(file, rows).columns} == {(0, 0, 0)}


def test_few_columns_are_found_among_a_thousand():
    names = [f"c{place}" for place in range(1000)]
    strength = dict.fromkeys(names, 0.0) | {"c7": 2.0, "c8": 0.5, "c999": 1.0}
    asked = []

    def movement(block):
        asked.append(len(block))
        return sum(strength[name] for name in block)

    found = strongest(names, movement, most=5, questions=100)
    assert {"c7", "c8", "c999"} <= set(found)
    assert len(found) <= 5
    assert len(asked) <= 100
    assert strongest(names[:5], movement, most=5, questions=0) == tuple(names[:5])
    assert len(strongest(names, movement, most=5, questions=2)) == 0


def test_of_a_wide_table_the_columns_that_count_are_measured():
    random = np.random.default_rng(0)
    numbers = random.normal(size=(400, 150))
    frame = pd.DataFrame(numbers, columns=[f"c{place}" for place in range(150)])
    frame["answer"] = 2 * numbers[:, 40] - numbers[:, 131] + random.normal(size=400)
    file, rows = shipped(frame, "answer", Ridge((1.0,)))
    found = importance(file, rows)
    assert len(found.columns) == MOST_COLUMNS
    assert found.left_out == 50
    assert [one.name for one in found.columns[:2]] == ["c40", "c131"]


def test_the_widest_tables_are_refused_before_they_take_minutes():
    numbers = np.random.default_rng(0).normal(size=(60, WIDEST + 1))
    frame = pd.DataFrame(numbers, columns=[f"c{place}" for place in range(WIDEST + 1)])
    frame["answer"] = numbers[:, 0]
    file, rows = shipped(frame, "answer", Constant())
    with pytest.raises(TaskError, match="2,001 columns are more than 2,000"):
        importance(file, rows)


def test_work_is_bounded_by_counts(linear):
    file, _ = linear
    assert Effort.of(file, 200) == Effort(200, 5)
    assert Effort.of(file, 10**6) == Effort(2000, 5)


def test_of_many_rows_a_part_is_asked_with_the_classes_that_they_have(linear):
    file, _ = linear
    truth = np.array([0] * 2 + [1] * 2500 + [2] * 7498)
    drawn = drawn_rows(file, truth, METRICS["accuracy"], seed=0)
    assert len(drawn) == len(set(drawn.tolist())) == 2000
    assert np.bincount(truth[drawn]).tolist() == pytest.approx([2, 500, 1498], abs=2)
    assert np.array_equal(drawn, drawn_rows(file, truth, METRICS["accuracy"], seed=0))
    values = drawn_rows(file, np.arange(5000.0), METRICS["rmse"], seed=0)
    assert len(values) == 2000
    assert abs(values.mean() - 2500) < 150


def test_it_reads_what_predict_reads(linear, tmp_path):
    file, rows = linear
    reopened = from_bytes(file.content)
    values = {column.name: column.numbers for column in rows}
    frame = pd.DataFrame(values)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    expected = importance(file, rows)
    for source in (values, frame, tmp_path / "rows.csv"):
        assert importance(reopened, source).columns == expected.columns
