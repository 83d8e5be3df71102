"""The contract of encoders: what turns one raw column into features that a network learns.

An `Architecture` is a frozen value; it makes an `Encoder`, a small torch module with a hand-written
ONNX twin, for a column of a given shape, and says how networks with it are trained. Knows tensors,
never tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.graph import Graph


@dataclass(frozen=True)
class PictureShape:
    """Raw pictures: float32 (B, channels, height, width), 0 to 255."""

    channels: int
    height: int  # pixels
    width: int


@dataclass(frozen=True)
class TextShape:
    """Raw texts: codes (B, columns), whole numbers from 0 to `vocabulary` - 1.

    Columns: the pieces that a text's first `spelled` unknown words are spelled of; its tokens; the
    pairs of neighbouring tokens, if the architecture asked for pairs. 0 fills up, at the end of
    each block; 1 is a token that is not in the vocabulary; then come those of known tokens, of
    pairs, and of pieces."""

    columns: int
    vocabulary: int  # codes, 0 and 1 included
    pairs: int  # codes of pairs
    spelled: int  # unknown words of a text that are spelled
    # (codes of tokens, pieces) what each token is spelled of; known from the table and the rest
    pieces: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class TableShape:
    """The other columns: float32 (B, numbers + flags + categories), category codes last."""

    numbers: int
    flags: int
    levels: tuple[int, ...]  # codes of each category column


class Optimiser(Enum):
    """How gradients move weights."""

    ADAMW = "AdamW"
    MUON = "Muon"  # orthogonalised momentum; for weights of two axes and more


@dataclass(frozen=True)
class Rate:
    """How some of a network's parameters are moved."""

    optimiser: Optimiser = Optimiser.ADAMW
    learning_rate: float = 2e-3  # at its highest
    weight_decay: float = 1e-2  # decoupled: a step shrinks weights by rate times this
    momentum: float = 0.9  # AdamW: of its first moment
    is_scale_free: bool = False  # a norm follows: each weight is held at the length √out


@dataclass(frozen=True)
class RawTraining:
    """How long and on what terms raw networks are trained; step budgets, so exactly repeatable."""

    epochs: int = 8  # passes over a fold's learning rows; validated after each
    batch: int = 256  # fewer for small tables
    least_steps: int = 300  # small tables are passed over more often, up to this,
    least_rows: int = 64_000  # or until so many rows, with repeats, have been shown
    label_smoothing: float = 0.0  # share of the target spread over all classes
    dropout: float = 0.0  # of the joined features, before the head
    warm_up: float = 0.1  # share of the steps in which the learning rate rises; then it falls to 0
    seeds: int = 1  # networks for each fold
    casts: bool = False  # hidden layers in bf16 pay on processors that multiply it sooner
    head: Rate = field(default_factory=Rate)


@dataclass(frozen=True)
class Visit:
    """Which rows a training batch holds, for augmentations that follow a plan."""

    rows: Tensor  # (B,) int64, on the CPU; a row's number is the same in every epoch
    epoch: int  # from 0
    generator: torch.Generator  # the member's own, on the CPU; draw from no other


class Encoder(nn.Module):
    """Turns a raw column into features; subclasses set `width` and write `forward` and `write`.

    Randomness: the constructor may draw from torch's global generator, which is seeded for it and
    for it alone. `forward` must draw from no global generator (members train side by side): its
    dropouts are `SeededDropout`. `augment` draws from the visit's."""

    width: int  # of the features
    rate: Rate = Rate()  # of all parameters, unless `groups` says otherwise

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        """Compute what is fixed (means, whitening, codes seen) from a fold's learning rows.

        Store it in buffers. Args: raw, all learning rows in the column's own storage (pictures
        uint8, texts int64); target (rows,), int64 classes or float32 values."""

    def augment(self, raw: Tensor, visit: Visit) -> Tensor:
        """A training batch as this epoch shows it, before `forward`; raw in its storage type."""
        return raw

    def forward(self, raw: Tensor) -> Tensor:
        """Features (B, width) of raw values (B, ...), in the type its shape says."""
        raise NotImplementedError

    def write(self, graph: Graph, raw: str) -> str:
        """The twin of `forward` as it predicts, with the present weights; float (rows, width)."""
        raise NotImplementedError

    def groups(self) -> Sequence[tuple[Rate, list[nn.Parameter]]]:
        """All parameters that are trained, each once, with how they are moved."""
        return [(self.rate, [own for own in self.parameters() if own.requires_grad])]


class Architecture(Protocol):
    """A frozen dataclass: its `repr` is its identity, by which a run that was killed goes on."""

    @property
    def training(self) -> RawTraining:
        """How networks of this architecture are trained, unless the learner says otherwise."""
        ...


class PictureArchitecture(Architecture, Protocol):
    """Makes encoders of pictures."""

    def encoder(self, shape: PictureShape) -> Encoder:
        """An encoder for pictures of this shape, with its first weights."""
        ...


@dataclass(frozen=True)
class Tokens:
    """How an architecture wants texts to be cut, for `features/tokens`."""

    unit: Literal["word", "word pair"]  # words, or beside them pairs of neighbours
    length: int  # most tokens of a text; what is beyond is cut off
    vocabulary: int  # most codes


class TextArchitecture(Architecture, Protocol):
    """Makes encoders of texts."""

    @property
    def tokens(self) -> Tokens:
        """How texts are cut into codes for it."""
        ...

    def encoder(self, shape: TextShape) -> Encoder:
        """An encoder for texts of this shape, with its first weights."""
        ...


class SeededDropout(nn.Module):
    """Dropout that draws from the member's own generator, which training sets.

    Acts in training mode alone and only once `generator` is set. 16 random bits an activation
    decide, several times as quick as `bernoulli_`; shares are exact to 1 / 65,536."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: torch.Generator | None = None

    def forward(self, activations: Tensor) -> Tensor:
        """Activations (B, ...) with a share of them 0, the others scaled up."""
        if not self.training or self.share == 0.0 or self.generator is None:
            return activations
        count = activations.numel()
        words = torch.empty(-(-count // 4), dtype=torch.int64, device=activations.device)
        words.random_(-(2**63), None, generator=self.generator)
        # A draw of 16 bits is a number from -32,768 to 32,767.
        highest = round((1.0 - self.share) * 65_536) - 32_769
        kept = (words.view(torch.int16)[:count] <= highest).view(activations.shape)
        return activations * (kept * (1.0 / (1.0 - self.share)))
