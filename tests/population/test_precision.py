"""Products are rounded where that is quick, while networks learn, and nowhere else."""

from typing import Any

import pytest
import torch

from fathometer.population.precision import has_quick_bf16, rounded_products

CPU = torch.device("cpu")


def allowed() -> str:
    backend: Any = torch.backends.mkldnn
    return str(backend.matmul.fp32_precision)


def test_products_round_only_inside_and_only_where_it_is_quick() -> None:
    before = allowed()
    with rounded_products(CPU, exact=False):
        assert allowed() == ("bf16" if has_quick_bf16(CPU) else before)
    assert allowed() == before
    with rounded_products(CPU, exact=True):
        assert allowed() == before


def test_what_was_allowed_before_is_allowed_again_after_an_error() -> None:
    before = allowed()
    with pytest.raises(KeyboardInterrupt), rounded_products(CPU, exact=False):
        raise KeyboardInterrupt
    assert allowed() == before


def test_without_amx_products_are_those_of_float32() -> None:
    if has_quick_bf16(CPU):
        pytest.skip("this machine multiplies bf16")
    left, right = torch.randn(2, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = torch.bmm(left, right)
    with rounded_products(CPU, exact=False):
        torch.testing.assert_close(torch.bmm(left, right), expected, rtol=0, atol=0)
