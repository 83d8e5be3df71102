"""A local checkpoint → the backbone that it is."""

from __future__ import annotations

import re
from pathlib import Path

from fathometer.errors import BackboneError
from fathometer.networks.backbone.checkpoint import Checkpoint, open_checkpoint
from fathometer.networks.backbone.contract import Backbone
from fathometer.networks.backbone.hub_cache import HUB_NAME, fetched

TEXT_MODELS = ("bert", "distilbert", "roberta", "model2vec")  # config.json's model_type
WORDS = re.compile(r"(^|\.)(embeddings\.word_embeddings\.weight|embeddings)$")


def load_backbone(path: str | Path) -> Backbone:
    """The backbone in a folder with model.safetensors, in such a file, or among those that were
    fetched from the hub before, by its name there.

    Raises:
        BackboneError: if there is none, it is damaged, or of no architecture that is known.
    """
    place = Path(path).expanduser()
    if not place.exists():
        known = fetched(str(path))
        if known is None:
            raise _not_there(str(path))
        place = known
    checkpoint = open_checkpoint(place)
    if _reads_texts(checkpoint):
        from fathometer.networks.backbone.bert import load_bert

        return load_bert(checkpoint, checkpoint.folder)
    from fathometer.networks.backbone.resnet import load_resnet

    return load_resnet(checkpoint)


def _reads_texts(checkpoint: Checkpoint) -> bool:
    """Whether the configuration or the tensors are those of an encoder of texts."""
    stated = checkpoint.config.get("model_type") in TEXT_MODELS
    return stated or any(WORDS.search(name) for name in checkpoint.shapes)


def _not_there(name: str) -> BackboneError:
    """The error for a path that is none: how to get what it may be the name of."""
    if HUB_NAME.fullmatch(name) is None:
        return BackboneError(f"--backbone was given {name}; there is no such folder or file.")
    folder = name.rpartition("/")[2]
    return BackboneError(
        f"--backbone was given {name}; there is no such folder or file, and none of that name was "
        "fetched from the hub before. It takes a checkpoint on this machine: nothing is ever "
        "downloaded.",
        details="If it is a name on the Hugging Face hub, fetch it with the command below "
        f"(pip install huggingface_hub) and say --backbone ./{folder}",
        try_next=f"hf download {name} --local-dir {folder}",
    )
