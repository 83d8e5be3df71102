"""The encoder of the columns that are neither pictures nor texts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.graph import Element, Graph, write_slice
from fathometer.networks.raw.convolution import values_of, write_linear
from fathometer.networks.raw.encoder import Encoder, Rate, SeededDropout, TableShape

MOST_CODES_WIDE = 16  # an embedding is as wide as half its levels, up to this


@dataclass(frozen=True)
class TableArchitecture:
    """Embeddings of categories beside numbers and flags, then dense layers."""

    width: int = 128
    depth: int = 2
    dropout: float = 0.1
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2

    def encoder(self, shape: TableShape) -> Encoder:
        """An encoder of these columns."""
        return TableEncoder(self, shape)


class TableEncoder(Encoder):
    """(B, numbers + flags + categories) to (B, width)."""

    def __init__(self, architecture: TableArchitecture, shape: TableShape) -> None:
        super().__init__()
        self.width = architecture.width
        self.rate = Rate(
            learning_rate=architecture.learning_rate, weight_decay=architecture.weight_decay
        )
        self.plain = shape.numbers + shape.flags
        wide = [min(MOST_CODES_WIDE, (levels + 1) // 2) for levels in shape.levels]
        self.embeddings = nn.ModuleList(
            nn.Embedding(levels, size) for levels, size in zip(shape.levels, wide, strict=True)
        )
        sizes = [self.plain + sum(wide), *[self.width] * architecture.depth]
        self.dense = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
        self.drop = SeededDropout(architecture.dropout)

    def forward(self, raw: Tensor) -> Tensor:
        codes = raw[:, self.plain :].long()
        found = [own(codes[:, place]) for place, own in enumerate(self.embeddings)]
        out = torch.cat([raw[:, : self.plain], *found], dim=1)
        for layer in self.dense:
            out = self.drop(torch.relu(layer(out)))
        return out

    def write(self, graph: Graph, raw: str) -> str:
        parts = [write_slice(graph, raw, 0, self.plain)] if self.plain else []
        axis = graph.constant(np.array([1]))
        for place, own in enumerate(self.embeddings):
            at = graph.constant(np.array([self.plain + place]))
            column = graph.add("Squeeze", graph.add("Gather", raw, at, axis=1), axis)
            codes = graph.cast(column, Element.INT64)
            assert isinstance(own, nn.Embedding)
            parts.append(graph.add("Gather", graph.constant(values_of(own.weight)), codes, axis=0))
        out = graph.concat(parts)
        for layer in self.dense:
            assert isinstance(layer, nn.Linear)
            out = graph.add("Relu", write_linear(graph, out, layer))
        return out
