"""Encoders of texts answer as the same network made of plain operators; their files do too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fathometer.errors import BackboneError
from fathometer.learners.frozen import FrozenBackbone
from fathometer.modelfile.write import TOLERANCE, ship
from fathometer.networks.backbone.bert import Bert
from fathometer.networks.backbone.contract import Backbone, Reads
from fathometer.networks.backbone.load import load_backbone
from tiny_encoders import (
    CONFIG,
    DEPTH,
    DISTILLED,
    HEADS,
    HOSTILE,
    WIDTH,
    answers,
    distilled,
    drawn_bert,
    read_me,
    some_pieces,
    twin_of,
    write_encoder,
)

if TYPE_CHECKING:
    from conftest import Setting

PIECES = some_pieces(read_me(), 200)
TEXTS = [*[line for line in read_me() if line][:60], *HOSTILE]
ACTIVATIONS = {
    "gelu": functional.gelu,
    "gelu_new": lambda raised: functional.gelu(raised, approximate="tanh"),
    "relu": functional.relu,
}


def loaded(folder: Path) -> Bert:
    found = load_backbone(folder)
    assert isinstance(found, Bert)
    return found


def features(backbone: Backbone, texts: list[str]) -> np.ndarray:
    return backbone.features(np.array(texts, dtype=object))


def plain(tensors: dict[str, Tensor], ids: list[int], activation: str = "gelu") -> np.ndarray:
    """(tokens, width): the network on one text in double, without padding or masks."""
    wide = {name: tensor.double() for name, tensor in tensors.items()}

    def norm(stream: Tensor, name: str) -> Tensor:
        weight, bias = wide[f"{name}.weight"], wide[f"{name}.bias"]
        return functional.layer_norm(stream, (WIDTH,), weight, bias, 1e-12)

    def dense(stream: Tensor, name: str) -> Tensor:
        return stream @ wide[f"{name}.weight"].T + wide[f"{name}.bias"]

    words, positions, kinds = (
        wide[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    stream = norm(words[ids] + positions[: len(ids)] + kinds[0], "embeddings.LayerNorm")
    for own in (f"encoder.layer.{place}" for place in range(DEPTH)):
        query, key, value = (
            dense(stream, f"{own}.attention.self.{name}").view(len(ids), HEADS, -1).transpose(0, 1)
            for name in ("query", "key", "value")
        )
        seen = (query @ key.transpose(1, 2) / (WIDTH / HEADS) ** 0.5).softmax(dim=2) @ value
        told = dense(seen.transpose(0, 1).flatten(1), f"{own}.attention.output.dense")
        stream = norm(stream + told, f"{own}.attention.output.LayerNorm")
        raised = ACTIVATIONS[activation](dense(stream, f"{own}.intermediate.dense"))
        stream = norm(stream + dense(raised, f"{own}.output.dense"), f"{own}.output.LayerNorm")
    return stream.numpy()


def with_ends(backbone: Bert, texts: list[str]) -> list[list[int]]:
    assert backbone.cutter.ends is not None
    first, last = backbone.cutter.ends
    return [[first, *ids, last] for ids in backbone.cutter.cut(texts, backbone.length - 2)]


def old_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """As the first checkpoints called their norms."""
    ways = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    found = {}
    for name, tensor in tensors.items():
        for new, old in ways.items():
            name = name.replace(new, old)
        found[f"bert.{name}"] = tensor
    return found


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_features_are_the_mean_of_what_plain_operators_make(
    activation: str, tmp_path: Path
) -> None:
    tensors = drawn_bert(len(PIECES))
    config = {**CONFIG, "hidden_act": activation}
    backbone = loaded(write_encoder(tmp_path, PIECES, tensors, config))
    found = features(backbone, TEXTS)
    streams = [plain(tensors, ids, activation) for ids in with_ends(backbone, TEXTS)]
    expected = np.stack([stream.mean(axis=0) for stream in streams])
    assert found.shape == (len(TEXTS), backbone.width)
    assert found.dtype == np.float32
    assert expected.std(axis=0).min() > 0.02  # or nothing would be compared
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (backbone.reads, backbone.name) == (Reads.TEXTS, "BERT (2 layers of 24)")
    assert backbone.length == 64  # it has no more positions


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_file_answers_as_the_model_together_and_singly(activation: str, tmp_path: Path) -> None:
    config = {**CONFIG, "hidden_act": activation}
    backbone = load_backbone(write_encoder(tmp_path, PIECES, config=config))
    expected, twin = features(backbone, TEXTS), twin_of(backbone)
    np.testing.assert_allclose(answers(twin, TEXTS), expected, atol=1e-6)
    singly = np.concatenate([answers(twin, [text]) for text in TEXTS])
    np.testing.assert_allclose(singly, expected, atol=1e-6)


def test_all_ways_to_name_tensors_are_the_same_network(tmp_path: Path) -> None:
    tensors = drawn_bert(len(PIECES))
    tensors["embeddings.token_type_embeddings.weight"] *= 0  # DistilBERT has none
    ways = {
        "bare": (tensors, CONFIG),
        "prefix": ({f"bert.{name}": own for name, own in tensors.items()}, CONFIG),
        "old": (old_names(tensors), CONFIG),
        "distilled": (distilled(tensors), DISTILLED),
        "no type": (tensors, {k: v for k, v in CONFIG.items() if k != "model_type"}),
    }
    found = {
        way: features(load_backbone(write_encoder(tmp_path / way, PIECES, *own)), TEXTS)
        for way, own in ways.items()
    }
    for way in ways:
        np.testing.assert_array_equal(found[way], found["bare"])


def test_each_text_is_answered_whatever_the_others_are(tmp_path: Path) -> None:
    backbone = load_backbone(write_encoder(tmp_path, PIECES))
    many = TEXTS * 4
    together = features(backbone, many)
    singly = np.concatenate([features(backbone, [text]) for text in TEXTS])
    np.testing.assert_array_equal(together, np.tile(singly, (4, 1)))
    assert features(backbone, []).shape == (0, backbone.width)


def test_the_first_token_stands_for_the_text_where_the_checkpoint_says_so(tmp_path: Path) -> None:
    tensors = drawn_bert(len(PIECES))
    folder = write_encoder(tmp_path, PIECES, tensors)
    (folder / "1_Pooling").mkdir()
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    backbone = loaded(folder)
    expected = np.stack([plain(tensors, ids)[0] for ids in with_ends(backbone, TEXTS)])
    np.testing.assert_allclose(features(backbone, TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(answers(twin_of(backbone), TEXTS), expected, atol=2e-5)


def test_a_checkpoint_says_how_many_tokens_it_was_taught(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, PIECES)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 10}')
    backbone = loaded(folder)
    assert max(map(len, with_ends(backbone, TEXTS))) == 10
    np.testing.assert_allclose(
        answers(twin_of(backbone), TEXTS), features(backbone, TEXTS), atol=1e-5
    )


def test_a_linear_head_on_it_ships(survival: Setting, tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, PIECES, lowers=False)
    learner = FrozenBackbone(load_backbone(folder), (1e-1, 1e-2))
    model = learner.fit(survival.table, survival.task, survival.split)
    shipped = ship(model, learner.name, survival.table, np.arange(len(survival.table)))
    assert shipped.parity.deviation <= TOLERANCE
    file = shipped.file()
    strange = {"name": ["", None, *HOSTILE[2:]]}
    rows = {spec.name: [None] * len(HOSTILE) for spec in file.columns} | strange
    together = file.predict_proba(rows)
    singly = [file.predict_proba({key: own[i] for key, own in rows.items()}) for i in range(20)]
    np.testing.assert_allclose(together, singly, atol=1e-5)


def test_another_vocabulary_or_pooling_is_another_identity(tmp_path: Path) -> None:
    other = write_encoder(tmp_path / "pooling", PIECES)
    (other / "1_Pooling").mkdir()
    (other / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    folders = [
        write_encoder(tmp_path / "one", PIECES),
        write_encoder(tmp_path / "pieces", [*PIECES[:-1], "other"]),
        write_encoder(tmp_path / "case", PIECES, lowers=False),
        write_encoder(tmp_path / "weights", PIECES, drawn_bert(len(PIECES), seed=1)),
        other,
    ]
    assert len({repr(load_backbone(folder)) for folder in folders}) == len(folders)
    assert repr(load_backbone(folders[0])) == repr(load_backbone(folders[0] / "model.safetensors"))


REFUSED = {
    "heads": ({"num_attention_heads": 5}, "is not divided by its 5 heads"),
    "width": ({"hidden_size": 21}, r"has shape \[\d+, 24\], not \[any, 21\]"),
    "depth": ({"num_hidden_layers": 3}, 'no tensor "encoder.layer.2'),
    "no depth": ({"num_hidden_layers": None}, "that is no whole number"),
    "activation": ({"hidden_act": "swish"}, "known are gelu, gelu_new"),
    "epsilon": ({"layer_norm_eps": -1}, "no number from 0 to 1"),
    "positions": ({"position_embedding_type": "relative_key"}, "only absolute ones"),
    "roberta": ({"model_type": "roberta"}, "no encoder of texts that is known"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_encoder_that_is_not_known_is_refused_in_words(case: str, tmp_path: Path) -> None:
    more, words = REFUSED[case]
    with pytest.raises(BackboneError, match=words):
        load_backbone(write_encoder(tmp_path, PIECES, config={**CONFIG, **more}))


def test_a_piece_without_a_vector_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, PIECES, drawn_bert(len(PIECES) - 1))
    with pytest.raises(BackboneError, match="but there are vectors for"):
        load_backbone(folder)


def test_another_way_to_pool_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, PIECES)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(BackboneError, match="asks for neither"):
        load_backbone(folder)


def test_half_precision_is_read_as_it_is(tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in drawn_bert(len(PIECES)).items()}
    backbone = loaded(write_encoder(tmp_path, PIECES, half))
    text = TEXTS[:5]
    expected = [plain(half, ids).mean(axis=0) for ids in with_ends(backbone, text)]
    np.testing.assert_allclose(features(backbone, text), np.stack(expected), atol=1e-5)
    assert torch.get_default_dtype() is torch.float32
