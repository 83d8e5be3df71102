"""How many members train in one block.

The choice is computed, not timed: a timed one would differ from run to run, and with it the last
bits of the results. `benchmarks/engine.py` shows what blocks of this size reach, against a loop and
of what a core can do; other sizes it does not try."""

from __future__ import annotations

import torch

from fathometer.population.state import Layout

# A block's weights, moments, gradients and activations should stay in a core's cache or close to
# it; beyond about this much, larger blocks no longer gain (KNOWHOW's measured blocks of 16 members
# of width 256 and 64 of width 64 at batch 256).
BLOCK_BYTES = 24 * 2**20
GPU_SHARE = 0.25  # of the free memory of a GPU, for one block


def members_of_a_block(layout: Layout, batch: int, device: torch.device) -> int:
    """How many members of this layout one core, or the GPU, trains side by side; at least 1."""
    # Weights, two moments and a gradient; activations, their gradients and what is between.
    own = 4 * (4 * layout.size + 3 * batch * layout.outputs)
    allowed: float = BLOCK_BYTES
    if device.type == "cuda":
        allowed = GPU_SHARE * torch.cuda.mem_get_info(device)[0]
    return max(1, int(allowed // own))
