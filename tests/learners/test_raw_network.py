"""The deep learner on raw columns: what it learns, keeps apart, resumes and writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from killing import Killed, killed_after
from sklearn.datasets import load_digits

from fathometer.errors import LearnerError, OutOfTimeError
from fathometer.learners.contract import Budget
from fathometer.learners.picture_networks import picture_networks
from fathometer.learners.raw_network import RawNetwork
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.networks.raw.encoder import Rate, RawTraining
from fathometer.networks.raw.lenet import LeNet1998, LeNetModern
from fathometer.networks.raw.residual import ResidualConvolution
from fathometer.networks.raw.speedy import FastConvolution
from fathometer.table.kind import Kind
from fathometer.table.split import Split
from fathometer.table.table import Table, column_from, picture_column
from fathometer.table.task import Task, TaskKind

BRIEF = RawTraining(epochs=2, batch=32, least_steps=0, dropout=0.1)
LEARNERS = [
    RawNetwork("LeNet-5", LeNet1998(), training=BRIEF),
    RawNetwork("modern", LeNetModern(), training=BRIEF),
    RawNetwork("fast", FastConvolution(widths=(8, 16)), training=BRIEF),
    RawNetwork("residual", ResidualConvolution(widths=(8, 16)), training=replace(BRIEF, seeds=2)),
]
FAST = LEARNERS[2]
learners = pytest.mark.parametrize("learner", LEARNERS, ids=lambda own: own.name)
TRAIN, ROWS = 180, 240


def numerals(*, regress: bool = False, mixed: bool = False) -> tuple[Table, Task, Split]:
    """Handwritten digits, with their ink and their half of the alphabet if `mixed`."""
    found = load_digits()
    pixels = (found.images[:ROWS] * 15).astype(np.uint8)[..., None]
    what = found.target[:ROWS]
    columns = [picture_column("scan", pixels)]
    if mixed:
        ink = pixels.sum(axis=(1, 2, 3)) / 255.0
        columns.append(column_from("ink", Kind.NUMBER, np.where(what == 3, np.nan, ink)))
        halves = np.where(what < 5, "low", "high")
        columns.append(column_from("half", Kind.CATEGORY, list(halves)))
    if regress:
        columns.append(column_from("digit", Kind.NUMBER, what.astype(float)))
        task = Task(TaskKind.REGRESS, "digit", "rmse")
    else:
        columns.append(column_from("digit", Kind.CATEGORY, [str(each) for each in what]))
        classes = tuple(str(each) for each in range(10))
        task = Task(TaskKind.CLASSIFY, "digit", "accuracy", classes, integer_labels=True)
    folds = tuple(np.arange(TRAIN)[fold::3] for fold in range(3))
    return (
        Table(tuple(columns), "numerals"),
        task,
        Split(np.arange(TRAIN), np.arange(TRAIN, ROWS), folds, 0),
    )


@learners
def test_file_answers_as_the_model_did(learner):
    table, task, split = numerals()
    model = learner.fit(table, task, split)
    shipped = ship(model, learner.name, table, split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    assert model.account.fits == 3 * learner.taught().seeds
    np.testing.assert_allclose(model.out_of_fold.sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("regress", [False, True])
def test_other_columns_are_learned_beside_the_pictures(regress):
    table, task, split = numerals(mixed=True, regress=regress)
    model = FAST.fit(table, task, split)
    assert {spec.name for spec in model.columns} == {"scan", "ink", "half"}
    shipped = ship(model, "mixed", table, split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    unknown = replace(table["half"], values=pa.array(["never seen"] * ROWS))
    columns = tuple(unknown if own.name == "half" else own for own in table)
    other = model.predict(replace(table, columns=columns)).scores
    assert not np.array_equal(other, model.predict(table).scores)


def test_values_are_learned_in_the_targets_unit_and_stay_within_it():
    table, task, split = numerals(regress=True)
    taught = RawTraining(epochs=6, batch=32, least_steps=120, head=Rate(learning_rate=1e-2))
    model = replace(FAST, training=taught).fit(table, task, split)
    truth = task.encode(table["digit"])
    values = model.predict(table.rows(split.lockbox)).answers
    assert np.abs(values - truth[split.lockbox]).mean() < np.abs(truth - truth.mean()).mean() / 1.5
    assert values.min() >= 0
    assert values.max() <= 9
    assert ship(model, "value", table, split.lockbox).parity.deviation <= TOLERANCE


def test_learns_what_can_be_learned():
    table, task, split = numerals()
    model = replace(FAST, training=replace(BRIEF, epochs=6, least_steps=120)).fit(
        table, task, split
    )
    truth = task.encode(table["digit"])
    assert (model.out_of_fold.argmax(axis=1) == truth[split.train]).mean() > 0.8
    assert (model.predict(table).scores.argmax(axis=1) == truth)[split.lockbox].mean() > 0.8


def test_same_seed_gives_the_same_bytes_and_another_seed_others():
    table, task, split = numerals(mixed=True)
    files = [
        ship(own.fit(table, task, split), "x", table, split.lockbox).file().content
        for own in (FAST, FAST, replace(FAST, seed=1))
    ]
    assert files[0] == files[1] != files[2]


def test_learns_from_training_rows_alone():
    table, task, split = numerals(mixed=True)
    turned = np.arange(ROWS)
    turned[split.lockbox] = np.roll(split.lockbox, 7)
    scrambled = replace(
        table, columns=tuple(own if own.name == "scan" else own.take(turned) for own in table)
    )
    one, other = FAST.fit(table, task, split), FAST.fit(scrambled, task, split)
    assert np.array_equal(one.out_of_fold, other.out_of_fold)
    assert np.array_equal(one.predict(table).scores, other.predict(table).scores)


def test_features_are_what_the_head_sees():
    table, task, split = numerals()
    model = FAST.fit(table, task, split)
    features = model.learned_features(table)
    assert [own.shape for own in features] == [(ROWS, 16)] * 3
    heads = [net.head for net in model.nets]
    logits = [
        own @ head.weight.detach().numpy().T + head.bias.detach().numpy()
        for own, head in zip(features, heads, strict=True)
    ]
    logits = np.array(logits) * model.factor
    each = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(each.mean(axis=0), model.predict(table).scores, atol=1e-5)


def test_a_killed_fit_goes_on_to_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr("fathometer.population.solo.SAVE_SECONDS", 0.0)
    table, task, split = numerals()
    whole = FAST.fit(table, task, split)
    place = tmp_path / "raw.npz"
    with pytest.raises(Killed):
        FAST.fit(table, task, split, budget=Budget(checkpoint=place, stopped=killed_after(20)))
    assert place.exists()
    resumed = FAST.fit(table, task, split, budget=Budget(checkpoint=place))
    assert np.array_equal(whole.out_of_fold, resumed.out_of_fold)
    files = [ship(own, "x", table, split.lockbox).file().content for own in (whole, resumed)]
    assert files[0] == files[1]


def test_reports_epoch_and_fold():
    words: list[str] = []
    table, task, split = numerals()
    FAST.fit(table, task, split, budget=Budget(report=lambda told: words.append(told.words)))
    assert sorted(words) == [
        f"epoch {epoch}/2 · fold {fold}" for epoch in (1, 2) for fold in (1, 2, 3)
    ]


def test_refuses_what_it_cannot_encode(survival):
    with pytest.raises(LearnerError, match="no column of pictures"):
        FAST.fit(survival.table, survival.task, survival.split)
    with pytest.raises(LearnerError, match="neither pictures nor texts"):
        RawNetwork("nothing").fit(survival.table, survival.task, survival.split)
    with pytest.raises(OutOfTimeError):
        FAST.fit(*numerals(), budget=Budget(deadline=0.0))


def test_a_class_that_no_fold_learned_from_still_has_its_place():
    table, task, split = numerals()
    model = FAST.fit(table, replace(task, classes=(*task.classes, "X")), split)
    assert model.out_of_fold.shape == (TRAIN, 11)


def test_the_contestants_of_an_effort_are_named_apart():
    for pixels in (28, 64):
        names = [own.name for own in picture_networks((pixels, pixels), epochs=8, seeds=1, seed=0)]
        assert len(set(names)) == len(names) == 3
