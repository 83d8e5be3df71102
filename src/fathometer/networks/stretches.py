"""Large tensors a few rows at a time, so that what is made of them stays within a core's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence


def stretches(shape: Sequence[int], most: int) -> Iterator[tuple[int, slice]]:
    """Runs of rows of a tensor (P, B, ...), of about `most` numbers each, network after network."""
    networks, rows = shape[:2]
    together = max(1, most // max(1, math.prod(shape[2:])))
    for network in range(networks):
        for start in range(0, rows, together):
            yield network, slice(start, min(start + together, rows))
