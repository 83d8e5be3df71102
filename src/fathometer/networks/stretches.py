"""Large tensors a few rows at a time, so that what is made of them stays within a core's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch


def stretches(shape: Sequence[int], most: int, device: torch.device) -> Iterator[tuple[int, slice]]:
    """Runs of rows of a tensor (P, B, ...), of about `most` numbers each, network after network.

    On a GPU, where each run would be some more kernels to launch, all rows of a network."""
    networks, rows = shape[:2]
    few = max(1, most // max(1, math.prod(shape[2:])))
    together = few if device.type == "cpu" else max(1, rows)
    for network in range(networks):
        for start in range(0, rows, together):
            yield network, slice(start, min(start + together, rows))
