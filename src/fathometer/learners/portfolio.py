"""Settings of networks for tables: a few that are strong on many tables, then sampled ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from fathometer.networks.network import Network, Shape

# Bins of all numbers together; with more, the first layer is all of the cost. Many columns get 8
# bins each up to the second limit, and fewer beyond it.
ENCODED_WIDTH = 384
WIDEST_ENCODED = 2048


@dataclass(frozen=True)
class Entry:
    """One setting, before it is known what inputs it meets."""

    architecture: Literal["modern", "residual", "periodic", "tabm"]
    width: int
    depth: int
    bins: int  # of each number; the periodic network has none
    learning_rate: float
    weight_decay: float
    dropout: float
    is_logarithmic: bool = False

    def network(self, shape: Shape) -> Network:
        """The architecture for inputs of this shape."""
        from fathometer.networks.modern import Modern
        from fathometer.networks.periodic import Periodic
        from fathometer.networks.residual import Residual
        from fathometer.networks.tabm import TabM

        if self.architecture == "periodic":
            return Periodic(shape, self.width, self.depth)
        bins = min(self.bins, affordable_bins(shape.numbers))
        if self.architecture == "residual":
            return Residual(shape, self.width, self.depth, bins)
        if self.architecture == "tabm":
            return TabM(shape, self.width, self.depth, bins, HEADS)
        return Modern(shape, self.width, self.depth, bins)


# The first of each architecture is what did best in `benchmarks/architectures.py`; the order is
# that of what each adds to those before it. `benchmarks/portfolio.py` found none that is clearly
# better on tables it was not chosen on. The heads of TabM cost five times as much a step.
PORTFOLIO = (
    Entry("modern", 128, 3, 32, 6e-3, 2e-2, 0.15),
    Entry("modern", 128, 3, 32, 6e-3, 2e-2, 0.15, is_logarithmic=True),
    Entry("residual", 128, 2, 32, 4e-3, 2e-2, 0.15),
    Entry("periodic", 128, 3, 0, 6e-3, 2e-2, 0.15),
    Entry("modern", 256, 2, 48, 3e-3, 2e-2, 0.3),
    Entry("residual", 128, 2, 32, 4e-3, 2e-2, 0.15, is_logarithmic=True),
    Entry("tabm", 128, 3, 32, 4e-3, 2e-2, 0.1),
)
HEADS = 8  # of TabM; more cost time in proportion


def affordable_bins(numbers: int) -> int:
    """How finely each of so many numbers may be encoded."""
    columns = max(numbers, 1)
    return max(1, ENCODED_WIDTH // columns, min(8, WIDEST_ENCODED // columns))


def entries(count: int, seed: int, *, has_logarithm: bool) -> list[Entry]:
    """The first `count` settings: the portfolio's, then sampled ones.

    has_logarithm: whether the target may be learned by its logarithm."""
    fitting = [entry for entry in PORTFOLIO if has_logarithm or not entry.is_logarithmic]
    draw = np.random.default_rng(seed)
    sampled = [sample(draw, has_logarithm=has_logarithm) for _ in range(count - len(fitting))]
    return [*fitting[:count], *sampled]


def sample(draw: np.random.Generator, *, has_logarithm: bool) -> Entry:
    """One setting of the space that the portfolio was found in.

    Its ranges are those in which TabArena's tuned networks lie (learning rates spread by
    2.5 to 5 times around their median, dropout 0 in half of them), narrowed to widths that train in
    seconds on two cores."""
    return Entry(
        architecture=("modern", "modern", "residual", "periodic")[int(draw.integers(4))],
        width=int(draw.choice([64, 96, 128, 192, 256])),
        depth=int(draw.integers(2, 5)),
        bins=int(draw.choice([16, 32, 48])),
        learning_rate=round(float(10 ** draw.uniform(-2.9, -1.9)), 5),
        weight_decay=round(float(10 ** draw.uniform(-3, -1)), 5),
        dropout=float(draw.choice([0.0, 0.1, 0.2, 0.3])),
        is_logarithmic=has_logarithm and bool(draw.integers(2)),
    )
