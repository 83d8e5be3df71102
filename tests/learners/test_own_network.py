"""A network of the user's own as a contestant: it learns, is written, and says what it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from fathometer.errors import NetworkError
from fathometer.learners.network import Training
from fathometer.learners.own_network import (
    DeclaredArchitecture,
    ModuleArchitecture,
    OwnNetwork,
    input_shape,
)
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.networks.declaration import Declaration, Layer
from fathometer.networks.notation import Taught
from fathometer.table.metric import METRICS

BRIEF = Training(epochs=2, least_steps=4, patience=2)
SKIPPED = Declaration(
    (
        Layer("wide", 12, "silu", density=0.3),
        Layer("narrow", 6, "tanh"),
        Layer("both", 12, "gelu", ("wide", "narrow"), ("wide",), pattern=None, density=0.5),
    ),
    ("both", "narrow"),
    bins=4,
)


def perceptron(features: int, outputs: int) -> nn.Module:
    hidden = nn.Linear(features, 16)
    return nn.Sequential(
        hidden, nn.LayerNorm(16), nn.SiLU(), nn.Dropout(0.1), nn.Linear(16, outputs)
    )


LEARNERS = [
    OwnNetwork("declared", DeclaredArchitecture(SKIPPED), BRIEF),
    OwnNetwork("module", ModuleArchitecture(perceptron), BRIEF),
]
learners = pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)


@learners
@pytest.mark.parametrize("question", ["survival", "classes", "fares"])
def test_file_answers_as_the_network_did(learner: OwnNetwork, question: str, request) -> None:
    setting = request.getfixturevalue(question)
    model = learner.fit(setting.table, setting.task, setting.split)
    shipped = ship(model, learner.name, setting.table, setting.split.lockbox)
    assert shipped.parity.deviation <= TOLERANCE
    assert model.out_of_fold.shape == (len(setting.split.train), setting.task.outputs)
    assert np.isfinite(model.out_of_fold).all()


@learners
def test_same_seed_gives_the_same_bytes(learner: OwnNetwork, survival) -> None:
    files = [
        ship(
            learner.fit(survival.table, survival.task, survival.split),
            learner.name,
            survival.table,
            survival.split.lockbox,
        ).file()
        for _ in range(2)
    ]
    assert files[0].content == files[1].content


@learners
def test_learns_what_can_be_learned(learner: OwnNetwork, survival) -> None:
    learner = replace(learner, training=Training(epochs=8, least_steps=160))
    model = learner.fit(survival.table, survival.task, survival.split)
    truth = survival.truth[survival.split.train]
    # The sex alone reaches 0.76 on these 240 rows.
    assert METRICS["roc_auc"].score(truth, model.out_of_fold) > 0.77


@learners
def test_its_shape_is_known_before_it_is_trained(learner: OwnNetwork, classes) -> None:
    shape = input_shape(classes.table, classes.task, classes.split)
    model = learner.fit(classes.table, classes.task, classes.split)
    assert model.groups[0].network == learner.architecture.build(shape)
    count = learner.architecture.build(shape).parameter_count
    assert f"{len(classes.split.folds)} networks of {count:,} parameters" in model.account.chosen
    assert learner.draw(shape).splitlines()[-1].strip() == f"{count:,}"


def test_connections_that_are_left_out_are_zero_in_what_is_kept(survival) -> None:
    learner = replace(LEARNERS[0], training=Training(epochs=3, least_steps=60))
    model = learner.fit(survival.table, survival.task, survival.split)
    (group,) = model.groups
    for name in ("wide", "both"):
        mask, weight = group.parameters[f"{name}.mask"], group.parameters[f"{name}.weight"]
        assert not weight[mask == 0].any()
        assert weight[mask == 1].all()


def test_it_is_taught_as_its_owner_says(survival) -> None:
    shape = input_shape(survival.table, survival.task, survival.split)
    architecture = DeclaredArchitecture(SKIPPED, Taught(1e-3, 0.5, 0.25))
    (setting,) = OwnNetwork("mine", architecture).settings(shape, has_logarithm=False)
    assert (setting.learning_rate, setting.weight_decay, setting.dropout) == (1e-3, 0.5, 0.25)
    (setting,) = LEARNERS[1].settings(shape, has_logarithm=False)
    assert setting.dropout == 0.1  # the module's own


def test_a_module_is_known_by_what_it_computes(survival) -> None:
    shape = input_shape(survival.table, survival.task, survival.split)
    shown = []
    for width in (4, 4, 5):

        def make(features: int, outputs: int, width: int = width) -> nn.Module:
            return nn.Sequential(nn.Linear(features, width), nn.Linear(width, outputs))

        architecture = ModuleArchitecture(make)
        architecture.build(shape)
        shown.append(repr(architecture))
    assert shown[0] == shown[1] != shown[2]


def test_a_network_too_large_to_train_is_refused_before_it_is_made(survival) -> None:
    shape = input_shape(survival.table, survival.task, survival.split)
    layers = (Layer("one", 16_000), Layer("two", 16_000, reads=("one",)))
    learner = OwnNetwork("huge", DeclaredArchitecture(Declaration(layers, ("two",))))
    with pytest.raises(NetworkError, match=r"huge has 25\d,\d+,\d+ parameters"):
        learner.draw(shape)


def test_a_module_that_does_not_fit_says_what_the_table_gives(survival) -> None:
    learner = OwnNetwork("mine", ModuleArchitecture(nn.Linear(3, 2)), BRIEF)
    with pytest.raises(NetworkError, match="shape") as caught:
        learner.fit(survival.table, survival.task, survival.split)
    shape = input_shape(survival.table, survival.task, survival.split)
    assert f"{shape.numbers} numbers, {shape.flags} flags" in caught.value.details
