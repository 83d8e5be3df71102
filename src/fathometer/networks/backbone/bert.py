"""BERT and DistilBERT (Devlin et al., arXiv 1810.04805; Sanh et al., arXiv 1910.01108) from
checkpoints, as encoders of texts.

Tensors are named as Hugging Face's `BertModel` and `DistilBertModel` name them, with or without a
prefix; heads and the pooler are left out. A text's features are the mean of its tokens' last
vectors, special tokens included, or the first token's where `1_Pooling/config.json` says so, as
sentence-transformers does; they are not scaled to length 1, which is a learner's business."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from fathometer.graph import Graph
from fathometer.networks.backbone.bert_layers import ACTIVATIONS, Block, Dense, Norm
from fathometer.networks.backbone.bert_names import Names, find_names
from fathometer.networks.backbone.checkpoint import Checkpoint, read_json
from fathometer.networks.backbone.contract import Backbone, Reads
from fathometer.networks.backbone.static_vectors import is_static, load_static
from fathometer.networks.backbone.token_session import features_of, open_session
from fathometer.networks.backbone.wordpiece import WordPiece
from fathometer.networks.backbone.wordpiece_files import check_rows, read_wordpiece
from fathometer.networks.backbone.wordpiece_graph import Ids, WordPieceTwin

if TYPE_CHECKING:
    import onnxruntime

    from fathometer.networks.raw.encoder import PictureShape

# Tokens of a text, special ones included; a checkpoint may want fewer. Time grows with them: with 6
# layers of 384 a core reads 39 texts of 128 a second and 190 of 22 (an Intel Xeon).
MOST_TOKENS = 128
HIDDEN = -1e9  # added to what attention must not see; exp of it is 0 in float32
MOST_LAYERS, MOST_HEADS, MOST_WIDTH = 96, 128, 16_384
POOLING, LENGTHS = "1_Pooling/config.json", "sentence_bert_config.json"
POOLS_FIRST, POOLS_MEAN = "pooling_mode_cls_token", "pooling_mode_mean_tokens"


@dataclass(frozen=True, eq=False)
class Bert:
    """A frozen encoder of texts."""

    name: str
    licence: str
    digest: str  # of weights, configuration, vocabulary and what is derived from them
    length: int  # tokens of a text that are read, special ones included
    takes_first: bool  # the first token's vector, else the mean
    cutter: WordPiece
    words: np.ndarray = field(repr=False)  # (vocabulary, width) float32
    positions: np.ndarray = field(repr=False)  # (length, width), token type 0 added
    norm: Norm = field(repr=False)
    blocks: tuple[Block, ...] = field(repr=False)
    reads: ClassVar[Reads] = Reads.TEXTS

    @property
    def width(self) -> int:
        """Features of a text."""
        return int(self.words.shape[1])

    @property
    def parameters(self) -> int:
        """Weights of embeddings and layers."""
        own = self.words.size + self.positions.size + self.norm.parameters
        return own + sum(block.parameters for block in self.blocks)

    def features(self, values: np.ndarray) -> np.ndarray:
        """(rows, width) float32 of texts (rows,) str."""
        assert self.cutter.ends is not None, "texts stand between special tokens"
        first, last = self.cutter.ends
        cut = self.cutter.cut(values.tolist(), self.length - 2)
        return features_of(self._session, [[first, *own, last] for own in cut], self.width)

    def write(self, graph: Graph, values: str, shape: PictureShape | None) -> str:
        """What `features` runs, over texts (rows, 1) string that are cut in the graph."""
        return self._write_read(graph, self._twin.write(graph, values, self.length - 2))

    def _write_read(self, graph: Graph, ids: Ids) -> str:
        words = graph.add("Gather", graph.constant(self.words), ids.ids)
        places = graph.add("Gather", graph.constant(self.positions), ids.write_places(graph))
        stream = self.norm.write(graph, graph.add("Add", words, places))
        seen, unseen = (graph.constant(np.float32(each)) for each in (0, HIDDEN))
        mask = graph.add("Where", ids.is_text, seen, unseen)
        mask = graph.add("Unsqueeze", mask, graph.constant(np.array([1, 2])))
        for block in self.blocks:
            stream = block.write(graph, stream, mask)
        if self.takes_first:
            first = graph.add("Gather", stream, graph.constant(np.array([0])), axis=1)
            return graph.add("Squeeze", first, graph.constant(np.array([1])))
        return ids.write_mean(graph, stream)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return open_session(self._write_read, self.width)

    @cached_property
    def _twin(self) -> WordPieceTwin:
        return WordPieceTwin(self.cutter)


def load_bert(checkpoint: Checkpoint, folder: Path) -> Backbone:
    """The encoder of texts in a checkpoint, its shapes and values checked.

    folder: where the vocabulary lies.

    Raises:
        BackboneError: if the tensors are of no encoder that is known, the vocabulary is absent or
            does not fit them, or either is damaged.
    """
    if is_static(checkpoint):
        return load_static(checkpoint, folder)
    names = find_names(checkpoint)
    cutter = read_wordpiece(folder, has_ends=True)
    width = checkpoint.size(names.width, most=MOST_WIDTH)
    depth = checkpoint.size(names.depth, most=MOST_LAYERS)
    heads = checkpoint.size(names.heads, most=MOST_HEADS)
    if width % heads:
        raise checkpoint.refused(f"its width {width} is not divided by its {heads} heads")
    words = checkpoint.tensor(names.words, (None, width))
    check_rows(checkpoint, cutter, len(words))
    positions = checkpoint.tensor(names.positions, (None, width))
    length = _length(checkpoint, folder, len(positions))
    added = positions[:length]
    if names.types is not None:
        added = added + checkpoint.tensor(names.types, (None, width))[0]
    epsilon = _epsilon(checkpoint)
    takes_first = _takes_first(checkpoint, folder)
    digest = hashlib.sha256(
        " ".join([checkpoint.digest, cutter.digest, str(length), str(takes_first)]).encode()
    )
    return Bert(
        f"{names.kind} ({depth} layers of {width})",
        checkpoint.licence,
        digest.hexdigest(),
        length,
        takes_first,
        cutter,
        words,
        added,
        _norm(checkpoint, names, names.norm, (width, epsilon)),
        tuple(_block(checkpoint, names, place, (width, heads, epsilon)) for place in range(depth)),
    )


def _block(
    checkpoint: Checkpoint, names: Names, place: int, sizes: tuple[int, int, float]
) -> Block:
    """The layer at this place; sizes: its width, heads, and the epsilon of its norms."""
    width, heads, epsilon = sizes
    act = checkpoint.config.get(names.activation, "gelu")
    if not isinstance(act, str) or act not in ACTIVATIONS:
        raise checkpoint.refused(
            f'its configuration says "{names.activation}": {str(act)[:40]!r}; known are '
            + ", ".join(sorted(ACTIVATIONS))
        )
    own = names.layer(place)
    square = {
        part: _dense(checkpoint, own[part], (width, width))
        for part in ("query", "key", "value", "told")
    }
    raised = _dense(checkpoint, own["raised"], (None, width))
    return Block(
        heads=heads,
        **square,
        norm=_norm(checkpoint, names, own["norm"], (width, epsilon)),
        raised=raised,
        lowered=_dense(checkpoint, own["lowered"], (width, len(raised.bias))),
        last_norm=_norm(checkpoint, names, own["last_norm"], (width, epsilon)),
        activation=act,
    )


def _dense(checkpoint: Checkpoint, name: str, shape: tuple[int | None, int]) -> Dense:
    weight = checkpoint.tensor(f"{name}.weight", shape)
    bias = checkpoint.tensor(f"{name}.bias", (len(weight),))
    return Dense(np.ascontiguousarray(weight.T), bias)


def _norm(checkpoint: Checkpoint, names: Names, name: str, sizes: tuple[int, float]) -> Norm:
    width, epsilon = sizes
    scale, shift = (checkpoint.tensor(f"{name}.{part}", (width,)) for part in names.norm_parts)
    return Norm(scale, shift, epsilon)


def _epsilon(checkpoint: Checkpoint) -> float:
    """What is added to a variance; BERT's own 1e-12 where the configuration does not say."""
    found = checkpoint.config.get("layer_norm_eps", 1e-12)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 1:
        raise checkpoint.refused(
            f'its configuration says "layer_norm_eps": {found!r}; that is no number from 0 to 1'
        )
    return float(found)


def _length(checkpoint: Checkpoint, folder: Path, positions: int) -> int:
    """Tokens of a text that are read."""
    stated = (read_json(folder / LENGTHS) or {}).get("max_seq_length")
    wanted = stated if type(stated) is int and stated > 2 else MOST_TOKENS
    length = min(MOST_TOKENS, wanted, positions)
    if length <= 2:
        raise checkpoint.refused(
            f"it has {positions} positions; a text stands between two special tokens"
        )
    return length


def _takes_first(checkpoint: Checkpoint, folder: Path) -> bool:
    """Whether a text's features are its first token's vector."""
    stated = read_json(folder / POOLING)
    if stated is None or stated.get(POOLS_MEAN) is True:
        return False
    if stated.get(POOLS_FIRST) is True:
        return True
    raise checkpoint.refused(
        f"{POOLING} asks for neither {POOLS_MEAN} nor {POOLS_FIRST}; no other is known"
    )
