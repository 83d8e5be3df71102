"""Networks on raw text as learners: mixed tables, their files, and that they learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from fathometer.learners.raw_network import RawNetwork
from fathometer.learners.text_networks import text_networks
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.networks.raw.encoder import RawTraining
from fathometer.networks.raw.text_bag import WordBag
from fathometer.networks.raw.text_convolution import WordConvolution
from fathometer.networks.raw.text_transformer import WordTransformer
from fathometer.table.ask import ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from
from shared_files import shared

BRIEF = RawTraining(epochs=2, batch=32, least_steps=0, dropout=0.1)
LEARNERS = [
    RawNetwork("bag", text=WordBag(width=8), training=BRIEF),
    RawNetwork(
        "convolution", text=WordConvolution(width=8, filters=8, kernels=(2, 3)), training=BRIEF
    ),
    RawNetwork("transformer", text=WordTransformer(width=8, heads=2), training=BRIEF),
]
learners = pytest.mark.parametrize("learner", LEARNERS, ids=lambda own: own.name)


@learners
@pytest.mark.parametrize("question", ["survival", "fares"])
def test_file_answers_as_the_model_did_on_names_numbers_and_categories(learner, question, request):
    setting = request.getfixturevalue(question)
    assert setting.table["name"].kind is Kind.TEXT
    model = learner.fit(setting.table, setting.task, setting.split)
    shipped = ship(model, learner.name, setting.table, setting.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    hard = ["", "x" * 100_000, "مرحبا بالعالم 😀", "Mr. Mr. " * 5_000, "Ünsëen, Mrs. 名前"]
    rows = setting.table.rows(np.arange(len(hard)))
    columns = [
        column_from("name", Kind.TEXT, hard) if c.name == "name" else c for c in rows.columns
    ]
    asked = replace(rows, columns=tuple(columns))
    expected = model.predict(asked).scores
    found = shipped.file().scores(_feeds(asked, model))
    np.testing.assert_allclose(found, expected, atol=TOLERANCE * max(1.0, np.abs(expected).max()))


def _feeds(table: Table, model):
    from fathometer.modelfile.feeds import feeds_from

    return feeds_from(table, model.columns)[0]


@learners
def test_same_seed_same_answers(learner, survival):
    one, other = (learner.fit(survival.table, survival.task, survival.split) for _ in range(2))
    np.testing.assert_array_equal(one.out_of_fold, other.out_of_fold)
    changed = replace(learner, seed=1).fit(survival.table, survival.task, survival.split)
    assert (changed.out_of_fold != one.out_of_fold).any()


def test_every_text_column_has_an_encoder_of_its_own(survival):
    words = column_from("other", Kind.TEXT, list(survival.table["name"].strings[::-1]))
    table = replace(survival.table, columns=(*survival.table.columns, words))
    model = LEARNERS[1].fit(table, survival.task, survival.split)
    assert len(model.nets[0].encoders) == 3  # two texts and all other columns
    assert ship(model, "two", table, survival.split.lockbox).parity.deviation <= TOLERANCE


def test_lockbox_texts_teach_nothing(survival):
    """Other texts in the rows that judge: the same networks, down to their codes."""
    names = survival.table["name"].strings.copy()
    names[survival.split.lockbox] = "nobody was ever called so"
    changed = replace(
        survival.table,
        columns=tuple(
            column_from("name", Kind.TEXT, list(names)) if c.name == "name" else c
            for c in survival.table.columns
        ),
    )
    one, other = (
        LEARNERS[0].fit(table, survival.task, survival.split) for table in (survival.table, changed)
    )
    np.testing.assert_array_equal(one.out_of_fold, other.out_of_fold)


def messages(rows: int) -> Table:
    stored = pq.read_table(shared("text/sms_spam.parquet")).slice(0, rows)
    return Table(
        (
            column_from("text", Kind.TEXT, stored["text"].to_pylist()),
            column_from("label", Kind.CATEGORY, stored["label"].to_pylist()),
        )
    )


@pytest.mark.parametrize("place", [0, 1])
def test_networks_tell_spam_from_messages(place):
    table = messages(900)
    task = ask(table, "label")
    split = divide(table, task, DivideOptions(folds=3))
    learner = text_networks(length=64, epochs=3, seeds=1, seed=0)[place]
    learner = replace(learner, training=replace(learner.taught(), least_steps=60))
    model = learner.fit(table, task, split)
    truth = task.encode(table["label"])
    right = model.predict(table.rows(split.lockbox)).scores.argmax(axis=1) == truth[split.lockbox]
    assert right.mean() >= 0.95  # 0.87 of them are no spam


def test_longer_texts_are_read_by_what_costs_less():
    bag, convolution, transformer = text_networks(length=128, epochs=4, seeds=2, seed=7)
    lengths = [own.text.tokens.length for own in (bag, convolution, transformer)]
    assert lengths == [1024, 128, 64]
    assert [own.taught().epochs for own in (bag, convolution, transformer)] == [8, 4, 4]
    assert {own.taught().seeds for own in (bag, convolution, transformer)} == {2}
    assert {own.seed for own in (bag, convolution, transformer)} == {7}
