"""In which precision networks multiply while they learn: bf16 where the machine is quicker with it.

Weights, sums, losses and the optimizer stay in float32 everywhere, and what a network answers after
its training is computed in float32, as its model file computes it. On processors without AMX all
of this is float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def has_quick_bf16(device: torch.device) -> bool:
    """Whether products in bf16 take less time there: on a GPU, and on cores with AMX."""
    return device.type == "cuda" or torch.cpu._is_amx_tile_supported()


def casting(device: torch.device) -> torch.autocast:
    """A pass in which activations are bf16 too: for convolutions, which wait for memory."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_quick_bf16(device))


@contextmanager
def rounded_products(device: torch.device, *, exact: bool) -> Iterator[None]:
    """Let products of float32 matrices round what they multiply to bf16 (on a GPU to TF32).

    For the batched products of populations, forward and backward, a user's own layers among them;
    with `exact`, or where it is not quicker, nothing changes. `benchmarks/precision.py` shows that
    the networks learn as well."""
    is_cuda = device.type == "cuda"
    backend: Any = torch.backends.cuda if is_cuda else torch.backends.mkldnn
    products = backend.matmul
    before = products.fp32_precision
    if has_quick_bf16(device) and not exact:
        products.fp32_precision = "tf32" if is_cuda else "bf16"
    try:
        yield
    finally:
        products.fp32_precision = before
