"""Which networks enter for pictures, and how long each is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fathometer.learners.raw_network import RawNetwork

if TYPE_CHECKING:
    from fathometer.networks.raw.encoder import PictureArchitecture, RawTraining, TextArchitecture

# From this side on a residual network enters instead of the fast one, whose first layer would
# stride over what is in the picture.
RESIDUAL_FROM = 48  # pixels


def picture_networks(
    size: tuple[int, int],
    *,
    epochs: int,
    seeds: int,
    seed: int,
    text: TextArchitecture | None = None,
) -> tuple[RawNetwork, ...]:
    """LeNet-5 twice, as published and modern, and today's network, for pictures of this size.

    Args:
        size: height and width of the column's pictures; the smaller side decides.
        epochs: of each network. A residual network gets half: its step on 64 × 64 pixels is three
            times as dear as that of the small pictures' network on 28 × 28.
        seeds: networks of today's kind for each fold.
        text: reads the texts beside the pictures, but for the network of 1998; None: as word
            counts.
    """
    from fathometer.networks.raw.lenet import LeNet1998, LeNetModern
    from fathometer.networks.raw.residual import ResidualConvolution
    from fathometer.networks.raw.speedy import FastConvolution

    small = min(size) <= RESIDUAL_FROM
    today = FastConvolution() if small else ResidualConvolution()
    name = "convolutional network" if small else "residual network"
    passes = epochs if small else max(2, epochs // 2)
    each = (
        ("LeNet-5 (1998)", LeNet1998(), None, epochs, 1),
        ("LeNet-5 modern", LeNetModern(), text, epochs, 1),
        (name, today, text, passes, seeds),
    )
    return tuple(
        RawNetwork(
            own,
            architecture,
            reads,
            training=replace(_taught(architecture, reads), epochs=count, seeds=draws),
            seed=seed,
        )
        for own, architecture, reads, count, draws in each
    )


def _taught(picture: PictureArchitecture, text: TextArchitecture | None) -> RawTraining:
    """As the pictures' architecture says, in batches no larger than the texts' asks for.

    On 4,000 pictures of Fashion-MNIST beside tweets whose emotion is half of the class, at effort
    quick: 0.632 right in 46 s with batches of 64, 0.561 in 146 s with the pictures' 256."""
    own = picture.training
    return own if text is None else replace(own, batch=min(own.batch, text.training.batch))
