"""What the tensors of a ResNet are called, in torchvision, timm and Hugging Face."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fathometer.networks.backbone.checkpoint import Checkpoint

STAGES = 4
BASIC, BOTTLENECK = (3, 3), (1, 3, 1)  # sizes of a block's kernels
NORM = ("weight", "bias", "running_mean", "running_var")
HEAD = re.compile(r"^(fc|classifier(\.\d+)?)\.(weight|bias)$")
COUNTER = ".num_batches_tracked"  # of a batch norm; an older checkpoint may hold it as a float
HUGGING_FACE = re.compile(r"^(?P<prefix>resnet\.)?embedder\.embedder\.convolution\.weight$")
# What timm calls networks that the tensors say all of; others blur between layers.
ARCHITECTURE = re.compile(r"(wide_|tv_|gluon_)?resnet\d+(_2|_v1b)?")
# What transformers lets a ResNet vary without another tensor.
USUAL: dict[str, object] = {
    "hidden_act": "relu",
    "downsample_in_first_stage": False,
    "downsample_in_bottleneck": False,
}
SHOWN = 4
KNOWN = (
    "known: ResNet-18, -34, -50, -101 and -152 as torchvision, timm (resnet18, resnet50, ...) and "
    "transformers (ResNetModel) name them, and BERT-like encoders of texts"
)


@dataclass(frozen=True)
class Names:
    """How this checkpoint calls what torchvision calls "layer1.0.conv1"."""

    prefix: str | None  # of Hugging Face's names; None: torchvision's own
    depths: tuple[int, ...]  # blocks of each stage
    sizes: tuple[int, ...]  # of the kernels of a block
    shortcuts: frozenset[str]  # blocks, by torchvision's names, with a layer for what is passed on

    def has_shortcut(self, block: str) -> bool:
        """Whether a block brings what is passed on to its answer's shape."""
        return block in self.shortcuts

    def norm_of(self, layer: str) -> str:
        """The batch norm after a convolution, by torchvision's names."""
        if layer.endswith("downsample.0"):
            return layer[:-1] + "1"
        return layer.replace("conv", "bn")

    def of(self, own: str) -> str:
        """This checkpoint's name of a block, a convolution or a batch norm."""
        if self.prefix is None:
            return own
        kind = "normalization" if "bn" in own or own.endswith(".1") else "convolution"
        parts = own.split(".")
        if len(parts) == 1:
            return f"{self.prefix}embedder.embedder.{kind}"
        stage = int(parts[0].removeprefix("layer")) - 1
        block = f"{self.prefix}encoder.stages.{stage}.layers.{parts[1]}"
        if len(parts) == 2:
            return block
        inner = "shortcut" if parts[2] == "downsample" else f"layer.{int(parts[2][-1]) - 1}"
        return f"{block}.{inner}.{kind}"

    def all(self) -> Iterator[str]:
        """Every tensor's name in this checkpoint."""
        layers = ["conv1"]
        for stage, depth in enumerate(self.depths):
            for block in (f"layer{stage + 1}.{place}" for place in range(depth)):
                layers += [f"{block}.conv{place + 1}" for place in range(len(self.sizes))]
                layers += [f"{block}.downsample.0"] if self.has_shortcut(block) else []
        for layer in layers:
            yield f"{self.of(layer)}.weight"
            yield from (f"{self.of(self.norm_of(layer))}.{part}" for part in NORM)


def find_names(checkpoint: Checkpoint) -> Names:
    """How the tensors of a checkpoint are called.

    Raises:
        BackboneError: if they are not those of a ResNet, all of them and no others.
    """
    _check_kind(checkpoint)
    present = {
        name for name in checkpoint.shapes if not HEAD.match(name) and not name.endswith(COUNTER)
    }
    matches = [match for match in map(HUGGING_FACE.match, present) if match is not None]
    prefix = (matches[0]["prefix"] or "") if matches else None
    names = _torchvision(present) if prefix is None else _hugging_face(present, prefix)
    wanted = set(names.all())
    absent, more = sorted(wanted - present), sorted(present - wanted)
    if absent or more or len(names.depths) != STAGES:
        said = [
            f"{len(each):,} tensors {words}, such as {', '.join(each[:SHOWN])}"
            for each, words in ((more, "that none has"), (absent, "missing"))
            if each
        ]
        found = "; ".join(said) or f"{len(names.depths)} stages instead of {STAGES}"
        raise checkpoint.refused(
            "its tensors are of no architecture that is known",
            details=f"as a ResNet: {found}\n{KNOWN}",
        )
    return names


def _check_kind(checkpoint: Checkpoint) -> None:
    """Refuse relatives of the family whose tensors are called alike but who compute otherwise.

    Raises:
        BackboneError: if the configuration says so.
    """
    own = checkpoint.config.get("architecture")
    if own is not None and not (isinstance(own, str) and ARCHITECTURE.fullmatch(own)):
        raise checkpoint.refused(f'it is a "{own}"', details=KNOWN)
    for key, usual in USUAL.items():
        stated = checkpoint.config.get(key, usual)
        if stated != usual:
            raise checkpoint.refused(
                f'its configuration says "{key}": {json.dumps(stated)[:60]}; only '
                f"{json.dumps(usual)} is known"
            )


def _torchvision(present: set[str]) -> Names:
    block = re.compile(r"^layer(\d)\.(\d+)\.(conv3|downsample)?")
    found = [match for match in map(block.match, present) if match is not None]
    places = {(int(match[1]) - 1, int(match[2])) for match in found}
    inner = {match[3] for match in found}
    shortcuts = {f"layer{match[1]}.{match[2]}" for match in found if match[3] == "downsample"}
    sizes = BOTTLENECK if "conv3" in inner else BASIC
    return Names(None, _depths(places), sizes, frozenset(shortcuts))


def _hugging_face(present: set[str], prefix: str) -> Names:
    own = re.escape(prefix) + r"encoder\.stages\.(\d+)\.layers\.(\d+)\.(layer\.2|shortcut)?"
    found = [match for match in map(re.compile(own).match, present) if match is not None]
    places = {(int(match[1]), int(match[2])) for match in found}
    inner = {match[3] for match in found}
    shortcuts = {
        f"layer{int(match[1]) + 1}.{match[2]}" for match in found if match[3] == "shortcut"
    }
    sizes = BOTTLENECK if "layer.2" in inner else BASIC
    return Names(prefix, _depths(places), sizes, frozenset(shortcuts))


def _depths(places: set[tuple[int, int]]) -> tuple[int, ...]:
    """Blocks of each stage, counted: a gap in their numbers shows as blocks that are missing."""
    counts = Counter(stage for stage, _ in places)
    return tuple(counts[stage] for stage in sorted(counts))
