"""What has its gradients written by hand answers, and is differentiated, as autograd would."""

import math

import pytest
import torch
from torch import Tensor
from torch.autograd import grad, gradcheck

from fathometer.networks import recalled, waves
from fathometer.networks.recalled import SMOOTHING, Recalled
from fathometer.networks.waves import Waves


def drawn(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def recalled_plainly(places: Tensor, values: Tensor, same: Tensor) -> Tensor:
    apart = places[:, : same.shape[1]].unsqueeze(2) - places.unsqueeze(1)
    distance = (apart.square().sum(dim=3) + SMOOTHING).sqrt().masked_fill(same, math.inf)
    return torch.bmm(torch.softmax(-distance, dim=2), values)


@pytest.mark.parametrize("at_once", [2**18, 50])  # all rows, or a few
def test_recalled_rows(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalled, "DISTANCES_AT_ONCE", at_once)
    places, values = drawn(2, 17, 5).requires_grad_(), drawn(2, 17, 3)
    same = torch.eye(17, dtype=torch.bool)[:8].expand(2, 8, 17).clone()
    same[1, 3, 16] = same[1, 7, 0] = True  # a row that was drawn twice
    up = drawn(2, 8, 3)
    answers = [f(places, values, same) for f in (Recalled.apply, recalled_plainly)]
    torch.testing.assert_close(answers[0], answers[1])
    gradients = [grad(answer, places, up)[0] for answer in answers]
    torch.testing.assert_close(gradients[0], gradients[1])


def test_rows_in_one_place_leave_no_gradient_without_a_number() -> None:
    places = torch.ones(1, 6, 4).requires_grad_()
    same = torch.eye(6, dtype=torch.bool)[:3].unsqueeze(0)
    answers = Recalled.apply(places, torch.arange(6.0).view(1, 6, 1), same)
    assert answers.flatten().tolist() == pytest.approx([3.0, 2.8, 2.6])  # the mean of the others
    assert grad(answers.sum(), places)[0].abs().max() < 1e-5


@pytest.mark.parametrize("at_once", [2**17, 30])
def test_waves(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waves, "WAVES_AT_ONCE", at_once)
    numbers, frequency = drawn(2, 9, 3), drawn(2, 3, 4).requires_grad_()
    turns = 2 * math.pi * numbers.unsqueeze(3) * frequency.unsqueeze(1)
    found = Waves.apply(numbers, frequency)
    torch.testing.assert_close(found, torch.cat([turns.cos(), turns.sin()], dim=3))
    assert gradcheck(lambda own: Waves.apply(numbers, own), [frequency])
