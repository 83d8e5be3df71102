"""Products are rounded where that is quick, while networks learn, and nowhere else."""

from typing import Any

import pytest
import torch

from fathometer.population.precision import has_quick_bf16, rounded_products

CPU, GPU = torch.device("cpu"), torch.device("cuda")  # the setting is there without a GPU too
ROUNDED = [(CPU, "bf16"), (GPU, "tf32")]


def allowed(device: torch.device) -> str:
    backend: Any = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    return str(backend.matmul.fp32_precision)


@pytest.mark.parametrize(("device", "rounded"), ROUNDED, ids=str)
def test_products_round_only_inside_and_only_where_it_is_quick(
    device: torch.device, rounded: str
) -> None:
    before = allowed(device)
    assert before != rounded
    with rounded_products(device, exact=False):
        assert allowed(device) == (rounded if has_quick_bf16(device) else before)
    assert allowed(device) == before
    with rounded_products(device, exact=True):
        assert allowed(device) == before


@pytest.mark.parametrize("device", [CPU, GPU], ids=str)
def test_what_was_allowed_before_is_allowed_again_after_an_error(device: torch.device) -> None:
    before = allowed(device)
    with pytest.raises(KeyboardInterrupt), rounded_products(device, exact=False):
        raise KeyboardInterrupt
    assert allowed(device) == before


def test_without_amx_products_are_those_of_float32() -> None:
    if has_quick_bf16(CPU):
        pytest.skip("this machine multiplies bf16")
    left, right = torch.randn(2, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = torch.bmm(left, right)
    with rounded_products(CPU, exact=False):
        torch.testing.assert_close(torch.bmm(left, right), expected, rtol=0, atol=0)
