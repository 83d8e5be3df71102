"""Small ResNets with drawn weights, written as checkpoints by name of each library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

WIDTHS = (8, 12, 16, 20)
NORM = ("weight", "bias", "running_mean", "running_var")


def drawn_resnet(*, bottleneck: bool = False, seed: int = 0) -> dict[str, Tensor]:
    """Tensors by torchvision's names: one block a stage, two in the second."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Tensor] = {}

    def layer(name: str, norm: str, after: int, before: int, size: int) -> None:
        scale = (2 / (before * size**2)) ** 0.5
        weight = torch.randn(after, before, size, size, generator=generator) * scale
        tensors[f"{name}.weight"] = weight
        for part in NORM:
            drawn = torch.rand(after, generator=generator)
            shift = 0.5 if part in ("weight", "running_var") else -0.5
            tensors[f"{norm}.{part}"] = drawn + shift
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(7)

    sizes = (1, 3, 1) if bottleneck else (3, 3)
    layer("conv1", "bn1", WIDTHS[0], 3, 7)
    before = WIDTHS[0]
    for stage, (width, blocks) in enumerate(zip(WIDTHS, (1, 2, 1, 1), strict=True), 1):
        after = width * (2 if bottleneck else 1)
        for place in range(blocks):
            own, inner = f"layer{stage}.{place}", before
            for number, size in enumerate(sizes, 1):
                out = after if number == len(sizes) else width
                layer(f"{own}.conv{number}", f"{own}.bn{number}", out, inner, size)
                inner = out
            if not place and (stage > 1 or before != after):
                layer(f"{own}.downsample.0", f"{own}.downsample.1", after, before, 1)
            before = after
    tensors["fc.weight"] = torch.randn(5, before, generator=generator)
    tensors["fc.bias"] = torch.zeros(5)
    return tensors


def hugging_face_name(name: str, prefix: str) -> str:
    """What Hugging Face calls a tensor of torchvision's."""
    if name.startswith("fc."):
        return name.replace("fc.", "classifier.1.")
    *owner, layer, part = name.replace("downsample.", "downsample").split(".")
    is_norm = layer.startswith("bn") or layer == "downsample1"
    kind = f"{'normalization' if is_norm else 'convolution'}.{part}"
    if not owner:
        return f"{prefix}embedder.embedder.{kind}"
    stage, place = int(owner[0].removeprefix("layer")) - 1, owner[1]
    inner = "shortcut" if "downsample" in layer else f"layer.{int(layer[-1]) - 1}"
    return f"{prefix}encoder.stages.{stage}.layers.{place}.{inner}.{kind}"


def write_checkpoint(
    folder: Path,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, object] | None = None,
    readme: str = "",
) -> Path:
    """The folder, with weights, a configuration and a README."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    if readme:
        (folder / "README.md").write_text(readme)
    return folder
