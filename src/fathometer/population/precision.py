"""In which precision networks multiply while they learn: bf16 where the machine is quicker with it.

Weights, sums of gradients, losses and the optimizer stay in float32 everywhere, and what a network
answers after its training is computed as its model file computes it, in no less. On processors
without bf16 products all of this is float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# Below this the casts and the slower start of a bf16 product cost more than they save: see the
# smallest networks of `benchmarks/engine.py`.
WORTH_CASTING = 2**24


def has_quick_bf16(device: torch.device) -> bool:
    """Whether products in bf16 take less time there: on a GPU, and on cores with an instruction
    for them (AMX, or AVX-512's own)."""
    if device.type == "cuda":
        return True
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def casting(device: torch.device, *, wanted: bool) -> torch.autocast:
    """A forward pass in which products, and the activations between them, are bf16: on a GPU, and
    where a network of raw values wants it (`RawTraining.casts`).

    With AVX-512 BF16 convolutions over pictures take less time; word vectors, whose whole table
    would be cast, and transformers take more."""
    pays = device.type == "cuda" or wanted
    return torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=pays and has_quick_bf16(device)
    )


def casting_members(device: torch.device, work: int, *, exact: bool) -> torch.autocast:
    """The same for the batched networks of a population, where a step's products are worth it.

    work: weights of all members times the rows that each learns from in a step. With `exact` there
    is none; nor on a GPU, where each cast is one more kernel to launch (see `tf32_products`).
    `benchmarks/precision.py` shows that the networks learn as well, `benchmarks/engine.py` what a
    step takes."""
    worth = device.type == "cpu" and work >= WORTH_CASTING and not exact
    return torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=worth and has_quick_bf16(device)
    )


@contextmanager
def tf32_products(device: torch.device, *, exact: bool) -> Iterator[None]:
    """Let a GPU round what it multiplies to TF32, forward and backward, unless it is to be
    `exact`; elsewhere nothing changes."""
    products: Any = torch.backends.cuda.matmul
    before = products.fp32_precision
    if device.type == "cuda" and not exact:
        products.fp32_precision = "tf32"
    try:
        yield
    finally:
        products.fp32_precision = before
