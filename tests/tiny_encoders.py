"""Small encoders of texts with drawn weights and a vocabulary of real pieces, as checkpoints."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from fathometer.graph import Element, Graph
from fathometer.modelfile.lean import lean
from fathometer.modelfile.verify import OPERATORS
from fathometer.networks.backbone.contract import Backbone
from tiny_checkpoints import write_checkpoint

WIDTH, INNER, DEPTH, HEADS, POSITIONS = 24, 40, 2, 3, 64
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Letters and signs that texts below hold, in both cases, with accents and in other scripts.
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-#/<>&;:()éñß¿«»"
LETTERS += (
    "σαςшлוםمر日本文中한국어\u1112\u1161\u11ab\u09cb\u09c7\u09be"  # Hangul as a whole and apart
)
CONFIG: dict[str, object] = {
    "model_type": "bert",
    "hidden_size": WIDTH,
    "num_hidden_layers": DEPTH,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
DISTILLED: dict[str, object] = {
    "model_type": "distilbert",
    "dim": WIDTH,
    "n_layers": DEPTH,
    "n_heads": HEADS,
    "activation": "gelu",
}
HOSTILE = (
    "",
    " ",
    "hello😀world 😀 \U0001fae8",
    "שלום עולם! مرحبا بالعالم، كيف",
    "cafe\u0301 nai\u0308ve a" + "\u0301" * 60,
    "x" * 10_000,
    "a" * 100 + " " + "a" * 101 + " end " + "é" * 101,
    "\0null\0byte\0",
    "<br /><b>bold</b> &amp; &nbsp;",
    "tab\tnew\nline\rret\vno\x85ne",
    "\u200bzero\u200dwidth\ufeff word\u00adsoft \ufffdq",
    "日本語のテキスト abc中文def 한국어 কৌ ৌx \u3000\u2028x\u00a0y",
    "İstanbul ΣΑΣ ßẞ ﬁ ½ Å ≠ \u037e ` ÜNSËEN",
    "don't ... !!! --- ##ing # ## [SEP] [CLS]x ¿Qué? «oui»",
    "http://a.b/c?d=e&f=g#h \u0378 x\ue000y",
    "the " * 400,
    "." * 2000,
    "中" * 300,
    "a  " * 600,
    " " * 1500 + "late",
)


def some_pieces(texts: Sequence[str], most: int = 600) -> list[str]:
    """Special tokens, letters, and the parts of words that these texts hold most often."""
    parts: Counter[str] = Counter()
    for word in re.findall(r"\w+", " ".join(texts)):
        for start in range(len(word)):
            for size in range(2, 9):
                part = word[start : start + size]
                if len(part) == size:
                    parts[("##" if start else "") + part] += 1
    letters = dict.fromkeys(LETTERS)
    found = [*SPECIAL, *letters, *(f"##{each}" for each in letters)]
    return list(dict.fromkeys([*found, *(part for part, _ in parts.most_common(most))]))


def read_me() -> list[str]:
    """English lines: what the project says of itself."""
    return (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8").splitlines()


def tokenizer(pieces: Sequence[str], *, lowers: bool = True) -> dict[str, object]:
    """What `tokenizer.json` says of a vocabulary."""
    return {
        "normalizer": {"type": "BertNormalizer", "lowercase": lowers},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {piece: place for place, piece in enumerate(pieces)},
        },
    }


def drawn_bert(rows: int, *, prefix: str = "", seed: int = 0) -> dict[str, Tensor]:
    """Tensors by the names of Hugging Face's BertModel."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}

    def draw(name: str, *shape: int, spread: float = 0.3, shift: float = 0.0) -> None:
        tensors[prefix + name] = torch.randn(*shape, generator=generator) * spread + shift

    def norm(name: str) -> None:
        draw(f"{name}.weight", WIDTH, shift=1.0)
        draw(f"{name}.bias", WIDTH)

    def dense(name: str, after: int, before: int) -> None:
        draw(f"{name}.weight", after, before)
        draw(f"{name}.bias", after)

    draw("embeddings.word_embeddings.weight", rows, WIDTH)
    draw("embeddings.position_embeddings.weight", POSITIONS, WIDTH)
    draw("embeddings.token_type_embeddings.weight", 2, WIDTH)
    norm("embeddings.LayerNorm")
    for layer in (f"encoder.layer.{place}" for place in range(DEPTH)):
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{layer}.attention.{part}", WIDTH, WIDTH)
        norm(f"{layer}.attention.output.LayerNorm")
        dense(f"{layer}.intermediate.dense", INNER, WIDTH)
        dense(f"{layer}.output.dense", WIDTH, INNER)
        norm(f"{layer}.output.LayerNorm")
    dense("pooler.dense", WIDTH, WIDTH)
    return tensors


DISTILLED_PARTS = {
    "encoder.layer": "transformer.layer",
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def distilled(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same by the names of DistilBertModel, which knows no token types and no pooler."""
    found = {}
    for name, tensor in tensors.items():
        for own, other in DISTILLED_PARTS.items():
            name = name.replace(own, other)
        if "token_type" not in name and "pooler" not in name:
            found[name] = tensor
    return found


def write_encoder(
    folder: Path,
    pieces: Sequence[str],
    tensors: Mapping[str, Tensor] | None = None,
    config: Mapping[str, object] = CONFIG,
    *,
    lowers: bool = True,
) -> Path:
    """The folder of an encoder, its vocabulary in tokenizer.json."""
    write_checkpoint(folder, drawn_bert(len(pieces)) if tensors is None else tensors, config)
    stated = json.dumps(tokenizer(pieces, lowers=lowers))
    (folder / "tokenizer.json").write_text(stated, encoding="utf-8")
    return folder


def session_of(
    graph: Graph, outputs: Mapping[str, tuple[str, Element]]
) -> onnxruntime.InferenceSession:
    """A graph as a model file holds it, of operators that one may hold."""
    proto = lean(graph.finish({name: (*found, 1) for name, found in outputs.items()}))
    used = {(node.domain, node.op_type) for node in proto.graph.node}
    assert {name for domain, name in used if name not in OPERATORS[domain]} == set()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the outputs are wider than one column
    return onnxruntime.InferenceSession(proto.SerializeToString(), options)


def twin_of(backbone: Backbone) -> onnxruntime.InferenceSession:
    """A backbone's graph, from "text" to "features"."""
    graph = Graph()
    found = backbone.write(graph, graph.input("text", Element.STRING), None)
    return session_of(graph, {"features": (found, Element.FLOAT)})


def answers(session: onnxruntime.InferenceSession, texts: Sequence[str]) -> np.ndarray:
    """What a twin says of texts in one go."""
    fed = np.array(texts, dtype=object)[:, None]
    return np.asarray(session.run(["features"], {"text": fed})[0])
