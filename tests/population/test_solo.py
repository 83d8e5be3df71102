"""Networks that train side by side, one thread each: alone as beside others, killed as not."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from fathometer.errors import LearnerError
from fathometer.networks.raw.encoder import PictureShape, Rate, RawTraining
from fathometer.networks.raw.fusion import RawNet
from fathometer.networks.raw.speedy import FastConvolution
from fathometer.population.pupil import SoloLessons
from fathometer.population.solo import SoloGraduate, SoloMember, train_solo
from networks.raw.pictures import digits, patches

ROWS, FOLDS = 180, 3
BRIEF = RawTraining(epochs=3, batch=32, least_steps=0, dropout=0.2)
MEMBERS = [SoloMember(fold, 7 + fold) for fold in range(FOLDS)]


def lessons_of(raw: torch.Tensor, target: torch.Tensor) -> SoloLessons:
    """Pictures (rows, channels, height, width) and their classes, in three folds."""
    rows = torch.arange(len(raw))
    validation = tuple(rows[fold::FOLDS] for fold in range(FOLDS))
    learning = tuple(rows[rows % FOLDS != fold] for fold in range(FOLDS))
    pixels = raw.permute(0, 2, 3, 1).contiguous()
    return SoloLessons(
        ((pixels,),) * FOLDS, target.expand(FOLDS, -1), learning, validation, classify=True
    )


@pytest.fixture(scope="module")
def lessons() -> SoloLessons:
    raw, target = digits()
    return lessons_of(raw[:ROWS], target[:ROWS])


def build(shape: PictureShape = PictureShape(1, 8, 8)) -> RawNet:
    encoder = FastConvolution(widths=(8, 8)).encoder(shape)
    return RawNet([encoder], 10, dropout=BRIEF.dropout, rate=BRIEF.head)


def same(one: SoloGraduate, other: SoloGraduate) -> bool:
    pairs = zip(one.net.state_dict().values(), other.net.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs) and torch.equal(one.outputs, other.outputs)


def test_a_member_alone_equals_the_member_beside_others(lessons):
    together = train_solo(lessons, MEMBERS, build, BRIEF)
    alone = train_solo(lessons, MEMBERS[:1], build, BRIEF)
    assert np.array_equal(together[0].curve, alone[0].curve)
    again = train_solo(lessons, MEMBERS, build, BRIEF)
    assert all(same(*pair) for pair in zip(together, again, strict=True))


def test_photographs_are_scored_by_both_views_as_they_will_be_asked_about():
    taught = lessons_of(*patches((32, 32), 400))
    for graduate in train_solo(taught, MEMBERS, lambda: build(PictureShape(3, 32, 32)), BRIEF):
        rows = taught.validation[graduate.member.fold]
        (seen,) = taught.take(graduate.member.fold, rows)
        with torch.no_grad():
            turned = graduate.net([seen.flip(3)])
        torch.testing.assert_close(turned, graduate.outputs, atol=1e-4, rtol=0.0)


def test_a_fold_keeps_the_weights_that_the_others_found_best(lessons):
    graduates = train_solo(lessons, MEMBERS, build, BRIEF)
    curves = np.array([graduate.curve for graduate in graduates])
    for fold, graduate in enumerate(graduates):
        assert graduate.kept == int(np.delete(curves, fold, axis=0).mean(axis=0).argmin())


@pytest.mark.parametrize("steps", [17, 40])
def test_a_killed_training_goes_on_to_the_same_bytes(lessons, tmp_path, monkeypatch, steps):
    monkeypatch.setattr("fathometer.population.solo.SAVE_SECONDS", 0.0)
    whole = train_solo(lessons, MEMBERS, build, BRIEF)
    asked = iter(range(10_000))

    class Killed(Exception):
        pass

    def dies() -> bool:
        if next(asked) > steps:
            raise Killed
        return True

    place = tmp_path / "solo.npz"
    with pytest.raises(Killed):
        train_solo(lessons, MEMBERS, build, BRIEF, goes_on=dies, checkpoint=place)
    assert place.exists()
    resumed = train_solo(lessons, MEMBERS, build, BRIEF, checkpoint=place)
    assert all(same(*pair) for pair in zip(whole, resumed, strict=True))


def test_a_checkpoint_of_something_else_is_not_read(lessons, tmp_path, monkeypatch):
    monkeypatch.setattr("fathometer.population.solo.SAVE_SECONDS", 0.0)
    place = tmp_path / "solo.npz"
    train_solo(lessons, MEMBERS, build, BRIEF, identity="one", checkpoint=place)
    reports: list[float] = []
    train_solo(
        lessons,
        MEMBERS,
        build,
        BRIEF,
        identity="other",
        checkpoint=place,
        report=lambda standing: reports.append(standing.done),
    )
    assert len(reports) == BRIEF.epochs * FOLDS


def test_a_damaged_checkpoint_is_begun_anew(lessons, tmp_path):
    place = tmp_path / "solo.npz"
    whole = train_solo(lessons, MEMBERS, build, BRIEF)
    for content in (b"PK\x03\x04 cut short", b""):
        place.write_bytes(content)
        again = train_solo(lessons, MEMBERS, build, BRIEF, checkpoint=place)
        assert all(same(*pair) for pair in zip(whole, again, strict=True))


def test_a_schedule_that_would_not_end_in_time_is_shortened(lessons):
    long = RawTraining(epochs=10_000, batch=32, least_steps=0)
    deadline = time.monotonic() + 3.0
    graduates = train_solo(lessons, MEMBERS, build, long, deadline=deadline)
    assert 2 <= len(graduates[0].curve) < 10_000
    assert time.monotonic() < deadline + 2.0


def test_nothing_comes_of_no_time(lessons):
    assert train_solo(lessons, MEMBERS, build, BRIEF, goes_on=lambda: False) == ()


def test_progress_rises_to_the_end(lessons):
    done: list[float] = []
    train_solo(lessons, MEMBERS, build, BRIEF, report=lambda standing: done.append(standing.done))
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_networks_that_diverge_are_refused_with_what_to_do(lessons):
    def build_hasty() -> RawNet:
        encoder = FastConvolution(widths=(8, 8)).encoder(PictureShape(1, 8, 8))
        return RawNet([encoder], 10, dropout=0.0, rate=Rate(learning_rate=1e30))

    with pytest.raises(LearnerError, match="diverged") as caught:
        train_solo(lessons, MEMBERS, build_hasty, BRIEF)
    assert caught.value.try_next == "a lower learning rate"
