"""Static vectors of pieces: a text's features are their mean, in a file as in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fathometer.errors import BackboneError
from fathometer.networks.backbone.contract import Reads
from fathometer.networks.backbone.load import load_backbone
from fathometer.networks.backbone.static_vectors import StaticVectors
from tiny_encoders import HOSTILE, answers, read_me, some_pieces, twin_of, write_encoder

PIECES = some_pieces(read_me(), 200)
TEXTS = [*read_me()[:60], *HOSTILE]
CONFIG = {"model_type": "model2vec"}


def drawn(rows: int = len(PIECES)) -> Tensor:
    return torch.randn(rows, 16, generator=torch.Generator().manual_seed(0))


def test_features_are_the_mean_of_known_pieces(tmp_path: Path) -> None:
    vectors, weights = drawn(), torch.rand(len(PIECES), generator=torch.Generator().manual_seed(1))
    folder = write_encoder(tmp_path, PIECES, {"embeddings": vectors, "weights": weights}, CONFIG)
    backbone = load_backbone(folder)
    assert isinstance(backbone, StaticVectors)
    found = backbone.features(np.array(TEXTS, dtype=object))
    unknown = PIECES.index("[UNK]")
    weighed = (vectors * weights[:, None]).double().numpy()
    held_unknown = 0
    for text, own in zip(TEXTS, found, strict=True):
        (ids,) = backbone.cutter.cut([text], 2000)
        known = [each for each in ids if each != unknown][:512]
        held_unknown += len(known) < len(ids)
        expected = weighed[known].mean(axis=0) if known else np.zeros(16)
        np.testing.assert_allclose(own, expected, atol=1e-5)
    assert held_unknown > 5
    assert (backbone.reads, backbone.name) == (Reads.TEXTS, "static vectors (16 each)")
    assert backbone.features(np.array([], dtype=object)).shape == (0, 16)


def test_the_file_answers_as_the_vectors_together_and_singly(tmp_path: Path) -> None:
    backbone = load_backbone(write_encoder(tmp_path, PIECES, {"embeddings": drawn()}, CONFIG))
    expected, twin = backbone.features(np.array(TEXTS, dtype=object)), twin_of(backbone)
    np.testing.assert_allclose(answers(twin, TEXTS), expected, atol=1e-5)
    singly = np.concatenate([answers(twin, [text]) for text in TEXTS])
    np.testing.assert_allclose(singly, expected, atol=1e-5)


def test_vectors_that_pieces_share_are_refused(tmp_path: Path) -> None:
    tensors = {"embeddings": drawn(5), "mapping": torch.zeros(len(PIECES), dtype=torch.int64)}
    with pytest.raises(BackboneError, match="several pieces share a vector"):
        load_backbone(write_encoder(tmp_path, PIECES, tensors, CONFIG))


def test_a_piece_without_a_vector_of_its_own_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, PIECES, {"embeddings": drawn(9)}, CONFIG)
    with pytest.raises(BackboneError, match="vectors for 9 pieces"):
        load_backbone(folder)
