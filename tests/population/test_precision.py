"""Products are rounded where that is quick, while networks learn, and nowhere else."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu

from fathometer.networks import layers
from fathometer.population.precision import (
    WORTH_CASTING,
    casting,
    casting_members,
    has_quick_bf16,
    tf32_products,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda")  # the setting is there without a GPU too


def allowed() -> str:
    products: Any = torch.backends.cuda.matmul
    return str(products.fp32_precision)


def test_a_gpu_rounds_only_inside_and_only_where_allowed() -> None:
    before = allowed()
    assert before != "tf32"
    with tf32_products(GPU, exact=False):
        assert allowed() == "tf32"
    assert allowed() == before
    for device, exact in ((GPU, True), (CPU, False)):
        with tf32_products(device, exact=exact):
            assert allowed() == before


def test_what_was_allowed_before_is_allowed_again_after_an_error() -> None:
    before = allowed()
    with pytest.raises(KeyboardInterrupt), tf32_products(GPU, exact=False):
        raise KeyboardInterrupt
    assert allowed() == before


def test_casts_are_made_where_a_step_is_worth_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    for device, work, exact, casts in (
        (CPU, WORTH_CASTING, False, True),
        (CPU, WORTH_CASTING - 1, False, False),
        (CPU, WORTH_CASTING, True, False),
    ):
        with casting_members(device, work, exact=exact):
            assert torch.is_autocast_enabled("cpu") is casts


@pytest.mark.parametrize("wanted", [True, False])
def test_a_network_of_raw_values_says_whether_it_wants_casts(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    with casting(CPU, wanted=wanted):
        assert torch.is_autocast_enabled("cpu") is wanted


def test_without_an_instruction_for_bf16_nothing_is_cast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    assert not has_quick_bf16(CPU)
    with casting_members(CPU, WORTH_CASTING, exact=False), casting(CPU, wanted=True):
        assert not torch.is_autocast_enabled("cpu")


def tower_and_gradients(activation: layers.Activation, own: dict[str, Tensor], x: Tensor) -> list:
    leaves = {name: value.clone().requires_grad_() for name, value in own.items()}
    entering = x.clone().requires_grad_()
    answer = layers.tower(entering, leaves, 2, activation, layers.keep_all)
    found = torch.autograd.grad(answer.square().mean(dim=1).sum(), [entering, *leaves.values()])
    return [answer.detach(), *found]


@pytest.mark.parametrize("activation", [torch.relu, silu], ids=["relu", "silu"])
def test_a_cast_tower_answers_and_learns_in_float32_close_to_the_exact_one(
    activation: layers.Activation,
) -> None:
    generator = torch.Generator().manual_seed(0)
    members = [layers.start_tower([24, 32, 32, 3], generator) for _ in range(4)]
    own = {name: torch.stack([member[name] for member in members]) for name in members[0]}
    x = torch.randn(4, 256, 24, generator=generator)
    exact = tower_and_gradients(activation, own, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = tower_and_gradients(activation, own, x)
    for one, other in zip(exact, cast, strict=True):
        assert other.dtype == torch.float32
        apart = float((one - other).norm() / one.norm())
        assert 0 < apart < 0.05  # bf16 keeps 8 bits; some units of a rectifier change sides
