"""What the tensors and settings of BERT and DistilBERT are called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from fathometer.networks.backbone.checkpoint import Checkpoint

KNOWN = (
    "known: BERT-like encoders (BERT, MiniLM, BGE, E5, DistilBERT; model_type bert or distilbert) "
    "and static vectors of model2vec"
)
WORDS = "embeddings.word_embeddings.weight"
# Hugging Face's name of each part of a layer.
BERT = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "told": "attention.output.dense",
    "norm": "attention.output.LayerNorm",
    "raised": "intermediate.dense",
    "lowered": "output.dense",
    "last_norm": "output.LayerNorm",
}
DISTILBERT = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "told": "attention.out_lin",
    "norm": "sa_layer_norm",
    "raised": "ffn.lin1",
    "lowered": "ffn.lin2",
    "last_norm": "output_layer_norm",
}


@dataclass(frozen=True)
class Names:
    """How a checkpoint calls what it holds."""

    prefix: str  # of every tensor
    is_distilled: bool
    norm_parts: tuple[str, str]  # a norm's scale and shift

    @property
    def kind(self) -> str:
        """The architecture."""
        return "DistilBERT" if self.is_distilled else "BERT"

    @property
    def words(self) -> str:
        """The tensor of the pieces' vectors."""
        return self.prefix + WORDS

    @property
    def positions(self) -> str:
        """The tensor of the positions' vectors."""
        return f"{self.prefix}embeddings.position_embeddings.weight"

    @property
    def types(self) -> str | None:
        """The tensor of the vectors for first and second texts, where there is one."""
        return (
            None if self.is_distilled else f"{self.prefix}embeddings.token_type_embeddings.weight"
        )

    @property
    def norm(self) -> str:
        """The norm of the embeddings."""
        return f"{self.prefix}embeddings.LayerNorm"

    def layer(self, place: int) -> Mapping[str, str]:
        """The parts of the layer at this place."""
        parts = DISTILBERT if self.is_distilled else BERT
        own = "transformer.layer" if self.is_distilled else "encoder.layer"
        return {part: f"{self.prefix}{own}.{place}.{name}" for part, name in parts.items()}

    @property
    def width(self) -> str:
        """The setting of the width; so are the next three of what they say."""
        return "dim" if self.is_distilled else "hidden_size"

    @property
    def depth(self) -> str:
        return "n_layers" if self.is_distilled else "num_hidden_layers"

    @property
    def heads(self) -> str:
        return "n_heads" if self.is_distilled else "num_attention_heads"

    @property
    def activation(self) -> str:
        return "activation" if self.is_distilled else "hidden_act"


def find_names(checkpoint: Checkpoint) -> Names:
    """How the tensors of an encoder are called.

    Raises:
        BackboneError: if it is none that is known.
    """
    stated = checkpoint.config.get("model_type")
    prefixes = sorted(
        name.removesuffix(WORDS) for name in checkpoint.shapes if name.endswith(WORDS)
    )
    if stated not in (None, "bert", "distilbert") or not prefixes:
        said = f"its model_type is {json.dumps(stated)}" if prefixes else f'it has no "{WORDS}"'
        raise checkpoint.refused(f"it is no encoder of texts that is known: {said}", details=KNOWN)
    way = checkpoint.config.get("position_embedding_type", "absolute")
    if way != "absolute":
        raise checkpoint.refused(f"its positions are {way!r}; only absolute ones are known")
    prefix = min(prefixes, key=len)
    is_distilled = any(name.startswith(f"{prefix}transformer.layer.") for name in checkpoint.shapes)
    # The first checkpoints called them so.
    old = f"{prefix}embeddings.LayerNorm.gamma" in checkpoint.shapes
    return Names(prefix, is_distilled, ("gamma", "beta") if old else ("weight", "bias"))
