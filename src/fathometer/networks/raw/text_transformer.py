"""A small transformer encoder over a text's words.

Vaswani et al.: Attention Is All You Need, arXiv 1706.03762; normalised before each step (Xiong et
al., arXiv 2002.04745) by the root mean square (Zhang, Sennrich, arXiv 1910.07467)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from fathometer.graph import Element, Graph
from fathometer.networks.raw.convolution import values_of
from fathometer.networks.raw.encoder import (
    Encoder,
    Rate,
    RawTraining,
    SeededDropout,
    TextShape,
    Tokens,
)
from fathometer.networks.raw.text_sequence import SequenceEncoder, write_dense, write_mask

HIDDEN = -1e9  # added to what attention must not see; exp of it is 0 in float32
TINY = 1e-6  # under the root; the paper's code


CUT = Tokens("word", length=256, vocabulary=40_000)
TAUGHT = RawTraining(
    epochs=6, batch=64, dropout=0.3, label_smoothing=0.1, head=Rate(learning_rate=3e-3)
)


@dataclass(frozen=True)
class WordTransformer:
    """Words that look at one another."""

    width: int = 64
    depth: int = 2
    heads: int = 4
    tokens: Tokens = CUT
    word_dropout: float = 0.2  # of known words' own vectors
    dropout: float = 0.3
    learning_rate: float = 1e-3
    vector_rate: float = 3e-3  # of the words' vectors, which few rows move
    weight_decay: float = 1e-2
    training: RawTraining = TAUGHT

    def encoder(self, shape: TextShape) -> Encoder:
        """An encoder of texts by attention."""
        return WordTransformerEncoder(self, shape)


class WordTransformerEncoder(SequenceEncoder):
    """(B, columns) to (B, width): the mean over the words after all layers."""

    def __init__(self, architecture: WordTransformer, shape: TextShape) -> None:
        own = architecture
        super().__init__(own, shape, spread=0.02)
        self.width = own.width
        # Row 0 is for padding; the n-th word takes row n.
        self.positions = nn.Parameter(torch.randn(own.tokens.length + 1, own.width) * 0.02)
        self.layers = nn.ModuleList(
            Layer(own.width, own.heads, own.dropout) for _ in range(own.depth)
        )

    def forward(self, raw: Tensor) -> Tensor:
        stream, mask = self.words(raw)
        stream = self.drop(stream + self.positions[mask.cumsum(dim=1).long()])
        unseen = ((1.0 - mask) * HIDDEN)[:, None, None, :]
        for layer in self.layers:
            stream = layer(stream, unseen)
        found: Tensor = self.summed(stream, mask)
        return found

    def write(self, graph: Graph, raw: str) -> str:
        stream, present = self.words.write(graph, raw)
        place = graph.add("CumSum", present, graph.constant(np.int64(1)))
        positions = graph.add("Gather", graph.constant(values_of(self.positions)), place, axis=0)
        stream = graph.add("Add", stream, positions)
        absent = graph.add("Sub", graph.constant(np.int64(1)), present)
        hidden = graph.add(
            "Mul", graph.cast(absent, Element.FLOAT), graph.constant(np.float32(HIDDEN))
        )
        unseen = graph.add("Unsqueeze", hidden, graph.constant(np.array([1, 2])))
        for layer in self.layers:
            assert isinstance(layer, Layer)
            stream = layer.write(graph, stream, unseen)
        return self.summed.write(graph, stream, write_mask(graph, present))


class RootMeanSquare(nn.Module):
    """Vectors brought to length root of width, times a trained scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, vectors: Tensor) -> Tensor:
        """(..., width)."""
        square = vectors.square().mean(dim=-1, keepdim=True)
        return vectors * (square + TINY).rsqrt() * self.scale

    def write(self, graph: Graph, vectors: str) -> str:
        """The twin of `forward`, of (rows, T, width)."""
        squared = graph.add("Mul", vectors, vectors)
        square = graph.add("ReduceMean", squared, graph.constant(np.array([2])), keepdims=1)
        root = graph.add("Sqrt", graph.add("Add", square, graph.constant(np.float32(TINY))))
        return graph.add(
            "Mul", graph.add("Div", vectors, root), graph.constant(values_of(self.scale))
        )


class Layer(nn.Module):
    """Attention, then a dense step for each word; both are added to the stream (B, T, width)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.before, self.between = RootMeanSquare(width), RootMeanSquare(width)
        spread = width**-0.5
        self.asked = nn.Parameter(torch.randn(width, 3 * width) * spread)
        # Both steps begin as nothing: the untrained network is a mean of words.
        self.told = nn.Parameter(torch.zeros(width, width))
        self.raised = nn.Parameter(torch.randn(width, 2 * width) * spread)
        self.bias = nn.Parameter(torch.zeros(2 * width))
        self.lowered = nn.Parameter(torch.zeros(2 * width, width))
        self.drop = SeededDropout(dropout)

    def forward(self, stream: Tensor, unseen: Tensor) -> Tensor:
        """unseen (B, 1, 1, T): 0, and very negative where there is no word."""
        rows, length, width = stream.shape
        parts = (self.before(stream) @ self.asked).view(rows, length, 3, self.heads, self.each)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value, attn_mask=unseen.to(query.dtype))
        joined = seen.transpose(1, 2).reshape(rows, length, width)
        stream = stream + self.drop(joined @ self.told)
        raised = torch.relu(self.between(stream) @ self.raised + self.bias)
        lowered: Tensor = self.drop(raised @ self.lowered)
        return stream + lowered

    def write(self, graph: Graph, stream: str, unseen: str) -> str:
        """The twin of `forward`."""
        normed, asked = self.before.write(graph, stream), self.asked.chunk(3, dim=1)
        # The query is scaled instead of the scores: it is smaller.
        query = self._write_heads(graph, normed, asked[0] * self.each**-0.5, [0, 2, 1, 3])
        key = self._write_heads(graph, normed, asked[1], [0, 2, 3, 1])
        value = self._write_heads(graph, normed, asked[2], [0, 2, 1, 3])
        scores = graph.add("Add", graph.add("MatMul", query, key), unseen)
        seen = graph.add("MatMul", graph.add("Softmax", scores, axis=3), value)
        turned = graph.add("Transpose", seen, perm=[0, 2, 1, 3])
        width = self.heads * self.each
        joined = graph.add("Reshape", turned, graph.constant(np.array([0, -1, width])))
        stream = graph.add("Add", stream, write_dense(graph, joined, self.told))
        raised = write_dense(graph, self.between.write(graph, stream), self.raised, self.bias)
        lowered = write_dense(graph, graph.add("Relu", raised), self.lowered)
        return graph.add("Add", stream, lowered)

    def _write_heads(self, graph: Graph, normed: str, weight: Tensor, order: list[int]) -> str:
        """(rows, T, width) to (rows, heads, T, each), or its last two axes the other way round."""
        product = write_dense(graph, normed, weight)
        shape = graph.constant(np.array([0, -1, self.heads, self.each]))
        return graph.add("Transpose", graph.add("Reshape", product, shape), perm=order)
