"""Which networks enter for texts, and how long each is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fathometer.learners.raw_network import RawNetwork

if TYPE_CHECKING:
    from fathometer.networks.raw.text_bag import WordBag

# On film reviews a word of a training step costs a sum 1 µs, a convolution 5 and attention 14: so
# these read less of a long text. Shorter texts are read whole by all.
SUMMED, ATTENDED = 8, 0.5  # of `length`


def text_networks(*, length: int, epochs: int, seeds: int, seed: int) -> tuple[RawNetwork, ...]:
    """Word vectors added up, a convolution over words, and a transformer.

    Args:
        length: tokens of a text that the convolution reads, at most.
        epochs: of the convolution and the transformer; word vectors, a few times cheaper, take
            twice as many. Small tables are passed over more often.
        seeds: networks for each fold.
    """
    from fathometer.networks.raw.text_convolution import WordConvolution
    from fathometer.networks.raw.text_transformer import WordTransformer

    patterns, attention = WordConvolution(), WordTransformer()
    architectures = (
        ("word vectors", 2, word_bag(length)),
        ("word convolution", 1, replace(patterns, tokens=replace(patterns.tokens, length=length))),
        (
            "word transformer",
            1,
            replace(attention, tokens=replace(attention.tokens, length=int(ATTENDED * length))),
        ),
    )
    return tuple(
        RawNetwork(
            name,
            text=own,
            training=replace(own.training, epochs=share * epochs, seeds=seeds),
            seed=seed,
        )
        for name, share, own in architectures
    )


def word_bag(length: int) -> WordBag:
    """Word vectors added up, for texts whose convolution reads `length` tokens at most."""
    from fathometer.networks.raw.text_bag import WordBag

    bag = WordBag()
    return replace(bag, tokens=replace(bag.tokens, length=SUMMED * length))
