"""Static vectors of pieces from checkpoints (model2vec), as encoders of texts.

A text's features are the mean of its pieces' vectors; words that cannot be spelled are left out,
and a text without pieces is all zeros. No network is computed: it is as fast as cutting texts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.graph import Graph
from fathometer.networks.backbone.checkpoint import Checkpoint
from fathometer.networks.backbone.contract import Reads
from fathometer.networks.backbone.token_session import features_of, open_session
from fathometer.networks.backbone.wordpiece import WordPiece
from fathometer.networks.backbone.wordpiece_files import check_rows, read_wordpiece
from fathometer.networks.backbone.wordpiece_graph import Ids, WordPieceTwin

if TYPE_CHECKING:
    import onnxruntime

    from fathometer.networks.raw.encoder import PictureShape

VECTORS, WEIGHTS, SHARED = "embeddings", "weights", "mapping"  # tensors
MOST_TOKENS = 512  # of a text, as model2vec reads


@dataclass(frozen=True, eq=False)
class StaticVectors:
    """A vector for each piece of words."""

    licence: str
    digest: str
    cutter: WordPiece
    vectors: np.ndarray = field(repr=False)  # (vocabulary, width) float32
    reads: ClassVar[Reads] = Reads.TEXTS

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"static vectors ({self.width} each)"

    @property
    def width(self) -> int:
        """Features of a text."""
        return int(self.vectors.shape[1])

    @property
    def parameters(self) -> int:
        """Numbers in the vectors."""
        return self.vectors.size

    def features(self, values: np.ndarray) -> np.ndarray:
        """(rows, width) float32 of texts (rows,) str."""
        cut = self.cutter.cut(values.tolist(), MOST_TOKENS, drops_unknown=True)
        return features_of(self._session, cut, self.width)

    def write(self, graph: Graph, values: str, shape: PictureShape | None) -> str:
        """What `features` runs, over texts (rows, 1) string that are cut in the graph."""
        ids = self._twin.write(graph, values, MOST_TOKENS, drops_unknown=True)
        return self._write_read(graph, ids)

    def _write_read(self, graph: Graph, ids: Ids) -> str:
        stream = graph.add("Gather", graph.constant(self.vectors), ids.ids)
        return ids.write_mean(graph, stream)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return open_session(self._write_read, self.width)

    @cached_property
    def _twin(self) -> WordPieceTwin:
        return WordPieceTwin(self.cutter)


def is_static(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint is a table of vectors and no network."""
    return len(checkpoint.shapes.get(VECTORS, ())) == 2


def load_static(checkpoint: Checkpoint, folder: Path) -> StaticVectors:
    """The vectors in a checkpoint, with their vocabulary in a folder.

    Raises:
        BackboneError: if either is absent or damaged, or they do not fit one another.
    """
    named = {**checkpoint.shapes, **checkpoint.types}
    if SHARED in named or WEIGHTS in checkpoint.types:
        raise checkpoint.refused(
            f"several pieces share a vector, or are weighed by numbers that are no float32: its "
            f"tensors are {', '.join(sorted(named))}; only {VECTORS} and {WEIGHTS} are read"
        )
    vectors = checkpoint.tensor(VECTORS, (None, None))
    if WEIGHTS in checkpoint.shapes:
        vectors = vectors * checkpoint.tensor(WEIGHTS, (len(vectors),))[:, None]
    cutter = read_wordpiece(folder, has_ends=False)
    check_rows(checkpoint, cutter, len(vectors))
    digest = hashlib.sha256(f"{checkpoint.digest} {cutter.digest}".encode()).hexdigest()
    return StaticVectors(checkpoint.licence, digest, cutter, vectors)
