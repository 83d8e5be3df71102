"""Settings of networks for tables: a few that are strong on many tables, then sampled ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fathometer.table.task import Task

if TYPE_CHECKING:
    from fathometer.networks.network import Shape

# Bins of all numbers together; with more, the first layer is all of the cost. Many columns get 8
# bins each up to the second limit, and fewer beyond it.
ENCODED_WIDTH = 384
WIDEST_ENCODED = 2048


def affordable_bins(numbers: int) -> int:
    """How finely each of so many numbers may be encoded."""
    columns = max(numbers, 1)
    return max(1, ENCODED_WIDTH // columns, min(8, WIDEST_ENCODED // columns))


def settings_for(shape: Shape, task: Task, count: int, seed: int) -> list[dict[str, Any]]:
    """The fields of `network.Setting` for the first `count` settings."""
    from fathometer.networks.modern import Modern

    draw = np.random.default_rng(seed)
    settings: list[dict[str, Any]] = []
    for place in range(count):
        width, depth, bins, rate, decay, dropout = 128, 3, 32, 6e-3, 2e-2, 0.15
        if place:
            width = int(draw.choice([64, 96, 128, 192, 256]))
            depth = int(draw.integers(2, 5))
            bins = int(draw.choice([16, 32, 48]))
            rate = float(10 ** draw.uniform(-2.8, -1.8))
            decay = float(10 ** draw.uniform(-3, -1))
            dropout = float(draw.choice([0.0, 0.1, 0.2, 0.3]))
        network = Modern(shape, width, depth, min(bins, affordable_bins(shape.numbers)))
        settings.append(
            {
                "network": network,
                "learning_rate": rate,
                "weight_decay": decay,
                "dropout": dropout,
            }
        )
    return settings
