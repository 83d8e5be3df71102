"""Counts of n-grams → weighted rows of length 1, sparse here, and their products in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from fathometer.features.ngrams import Ngrams
from fathometer.graph import Graph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SHORTEST = np.float32(1e-6)  # rows are divided by their length, empty ones by this


class Weighting(Enum):
    """What a count becomes before its row is scaled to length 1."""

    # √count · inverse frequency: sublinear as a logarithm is, and as good (accuracy on 10,000 rows
    # of imdb 0.901 and 0.901, tweeteval_emotion 0.694 and 0.693), but its square is the count, so
    # that the graph needs no second pass for a row's length.
    TF_IDF = "tf-idf"
    PRESENCE = "presence"  # 1 where the text holds it at all (Wang & Manning 2012)


@dataclass(frozen=True, eq=False)
class NgramBlock:
    """Weighted n-grams of one text column."""

    ngrams: Ngrams
    weights: np.ndarray  # (n-grams,) float32
    weighting: Weighting

    def weighted(self, counts: csr_array) -> csr_array:
        """(rows, n-grams) float32, rows of length 1, of the n-grams' counts."""
        from scipy.sparse import csr_array

        if self.weighting is Weighting.TF_IDF:
            values = np.sqrt(counts.data)
            values *= self.weights[counts.indices]
        else:
            values = np.ones_like(counts.data)
        sizes = np.diff(counts.indptr)
        filled = np.flatnonzero(sizes)
        squares = np.square(values)
        sums = np.add.reduceat(squares, counts.indptr[filled], dtype=np.float64)
        values /= np.repeat(np.maximum(np.sqrt(sums), SHORTEST).astype(np.float32), sizes[filled])
        return csr_array((values, counts.indices, counts.indptr), shape=counts.shape)

    def write(self, graph: Graph, weights: np.ndarray) -> str:
        """The twin of `weighted(counts) · weights`, float (rows, margins).

        The rows are divided by their length after the product, which is much narrower."""
        if self.weighting is Weighting.TF_IDF:
            counts = self.ngrams.write(graph)
            inner = graph.constant(np.square(self.weights)[:, None])
            squares = graph.add("MatMul", counts, inner)
            own = graph.constant((weights * self.weights[:, None]).astype(np.float32))
            product = graph.add("MatMul", graph.add("Sqrt", counts), own)
        else:
            present = self.ngrams.write(graph, presence=True)
            ones = np.ones((len(weights), 1), dtype=np.float32)
            own = graph.constant(np.hstack([weights, ones]).astype(np.float32))
            both = graph.add("MatMul", present, own)
            margins = np.arange(weights.shape[1])
            product = graph.add("Gather", both, graph.constant(margins), axis=1)
            squares = graph.add("Gather", both, graph.constant(margins[-1:] + 1), axis=1)
        length = graph.add("Max", graph.add("Sqrt", squares), graph.constant(SHORTEST))
        return graph.add("Div", product, length)
