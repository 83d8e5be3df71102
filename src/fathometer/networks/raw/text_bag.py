"""A text as the sum of its codes' vectors, whatever their order.

Joulin, Grave, Bojanowski, Mikolov: Bag of Tricks for Efficient Text Classification,
arXiv 1607.01759; vectors of character n-grams: Bojanowski, Grave, Joulin, Mikolov: Enriching Word
Vectors with Subword Information, arXiv 1607.04606. Unlike theirs, pairs of words and pieces have
codes of their own as long as they are frequent, instead of places that several share; nothing in
the file is spent on what stood in one text alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fathometer.graph import Graph, write_slice
from fathometer.networks.raw.convolution import values_of
from fathometer.networks.raw.encoder import Encoder, Rate, RawTraining, TextShape, Tokens
from fathometer.networks.raw.text_sequence import (
    LENGTH_POWER,
    write_length_scale,
)
from fathometer.networks.raw.text_vectors import PADDING, PIECE_WEIGHT, CodeVectors

CUT = Tokens("word pair", length=1024, vocabulary=60_000)
TAUGHT = RawTraining(epochs=6, batch=64, head=Rate(learning_rate=1e-2))


@dataclass(frozen=True)
class WordBag:
    """Words, pairs of words and pieces of words, added up."""

    width: int = 32
    tokens: Tokens = CUT
    dropout: float = 0.1  # of known words' own vectors
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    training: RawTraining = TAUGHT

    def encoder(self, shape: TextShape) -> Encoder:
        """An encoder of texts as sums."""
        return WordBagEncoder(self, shape)


class WordBagEncoder(Encoder):
    """(B, columns) to (B, width)."""

    def __init__(self, architecture: WordBag, shape: TextShape) -> None:
        super().__init__()
        self.width = architecture.width
        self.rate = Rate(
            learning_rate=architecture.learning_rate, weight_decay=architecture.weight_decay
        )
        self.vectors = CodeVectors(
            shape, architecture.width, spread=0.01, dropout=architecture.dropout
        )

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        self.vectors.prepare(raw)

    def forward(self, raw: Tensor) -> Tensor:
        is_piece = torch.arange(raw.shape[1], device=raw.device) < self.vectors.leading
        used = (raw > PADDING).any(dim=0)  # most columns are there for the longest text alone
        codes, is_piece = raw[:, used].long(), is_piece[used]
        vectors, places = self.vectors(codes)
        shares = torch.where(is_piece, PIECE_WEIGHT, 1.0).expand(codes.shape)
        # How often each text holds each of the codes present: then its sum is one product, whose
        # gradient is one as well; that of `embedding_bag` sorts all columns.
        counts = torch.zeros(len(raw), len(vectors), device=raw.device)
        counts.scatter_add_(1, places, shares)
        is_known = self.vectors.own[codes[:, ~is_piece]] > PADDING
        length = is_known.sum(dim=1, keepdim=True).clamp_min(1)
        summed: Tensor = counts @ vectors
        return summed / length.to(vectors.dtype) ** LENGTH_POWER

    def write(self, graph: Graph, raw: str) -> str:
        table, pieces = self.vectors.table(), self.vectors.first_piece
        # The last column counts: what is summed there is the number of codes that are known.
        counts = (values_of(self.vectors.own) > PADDING).astype(np.float32)
        table[pieces:] *= np.float32(PIECE_WEIGHT)
        counts[pieces:] = 0.0
        whole = graph.constant(np.concatenate([table, counts[:, None]], axis=1))
        found = graph.add("Gather", whole, raw, axis=0)
        summed = graph.add("ReduceSum", found, graph.constant(np.array([1])), keepdims=0)
        length = write_slice(graph, summed, self.width, self.width + 1)
        total = write_slice(graph, summed, 0, self.width)
        return graph.add("Div", total, write_length_scale(graph, length))
