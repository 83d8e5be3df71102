"""How a picture is shown: in training shifted by some pixels, and mirrored where that changes
nothing; in asking as it is, and then in the mirror as well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, one_hot

from fathometer.graph import Graph
from fathometer.networks.raw.convolution import Pixels, few, kernels_and_biases
from fathometer.networks.raw.encoder import Encoder, PictureShape, Rate, Visit

PIXELS_A_SHIFT = 14  # a picture's side over this is how far it is shifted: 2 of 28 and of 32
GRID = 14  # pixels of a picture's side for the check of symmetry; fewer than a linear fit's rows
PENALTY = 0.1  # of the mean squared pixel
# Mirroring is taken where a linear rule keeps at least this share of what it explains. Measured:
# handwritten digits keep 0.26, clothes (Fashion-MNIST) 0.49 to 0.54, CIFAR-10 0.88 of 300 pictures,
# 0.90 of 1,000 and 0.98 of 4,000.
LEAST_KEPT = 0.75
# A multiplier that spreads neighbouring numbers over all bits (Knuth, TAOCP 3, 6.4).
SPREAD = 2_654_435_761


class ShownEncoder(Encoder):
    """Of pictures: shown shifted, and mirrored where `prepare` finds that this changes nothing;
    asked about a picture and its mirror image where it was shown both.

    Subclasses set `width` and write `features` and `write_features`."""

    mirror: Tensor  # whether pictures are shown mirrored as well

    def __init__(self, shape: PictureShape, *, kernel_rate: float, bias_rate: float) -> None:
        """The rates: of Muon for kernels, each held at the length √out, and of all others."""
        super().__init__()
        self.rates = kernel_rate, bias_rate
        self.most = min(shape.height, shape.width) // PIXELS_A_SHIFT
        self.pixels = Pixels(shape.channels)
        self.register_buffer("mirror", torch.zeros((), dtype=torch.bool))
        self.once = False  # whether to look at pictures as they are alone, also where `mirror`

    def features(self, raw: Tensor) -> Tensor:
        """(B, width) of pictures (B, channels, height, width) as they are."""
        raise NotImplementedError

    def write_features(self, graph: Graph, raw: str) -> str:
        """The twin of `features` as it predicts, with the present weights."""
        raise NotImplementedError

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        self.pixels.prepare(raw)
        self.mirror.fill_(mirrors_alike(raw, target))

    def augment(self, raw: Tensor, visit: Visit) -> Tensor:
        return shifted(raw, visit, self.most, mirror=bool(self.mirror))

    def forward(self, raw: Tensor) -> Tensor:
        found = self.features(raw)
        if self.training or self.once or not self.mirror:
            return found
        # Under a linear head the mean of the features is the mean of both answers' logits.
        return (found + self.features(raw.flip(3))) / 2

    def write(self, graph: Graph, raw: str) -> str:
        found = self.write_features(graph, raw)
        if not self.mirror:
            return found
        last, before_first, width, backwards = (
            graph.constant(np.array([number])) for number in (-1, np.iinfo(np.int64).min, 3, -1)
        )
        turned = graph.add("Slice", raw, last, before_first, width, backwards)
        both = graph.add("Add", found, self.write_features(graph, turned))
        return graph.add("Mul", both, graph.constant(np.float32(0.5)))

    def groups(self) -> Sequence[tuple[Rate, list[nn.Parameter]]]:
        return kernels_and_biases(self, *self.rates)


def shifted(raw: Tensor, visit: Visit, most: int, *, mirror: bool) -> Tensor:
    """Pictures (B, channels, height, width) moved by at most so many pixels each way.

    What comes in from outside is the picture reflected at its rim. With `mirror` every second epoch
    shows a picture mirrored, half of them in the even epochs: each is seen both ways equally often,
    which independent coins do not give (Jordan 2024, arXiv 2404.00498)."""
    count, _, height, width = raw.shape
    moves = torch.randint(-most, most + 1, (2, count), generator=visit.generator)
    rows = reflected(torch.arange(height) + moves[0].unsqueeze(1), height)
    columns = reflected(torch.arange(width) + moves[1].unsqueeze(1), width)
    if mirror:
        turned = (visit.rows * SPREAD // 65_536 + visit.epoch) % 2 == 1
        columns = torch.where(turned.unsqueeze(1), width - 1 - columns, columns)
    own = torch.arange(count).view(-1, 1, 1)
    own, rows, columns = (
        places.to(raw.device) for places in (own, rows.unsqueeze(2), columns.unsqueeze(1))
    )
    # Channels are innermost in memory, so they are gathered together.
    return raw.permute(0, 2, 3, 1)[own, rows, columns].permute(0, 3, 1, 2)


def reflected(places: Tensor, size: int) -> Tensor:
    """Places outside 0 to size - 1 brought back as a mirror at the first and last would."""
    inside = places.abs()
    return (size - 1) - ((size - 1) - inside).abs()


def mirrors_alike(raw: Tensor, target: Tensor) -> bool:
    """Whether mirrored pictures answer as the pictures do, by a linear rule.

    A ridge regression of the answer on a coarse picture is fitted on every other of these pictures
    and asked about the rest, as they are and mirrored. Digits and letters lose most of what it
    explains, photographs nothing. Reads learning rows alone.

    Args:
        raw: (n, channels, height, width) learning pictures; target (n,) classes or values.
    """
    size = min(GRID, raw.shape[2]), min(GRID, raw.shape[3])
    coarse = interpolate(few(raw).float() / 255, size=size, mode="area").double()
    answers = few(target)
    wide = (
        answers.double().unsqueeze(1) if answers.is_floating_point() else one_hot(answers).double()
    )
    wide = wide - wide.mean(dim=0)
    both = torch.stack([coarse, coarse.flip(3)]).flatten(2)
    both = both - both[0].mean(dim=0)
    learned, asked = both[0, ::2], both[:, 1::2]
    if not len(asked[0]):
        return False
    gram = learned.T @ learned
    gram.diagonal().add_(PENALTY * gram.diagonal().mean() + 1e-12)
    weights = torch.linalg.solve(gram, learned.T @ wide[::2])
    agreement = (torch.matmul(asked, weights) * wide[1::2]).sum(dim=(1, 2))
    return bool(agreement[0] > 0 and agreement[1] >= LEAST_KEPT * agreement[0])
