"""Convolutions over a text's words: the strongest answer of each pattern of a few words.

Kim: Convolutional Neural Networks for Sentence Classification, arXiv 1408.5882. Beside them the
mean of all words' vectors, which is what patterns of several words improve upon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fathometer.graph import Graph
from fathometer.networks.raw.convolution import values_of
from fathometer.networks.raw.encoder import Encoder, Rate, RawTraining, TextShape, Tokens
from fathometer.networks.raw.text_sequence import SequenceEncoder, write_mask

BEYOND = 1e9  # more than any answer
CUT = Tokens("word", length=256, vocabulary=40_000)
TAUGHT = RawTraining(epochs=6, batch=64, dropout=0.3, casts=True, head=Rate(learning_rate=1e-2))


@dataclass(frozen=True)
class WordConvolution:
    """Patterns of a few neighbouring words, wherever they stand."""

    width: int = 64  # of a word's vector
    kernels: tuple[int, ...] = (3, 5)  # words of a pattern
    filters: int = 64  # patterns of each size
    tokens: Tokens = CUT
    word_dropout: float = 0.2  # of known words' own vectors
    dropout: float = 0.2  # of vectors' values
    learning_rate: float = 3e-3
    vector_rate: float = 1e-2  # of the words' vectors, which few rows move
    weight_decay: float = 1e-2
    training: RawTraining = TAUGHT

    def encoder(self, shape: TextShape) -> Encoder:
        """An encoder of texts as patterns."""
        return WordConvolutionEncoder(self, shape)


class WordConvolutionEncoder(SequenceEncoder):
    """(B, columns) to (B, filters of each size + width)."""

    def __init__(self, architecture: WordConvolution, shape: TextShape) -> None:
        own = architecture
        super().__init__(own, shape, spread=0.05)
        self.width = own.filters * len(own.kernels) + own.width
        self.patterns = nn.ModuleList(nn.Conv1d(own.width, own.filters, k) for k in own.kernels)

    def forward(self, raw: Tensor) -> Tensor:
        found, mask = self.words(raw)
        found = self.drop(found)
        unseen = ((mask - 1.0) * BEYOND).unsqueeze(1)  # of the texts' ends
        parts = [self.summed(found, mask)]
        turned = found.transpose(1, 2)
        for pattern in self.patterns:
            assert isinstance(pattern, nn.Conv1d)
            before, after = rims(pattern)
            answers = pattern(nn.functional.pad(turned, (before, after)))
            strongest = answers.add_(unseen).max(dim=2).values
            parts.append(torch.relu(strongest))
        return torch.cat(parts, dim=1)

    def write(self, graph: Graph, raw: str) -> str:
        found, present = self.words.write(graph, raw)
        mask = write_mask(graph, present)
        parts = [self.summed.write(graph, found, mask)]
        turned = graph.add("Transpose", found, perm=[0, 2, 1])
        above = graph.add("Transpose", mask, perm=[0, 2, 1])
        for pattern in self.patterns:
            assert isinstance(pattern, nn.Conv1d)
            assert pattern.bias is not None
            answers = graph.add(
                "Conv",
                turned,
                graph.constant(values_of(pattern.weight)),
                graph.constant(values_of(pattern.bias)),
                kernel_shape=[pattern.kernel_size[0]],
                pads=list(rims(pattern)),
            )
            kept = graph.add("Mul", graph.add("Relu", answers), above)
            parts.append(graph.add("ReduceMax", kept, graph.constant(np.array([2])), keepdims=0))
        return graph.concat(parts)


def rims(pattern: nn.Conv1d) -> tuple[int, int]:
    """Empty places before and after a text, so that every word is the middle of a pattern."""
    size = pattern.kernel_size[0]
    return (size - 1) // 2, size // 2
