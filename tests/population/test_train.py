"""Training many networks at once must be training each of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from fathometer.networks.modern import Modern
from fathometer.networks.network import Inputs, Network, Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.population.member import Lessons, Member, Schedule, Trained
from fathometer.population.train import train

FOLDS, ROWS = 3, 100  # 100 rows make folds of unequal size
SCHEDULE = Schedule(batch=16, every=5, patience=50)
FIRST = Member(fold=0, seed=0, learning_rate=3e-3, weight_decay=1e-2, dropout=0.2, steps=40)


def make_lessons(*, classify: bool) -> Lessons:
    generator = torch.Generator().manual_seed(7)
    numbers = torch.randn(ROWS, 3, generator=generator)
    codes = torch.randint(4, (ROWS, 1), generator=generator)
    score = numbers[:, 0] * numbers[:, 1] + codes[:, 0] - 1.5
    target = (score > 0).long() if classify else score
    validation = torch.arange(ROWS).tensor_split(FOLDS)
    every = torch.arange(ROWS)
    inputs = Inputs(
        torch.stack([numbers * (1 + fold / 10) for fold in range(FOLDS)]),
        (numbers > 0).float().expand(FOLDS, -1, -1).contiguous(),
        codes.expand(FOLDS, -1, -1).contiguous(),
    )
    learning = tuple(every[~torch.isin(every, rows)] for rows in validation)
    return Lessons(inputs, target.expand(FOLDS, -1), learning, tuple(validation), classify)


def network_for(lessons: Lessons, *, modern: bool = True) -> Network:
    shape = Shape(3, 3, (4,), 2 if lessons.classify else 1)
    return Modern(shape, width=16, depth=2, bins=4) if modern else Perceptron(shape, 16, 2)


def kept_weights(trained: Trained, member: int) -> torch.Tensor:
    return torch.cat([tensor[member].flatten() for tensor in trained.parameters.values()])


def mixed_members(seed: int) -> list[Member]:
    """Members of unlike settings, so that none has a say in when another is kept."""
    draw = np.random.default_rng(seed)
    return [
        Member(
            fold=int(draw.integers(FOLDS)),
            seed=int(draw.integers(1000)),
            learning_rate=float(10 ** draw.uniform(-3.5, -2)),
            weight_decay=float(10 ** draw.uniform(-4, -1)),
            dropout=float(draw.choice([0.0, draw.uniform(0, 0.5)])),
            steps=int(draw.integers(3, 9)) * SCHEDULE.every,
        )
        for _ in range(4)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_member_equals_the_same_network_trained_alone(seed: int) -> None:
    lessons = make_lessons(classify=seed % 2 == 0)
    network = network_for(lessons, modern=seed % 3 > 0)
    members = mixed_members(seed)
    together = train(network, lessons, members, SCHEDULE)
    for place, member in enumerate(members):
        alone = train(network, lessons, [member], SCHEDULE)
        own = together.curves[: len(alone.curves), place]
        np.testing.assert_allclose(own, alone.curves[:, 0], rtol=1e-4)
        torch.testing.assert_close(
            kept_weights(together, place), kept_weights(alone, 0), atol=1e-4, rtol=1e-4
        )
        torch.testing.assert_close(together.outputs[place], alone.outputs[0], atol=1e-4, rtol=1e-4)


def folds_and_seeds(seeds: Sequence[int]) -> list[Member]:
    return [replace(FIRST, fold=fold, seed=seed) for seed in seeds for fold in range(FOLDS)]


@pytest.mark.parametrize("classify", [True, False])
def test_same_seed_gives_the_same_bytes(classify: bool) -> None:
    lessons = make_lessons(classify=classify)
    runs = [
        train(network_for(lessons), lessons, folds_and_seeds([3, 4]), SCHEDULE) for _ in range(2)
    ]
    assert np.array_equal(runs[0].curves, runs[1].curves)
    for member in range(6):
        assert torch.equal(kept_weights(runs[0], member), kept_weights(runs[1], member))


@pytest.mark.parametrize("classify", [True, False])
def test_training_lowers_the_loss(classify: bool) -> None:
    lessons = make_lessons(classify=classify)
    members = [replace(member, steps=200) for member in folds_and_seeds([0])]
    trained = train(network_for(lessons), lessons, members, SCHEDULE)
    assert trained.curves.min(axis=0).mean() < 0.6 * trained.curves[0].mean()


def test_rows_that_validate_a_fold_do_not_teach_its_members() -> None:
    lessons = make_lessons(classify=False)
    spoiled = lessons.target.clone()
    spoiled[0, lessons.validation[0]] = 1e3
    member = [FIRST]
    one = train(network_for(lessons), lessons, member, SCHEDULE)
    other = train(network_for(lessons), replace(lessons, target=spoiled), member, SCHEDULE)
    assert torch.equal(kept_weights(one, 0), kept_weights(other, 0))


def test_outputs_are_those_of_the_kept_weights() -> None:
    lessons = make_lessons(classify=True)
    network, members = network_for(lessons), folds_and_seeds([0])
    trained = train(network, lessons, members, SCHEDULE)
    for place, member in enumerate(members):
        rows = lessons.validation[member.fold]
        own = {name: tensor[place : place + 1] for name, tensor in trained.parameters.items()}
        inputs = lessons.inputs.take(torch.tensor([member.fold]), rows.unsqueeze(0))
        torch.testing.assert_close(trained.outputs[place], network.forward(own, inputs)[0])


def test_watch_ends_training_with_what_there_is() -> None:
    lessons = make_lessons(classify=True)
    trained = train(
        network_for(lessons), lessons, [FIRST], SCHEDULE, watch=lambda step, steps: step < 7
    )
    assert trained.steps == 7
    assert len(trained.curves) == 2


def test_member_with_fewer_rows_than_a_batch_is_taught() -> None:
    lessons = make_lessons(classify=True)
    few = replace(lessons, learning=tuple(rows[:5] for rows in lessons.learning))
    trained = train(network_for(few), few, folds_and_seeds([0]), SCHEDULE)
    assert np.isfinite(trained.curves).all()
