"""Training many networks at once must be training each of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fathometer.errors import LearnerError
from fathometer.networks.modern import Modern
from fathometer.networks.network import Inputs, Network, Shape
from fathometer.networks.perceptron import Perceptron
from fathometer.networks.retrieval import Retrieval
from fathometer.population.member import (
    Graduate,
    Lessons,
    Logarithm,
    Member,
    Rung,
    Schedule,
)
from fathometer.population.train import Standing, train

FOLDS, ROWS = 3, 100  # 100 rows make folds of unequal size
SCHEDULE = Schedule(batch=16, every=5, patience=50, exact=True)
HALVING = replace(SCHEDULE, rungs=(Rung(1 / 4, 0.5), Rung(1 / 2, 0.5)))


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


def network_for(
    lessons: Lessons, *, modern: bool = True, width: int = 16, depth: int = 2
) -> Network:
    shape = Shape(3, 3, (4,), 2 if lessons.classify else 1)
    if modern:
        return Modern(shape, width=width, depth=depth, bins=4)
    return Perceptron(shape, width, depth)


def first_member(lessons: Lessons) -> Member:
    return Member(network_for(lessons), 0, 0, 3e-3, 1e-2, 0.2, 40)


def flat(graduate: Graduate) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in graduate.parameters.values()])


def mixed_members(lessons: Lessons, seed: int) -> list[Member]:
    """Members of unlike settings, so that none has a say in when another is kept."""
    draw = np.random.default_rng(seed)
    return [
        Member(
            network_for(
                lessons,
                modern=bool(draw.integers(2)),
                width=int(draw.choice([9, 11, 12, 16])),
                depth=int(draw.integers(1, 4)),
            ),
            fold=int(draw.integers(FOLDS)),
            seed=int(draw.integers(1000)),
            learning_rate=float(10 ** draw.uniform(-3.5, -2)),
            weight_decay=float(10 ** draw.uniform(-4, -1)),
            dropout=float(draw.choice([0.0, draw.uniform(0, 0.5)])),
            steps=int(draw.integers(3, 9)) * SCHEDULE.every,
            label_smoothing=float(draw.choice([0.0, 0.1])),
        )
        for _ in range(8)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_member_equals_the_same_network_trained_alone(seed: int) -> None:
    lessons = make_lessons(classify=seed % 2 == 0)
    members = mixed_members(lessons, seed)
    together = train(lessons, members, SCHEDULE)
    assert [graduate.member for graduate in together] == members
    for found, member in zip(together, members, strict=True):
        (alone,) = train(lessons, [member], SCHEDULE)
        np.testing.assert_allclose(found.curve, alone.curve, rtol=1e-4)
        assert found.parameters.keys() == alone.parameters.keys()
        torch.testing.assert_close(flat(found), flat(alone), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found.outputs, alone.outputs, atol=1e-4, rtol=1e-4)


def logarithmic(lessons: Lessons) -> Lessons:
    """Values that are never negative, beside their logarithms, standardised as all of them."""
    plain = lessons.target[0].double().exp()
    logs, folds = torch.log1p(plain), torch.ones(FOLDS, dtype=torch.float64)
    mean, spread = logs.mean(), logs.std()
    own = Logarithm(
        ((logs - mean) / spread).float().expand(FOLDS, -1),
        folds * mean,
        folds * spread,
        folds * plain.mean(),
        folds * plain.std(),
        folds * plain.min(),
        folds * plain.max(),
    )
    target = ((plain - plain.mean()) / plain.std()).float().expand(FOLDS, -1)
    return replace(lessons, target=target, logarithm=own)


def test_a_logarithm_is_learned_beside_values_and_judged_as_a_value() -> None:
    lessons = logarithmic(make_lessons(classify=False))
    plain = replace(first_member(lessons), steps=200)
    members = [plain, replace(plain, is_logarithmic=True)]
    together = train(lessons, members, SCHEDULE)
    for found, member in zip(together, members, strict=True):
        (alone,) = train(lessons, [member], SCHEDULE)
        torch.testing.assert_close(flat(found), flat(alone), atol=1e-4, rtol=1e-4)
    log = together[1]
    assert lessons.logarithm is not None
    values = lessons.logarithm.standardised(log.outputs, 0)[:, 0]
    errors = (values - lessons.target[0, lessons.validation[0]]) ** 2
    assert float(errors.mean()) == pytest.approx(log.curve[log.kept], rel=1e-5)
    assert log.curve[-1] < 0.7 * log.curve[0]


def test_nearly_equal_widths_share_a_block() -> None:
    lessons = make_lessons(classify=True)
    narrow, wide = (
        replace(first_member(lessons), network=network_for(lessons, width=width), seed=width)
        for width in (13, 16)
    )
    told: list[Standing] = []
    train(lessons, [narrow, wide], SCHEDULE, report=told.append)
    assert {standing.training for standing in told} == {2}
    told.clear()
    far = replace(wide, network=network_for(lessons, width=32))
    train(lessons, [narrow, far], SCHEDULE, report=told.append)
    assert {standing.training for standing in told} == {1}


def folds_and_seeds(lessons: Lessons, seeds: Sequence[int]) -> list[Member]:
    first = first_member(lessons)
    return [replace(first, fold=fold, seed=seed) for seed in seeds for fold in range(FOLDS)]


def searched(lessons: Lessons, rates: Sequence[float]) -> list[Member]:
    return [
        replace(member, learning_rate=rate)
        for rate in rates
        for member in folds_and_seeds(lessons, [0])
    ]


@pytest.mark.parametrize("classify", [True, False])
def test_same_seed_gives_the_same_bytes(classify: bool) -> None:
    lessons = make_lessons(classify=classify)
    runs = [train(lessons, folds_and_seeds(lessons, [3, 4]), SCHEDULE) for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one.curve, other.curve)
        assert torch.equal(flat(one), flat(other))


@pytest.mark.parametrize("classify", [True, False])
def test_training_lowers_the_loss(classify: bool) -> None:
    lessons = make_lessons(classify=classify)
    members = [replace(member, steps=200) for member in folds_and_seeds(lessons, [0])]
    curves = np.stack([graduate.curve for graduate in train(lessons, members, SCHEDULE)])
    assert curves.min(axis=1).mean() < 0.6 * curves[:, 0].mean()


def test_halving_ends_the_worst_settings_first() -> None:
    lessons = make_lessons(classify=False)
    members = searched(lessons, (1e-6, 3e-2, 1e-7, 1e-2))
    graduates = train(lessons, members, HALVING)
    steps = {graduate.member.learning_rate: graduate.steps for graduate in graduates}
    through = {g.member.learning_rate for g in graduates if g.is_through}
    assert steps[1e-6] == steps[1e-7] == 10
    assert through
    assert through <= {3e-2, 1e-2}


def test_a_setting_that_goes_on_is_what_it_would_be_without_rivals() -> None:
    lessons = make_lessons(classify=False)
    members = searched(lessons, (1e-6, 3e-2, 1e-7, 1e-2))
    through = [graduate for graduate in train(lessons, members, HALVING) if graduate.is_through]
    alone = train(lessons, [graduate.member for graduate in through], SCHEDULE)
    for one, other in zip(through, alone, strict=True):
        torch.testing.assert_close(flat(one), flat(other), atol=1e-4, rtol=1e-4)


class Killed(Exception):
    pass


@pytest.mark.parametrize("moment", [3, 12, 24, 36])
def test_a_killed_population_goes_on_to_the_same_bytes(
    moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fathometer.population.train.SAVE_SECONDS", 0.0)
    lessons = make_lessons(classify=True)
    members = searched(lessons, (1e-6, 3e-2, 1e-7, 1e-2))
    whole = train(lessons, members, HALVING)
    steps = iter(range(1000))

    def dies() -> bool:
        if next(steps) == moment:
            raise Killed
        return True

    place = tmp_path / "population.npz"
    with pytest.raises(Killed):
        train(lessons, members, HALVING, goes_on=dies, checkpoint=place)
    resumed = train(lessons, members, HALVING, checkpoint=place)
    for one, other in zip(whole, resumed, strict=True):
        assert np.array_equal(one.curve, other.curve)
        assert torch.equal(flat(one), flat(other))
        assert torch.equal(one.outputs, other.outputs)


def test_a_checkpoint_of_another_population_or_a_damaged_one_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fathometer.population.train.SAVE_SECONDS", 0.0)
    lessons = make_lessons(classify=True)
    members, place = folds_and_seeds(lessons, [0]), tmp_path / "population.npz"
    others = [replace(member, seed=9) for member in members]
    train(lessons, others, SCHEDULE, checkpoint=place)
    expected = train(lessons, members, SCHEDULE)
    np.savez(tmp_path / "headless.npz", weights=np.zeros(3))
    headless = (tmp_path / "headless.npz").read_bytes()
    for content in (place.read_bytes(), b"PK damaged", b"", headless):
        place.write_bytes(content)
        found = train(lessons, members, SCHEDULE, checkpoint=place)
        assert all(torch.equal(flat(a), flat(b)) for a, b in zip(expected, found, strict=True))


def test_rows_that_validate_a_fold_do_not_teach_its_members() -> None:
    lessons = make_lessons(classify=False)
    spoiled = lessons.target.clone()
    spoiled[0, lessons.validation[0]] = 1e3
    member = [first_member(lessons)]
    (one,) = train(lessons, member, SCHEDULE)
    (other,) = train(replace(lessons, target=spoiled), member, SCHEDULE)
    assert torch.equal(flat(one), flat(other))


def test_outputs_are_those_of_the_kept_weights() -> None:
    lessons = make_lessons(classify=True)
    for graduate in train(lessons, folds_and_seeds(lessons, [0]), SCHEDULE):
        fold = graduate.member.fold
        rows = lessons.validation[fold]
        own = {name: tensor.unsqueeze(0) for name, tensor in graduate.parameters.items()}
        inputs = lessons.inputs.take(torch.tensor([fold]), rows.unsqueeze(0))
        expected = graduate.member.network.forward(own, inputs)[0]
        torch.testing.assert_close(graduate.outputs, expected)


def test_training_ends_when_asked_with_what_there_is() -> None:
    lessons = make_lessons(classify=True)
    steps = iter(range(1, 100))
    (found,) = train(lessons, [first_member(lessons)], SCHEDULE, goes_on=lambda: next(steps) < 7)
    assert found.steps == 7
    assert len(found.curve) == 2
    assert not found.is_through


def test_member_with_fewer_rows_than_a_batch_is_taught() -> None:
    lessons = make_lessons(classify=True)
    few = replace(lessons, learning=tuple(rows[:5] for rows in lessons.learning))
    found = train(few, folds_and_seeds(few, [0]), SCHEDULE)
    assert all(np.isfinite(graduate.curve).all() for graduate in found)


def test_steps_that_end_between_two_validations_are_refused() -> None:
    lessons = make_lessons(classify=True)
    with pytest.raises(ValueError, match="multiple"):
        train(lessons, [replace(first_member(lessons), steps=42)], SCHEDULE)


def test_a_setting_that_diverges_is_left_out_and_says_so_where_it_was_the_only_one() -> None:
    lessons = make_lessons(classify=True)
    network = network_for(lessons, modern=False)
    members = [
        replace(member, network=network, learning_rate=rate)
        for rate in (1e20, 1e-2)
        for member in folds_and_seeds(lessons, [0])
    ]
    for schedule in (SCHEDULE, HALVING):
        found = train(lessons, members, schedule)
        assert [graduate.member.learning_rate for graduate in found] == [1e-2] * FOLDS
        assert all(np.isfinite(graduate.curve).all() for graduate in found)
        with pytest.raises(LearnerError, match="diverged") as caught:
            train(lessons, members[:FOLDS], schedule)
        assert caught.value.try_next == "a lower learning rate"


def test_a_logarithm_is_judged_within_the_range_seen_as_it_answers() -> None:
    own = logarithmic(make_lessons(classify=False)).logarithm
    assert own is not None
    outputs = torch.tensor([[-1e4], [0.0], [1e4]])
    values = own.standardised(outputs, 0).double() * own.plain_spread[0] + own.plain_mean[0]
    torch.testing.assert_close(values[0, 0], own.low[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(values[2, 0], own.high[0], rtol=1e-5, atol=1e-5)


def retrieving(lessons: Lessons) -> list[Member]:
    """One for each fold, of two learning rates."""
    shape = Shape(3, 3, (4,), 2 if lessons.classify else 1)
    network = Retrieval(shape, size=8, width=12, candidates=24)
    return [
        Member(network, fold, fold, rate, 1e-4, 0.1, 40)
        for rate in (1e-3, 1e-2)
        for fold in range(FOLDS)
    ]


@pytest.mark.parametrize("classify", [True, False])
def test_a_retrieving_member_equals_the_same_network_trained_alone(classify: bool) -> None:
    lessons = make_lessons(classify=classify)
    members = retrieving(lessons)
    for found, member in zip(train(lessons, members, SCHEDULE), members, strict=True):
        # Alone it is kept when it itself is best, so the whole course is compared and not the end.
        (alone,) = train(lessons, [member], SCHEDULE)
        np.testing.assert_allclose(found.curve, alone.curve, rtol=1e-4)


def test_what_a_retrieving_member_remembers_answers_its_validation_rows() -> None:
    lessons = make_lessons(classify=True)
    for graduate in train(lessons, retrieving(lessons), SCHEDULE):
        member = graduate.member
        rows, learned = lessons.validation[member.fold], lessons.learning[member.fold]
        own = {name: tensor.unsqueeze(0) for name, tensor in graduate.parameters.items()}
        inputs = lessons.inputs.take(torch.tensor([member.fold]), rows.unsqueeze(0))
        answers = member.network.forward(own, inputs)[0]
        torch.testing.assert_close(answers, graduate.outputs, atol=1e-5, rtol=1e-5)
        remembered = own["values"][0].argmax(dim=1)[: len(learned)]
        assert torch.equal(remembered, lessons.target[member.fold, learned])


def test_a_killed_retrieving_population_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fathometer.population.train.SAVE_SECONDS", 0.0)
    lessons, place, steps = make_lessons(classify=False), tmp_path / "p.npz", iter(range(1000))
    members = retrieving(lessons)

    def dies() -> bool:
        if next(steps) == 17:
            raise Killed
        return True

    whole = train(lessons, members, SCHEDULE)
    with pytest.raises(Killed):
        train(lessons, members, SCHEDULE, goes_on=dies, checkpoint=place)
    for one, other in zip(whole, train(lessons, members, SCHEDULE, checkpoint=place), strict=True):
        assert torch.equal(flat(one), flat(other))
        assert torch.equal(one.outputs, other.outputs)
