"""Pictures as a checkpoint was taught to see them: their size and the scale of their pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fathometer.graph import Graph
from fathometer.networks.backbone.checkpoint import Checkpoint, read_json
from fathometer.networks.raw.encoder import PictureShape

PREPROCESSING = "preprocessor_config.json"  # where Hugging Face keeps mean and spread
SIDE = 224  # pixels, where the configuration does not say
LARGEST_SIDE = 1024
# A network that halves five times has one place left of these.
LEAST_SIDE = 32
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels


@dataclass(frozen=True)
class Seen:
    """How the network is shown a picture."""

    side: int  # pixels of the pictures that it was taught with
    mean: tuple[float, ...]  # of each channel, of values from 0 to 1
    spread: tuple[float, ...]

    def size(self, height: int, width: int) -> tuple[int, int]:
        """What pictures of this size are brought to: their own as far as the network takes it.

        At least `LEAST_SIDE`, at most what the network was taught with, in their own aspect. Its
        time grows with the area: 224 × 224 takes 49 times as long as 32 × 32, and there is nothing
        in the picture to see for it."""
        scale = max(1.0, LEAST_SIDE / min(height, width))
        scale = min(scale, self.side / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))

    @property
    def scaling(self) -> tuple[np.ndarray, np.ndarray]:
        """What to subtract from pixels 0 to 255, and what to multiply by; (1, channels, 1, 1)."""
        mean, spread = (np.array(each, dtype=np.float64) for each in (self.mean, self.spread))
        shift, factor = 255.0 * mean, 1.0 / (255.0 * spread)
        first, second = (each.astype(np.float32)[None, :, None, None] for each in (shift, factor))
        return first, second


def write_sized(graph: Graph, pictures: str, shape: PictureShape, seen: Seen) -> str:
    """Pictures (rows, channels, height, width), 0 to 255, as the network sees them.

    A gray picture becomes one of three channels that have the same light."""
    rows, columns = (graph.constant(each) for each in _maps((shape.height, shape.width), seen))
    shift, factor = (graph.constant(each) for each in seen.scaling)
    brought = graph.add("MatMul", rows, graph.add("MatMul", pictures, columns))
    return graph.add("Mul", graph.add("Sub", brought, shift), factor)


def _maps(size: tuple[int, int], seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """(height after, before) and (width before, after) float32."""
    height, width = seen.size(*size)
    return bilinear(size[0], height), np.ascontiguousarray(bilinear(size[1], width).T)


def bilinear(before: int, after: int) -> np.ndarray:
    """(after, before) float32: what each new place takes of each old one; rows add up to 1.

    A triangle around each new place's centre, as wide as two places of the coarser side."""
    ratio = before / after
    centres = (np.arange(after) + 0.5) * ratio - 0.5
    distance = np.abs(np.arange(before) - centres[:, None]) / max(1.0, ratio)
    weight = np.maximum(0.0, 1.0 - distance)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float32)


def read_seen(checkpoint: Checkpoint) -> Seen:
    """What the configuration says, in the words of timm or Hugging Face; else ImageNet's.

    Raises:
        BackboneError: if it says what cannot be.
    """
    stated = dict(checkpoint.config)
    stated |= read_json(checkpoint.folder / PREPROCESSING) or {}
    inner = checkpoint.config.get("pretrained_cfg")
    stated |= inner if isinstance(inner, dict) else {}
    side = _side(checkpoint, stated)
    mean = _channels(checkpoint, stated, ("mean", "image_mean"), MEAN)
    spread = _channels(checkpoint, stated, ("std", "image_std"), SPREAD)
    if min(spread) <= 0:
        raise checkpoint.refused(f"its configuration says a spread of {spread}; all must be over 0")
    return Seen(side, mean, spread)


def _side(checkpoint: Checkpoint, stated: dict[str, object]) -> int:
    """The larger side of what is stated: 224, [3, 224, 224] or {"shortest_edge": 224}."""
    for key in ("input_size", "image_size", "size"):
        found = stated.get(key)
        if isinstance(found, dict):
            found = list(found.values())
        sides = found[-2:] if isinstance(found, list) else [found]
        if found is None or not sides:
            continue
        if not all(isinstance(each, int) and LEAST_SIDE <= each <= LARGEST_SIDE for each in sides):
            raise checkpoint.refused(
                f'its configuration says "{key}": {str(stated[key])[:60]}; pictures of '
                f"{LEAST_SIDE} to {LARGEST_SIDE} pixels a side can be shown"
            )
        return int(max(sides))
    return SIDE


def _channels(
    checkpoint: Checkpoint,
    stated: dict[str, object],
    keys: tuple[str, ...],
    default: tuple[float, ...],
) -> tuple[float, ...]:
    """Three numbers under one of these keys."""
    for key in keys:
        if key not in stated:
            continue
        found = stated[key]
        listed = found if isinstance(found, list) else []
        numbers = [float(each) for each in listed if isinstance(each, int | float)]
        if len(numbers) != len(default) or not all(0 <= each <= 1 for each in numbers):
            raise checkpoint.refused(
                f'its configuration says "{key}": {str(found)[:60]}; that is not one number from '
                "0 to 1 for each of three channels"
            )
        return tuple(numbers)
    return default
