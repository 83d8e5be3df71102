"""A text as the sequence of its words' vectors: what encoders that read in order have in common."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from fathometer.graph import Element, Graph, write_slice
from fathometer.networks.raw.convolution import values_of
from fathometer.networks.raw.encoder import Encoder, Rate, SeededDropout, TextShape
from fathometer.networks.raw.text_vectors import PADDING, PIECE_WEIGHT, UNKNOWN, CodeVectors

# Sums are divided by the number of codes to this power: 1 is best for film reviews (1,000 words),
# 1/2 for bank questions (12 words); between them neither loses more than 0.3 points of accuracy.
LENGTH_POWER = 0.75
LAST = int(np.iinfo(np.int64).max)


class WordSequence(nn.Module):
    """(B, columns) codes without pairs to vectors (B, T, width) and which of them stand for a word.

    A word that is in no vocabulary has the vector of the unknown, and if it is among the text's
    first such words the sum of its pieces' as well."""

    def __init__(self, shape: TextShape, width: int, *, spread: float, dropout: float) -> None:
        super().__init__()
        self.vectors = CodeVectors(shape, width, spread=spread, dropout=dropout)
        self.pieces = shape.pieces.shape[1]

    def forward(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors, and (B, T) float32 ones where there is a word; T is the longest text's."""
        leading, spelled = self.vectors.leading, self.vectors.spelled
        codes = raw.long()
        longest = int((codes[:, leading:] > PADDING).sum(dim=1).max().clamp_min(1))
        codes = codes[:, : leading + longest]
        table, places = self.vectors(codes)
        words = codes[:, leading:]
        found = embedding(places[:, leading:], table)
        rank = (words == UNKNOWN).cumsum(dim=1) * (words == UNKNOWN)
        slot = torch.where(rank <= spelled, rank, 0)
        if bool(slot.any()):
            pieces = embedding(places[:, :leading].reshape(-1, spelled, self.pieces), table)
            sums = nn.functional.pad(pieces.sum(dim=2) * PIECE_WEIGHT, (0, 0, 1, 0))
            found = found + sums.gather(1, slot.unsqueeze(2).expand(-1, -1, found.shape[2]))
        return found, (words > PADDING).to(found.dtype)

    def write(self, graph: Graph, raw: str) -> tuple[str, str]:
        """The twin of `forward`; float (rows, T, width) and int64 (rows, T)."""
        vectors, table = self.vectors, self.vectors.table()
        words = write_slice(graph, raw, vectors.leading, LAST)
        found = graph.add("Gather", graph.constant(table[: len(vectors.pieces)]), words, axis=0)
        is_unknown = graph.cast(
            graph.add("Equal", words, graph.constant(np.int64(UNKNOWN))), Element.INT64
        )
        ranked = graph.add("CumSum", is_unknown, graph.constant(np.int64(1)))
        slot = graph.add("Unsqueeze", graph.add("Mul", ranked, is_unknown), _axis(graph, 2))
        slots = graph.constant(np.arange(1, vectors.spelled + 1))
        chosen = graph.cast(graph.add("Equal", slot, slots), Element.FLOAT)  # (rows, T, spelled)
        added = graph.add("MatMul", chosen, self._write_spelled(graph, raw, table))
        above = graph.add("Greater", words, graph.constant(np.int64(PADDING)))
        return graph.add("Add", found, added), graph.cast(above, Element.INT64)

    def _write_spelled(self, graph: Graph, raw: str, table: np.ndarray) -> str:
        """(rows, spelled, width): what the first unknown words' pieces come to."""
        vectors = self.vectors
        leading = write_slice(graph, raw, 0, vectors.leading)
        # Of the codes only pieces stand here, or 0: a table of their own begins with that of 0.
        shifted = graph.add("Sub", leading, graph.constant(np.int64(vectors.first_piece - 1)))
        places = graph.add("Max", shifted, graph.constant(np.int64(0)))
        shape = graph.constant(np.array([0, vectors.spelled, self.pieces]))
        places = graph.add("Reshape", places, shape)
        own = np.pad(table[vectors.first_piece :] * np.float32(PIECE_WEIGHT), ((1, 0), (0, 0)))
        found = graph.add("Gather", graph.constant(own), places, axis=0)
        return graph.add("ReduceSum", found, _axis(graph, 2), keepdims=0)


class LengthScaledSum(nn.Module):
    """A text's vectors added up and divided by their number to `LENGTH_POWER`: (B, T, width) to
    (B, width), zeros for a text without words."""

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """mask (B, T): ones where there is a word."""
        total = (sequence * mask.unsqueeze(2)).sum(dim=1)
        return total / mask.sum(dim=1, keepdim=True).clamp_min(1) ** LENGTH_POWER

    def write(self, graph: Graph, sequence: str, mask: str) -> str:
        """The twin of `forward`; mask as float (rows, T, 1)."""
        kept = graph.add("Mul", sequence, mask)
        total = graph.add("ReduceSum", kept, _axis(graph, 1), keepdims=0)
        length = graph.add("ReduceSum", mask, _axis(graph, 1), keepdims=0)
        return graph.add("Div", total, write_length_scale(graph, length))


class SequenceArchitecture(Protocol):
    """What an architecture of such an encoder says of it."""

    @property
    def width(self) -> int: ...  # of a word's vector
    @property
    def word_dropout(self) -> float: ...  # of known words' own vectors
    @property
    def dropout(self) -> float: ...  # of vectors' values
    @property
    def learning_rate(self) -> float: ...
    @property
    def vector_rate(self) -> float: ...  # of the words' vectors, which few rows move
    @property
    def weight_decay(self) -> float: ...


class SequenceEncoder(Encoder):
    """An encoder of the words in their order; the words' vectors have a rate of their own."""

    def __init__(self, own: SequenceArchitecture, shape: TextShape, *, spread: float) -> None:
        """spread: of the words' first vectors."""
        super().__init__()
        self.rate = Rate(learning_rate=own.learning_rate, weight_decay=own.weight_decay)
        self.vector_rate = Rate(learning_rate=own.vector_rate, weight_decay=own.weight_decay)
        self.words = WordSequence(shape, own.width, spread=spread, dropout=own.word_dropout)
        self.drop = SeededDropout(own.dropout)
        self.summed = LengthScaledSum()

    def prepare(self, raw: Tensor, target: Tensor) -> None:
        self.words.vectors.prepare(raw)

    def groups(self) -> list[tuple[Rate, list[nn.Parameter]]]:
        vectors = list(self.words.parameters())
        known = {id(each) for each in vectors}
        others = [each for each in self.parameters() if id(each) not in known]
        return [(self.vector_rate, vectors), (self.rate, others)]


def write_length_scale(graph: Graph, length: str) -> str:
    """What a sum of so many vectors is divided by."""
    floor = graph.add("Max", length, graph.constant(np.float32(1)))
    return graph.add("Pow", floor, graph.constant(np.float32(LENGTH_POWER)))


def write_mask(graph: Graph, mask: str) -> str:
    """A mask (rows, T) as float (rows, T, 1)."""
    return graph.add("Unsqueeze", graph.cast(mask, Element.FLOAT), _axis(graph, 2))


def write_dense(graph: Graph, tensor: str, weight: Tensor, bias: Tensor | None = None) -> str:
    """A product with weights (in, out) along the last axis."""
    product = graph.add("MatMul", tensor, graph.constant(values_of(weight)))
    return product if bias is None else graph.add("Add", product, graph.constant(values_of(bias)))


def _axis(graph: Graph, axis: int) -> str:
    return graph.constant(np.array([axis]))
