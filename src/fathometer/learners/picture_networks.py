"""Which networks enter for pictures, and how long each is trained."""

from __future__ import annotations

from dataclasses import replace

from fathometer.learners.raw_network import RawNetwork

# From this side on a residual network enters instead of the fast one, whose first layer would
# stride over what is in the picture.
RESIDUAL_FROM = 48  # pixels


def picture_networks(
    size: tuple[int, int], *, epochs: int, seeds: int, seed: int
) -> tuple[RawNetwork, ...]:
    """LeNet-5 twice, as published and modern, and today's network, for pictures of this size.

    Args:
        size: height and width of the column's pictures; the smaller side decides.
        epochs: of today's network; the LeNets' steps are several times cheaper and take half as
            many again.
        seeds: networks for each fold.
    """
    from fathometer.networks.raw.lenet import LeNet1998, LeNetModern
    from fathometer.networks.raw.residual import ResidualConvolution
    from fathometer.networks.raw.speedy import FastConvolution

    small = min(size) <= RESIDUAL_FROM
    today = FastConvolution() if small else ResidualConvolution()
    name = "convolutional network" if small else "residual network"
    lenets = (("LeNet-5 (1998)", LeNet1998()), ("LeNet-5, modern", LeNetModern()))
    return (
        *(
            RawNetwork(
                own, arch, training=replace(arch.training, epochs=3 * epochs // 2), seed=seed
            )
            for own, arch in lenets
        ),
        RawNetwork(
            name, today, training=replace(today.training, epochs=epochs, seeds=seeds), seed=seed
        ),
    )
