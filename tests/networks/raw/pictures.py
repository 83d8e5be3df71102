"""Real pictures that come with a package: handwritten digits, and patches of two photographs."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits, load_sample_image
from torch import Tensor


def digits() -> tuple[Tensor, Tensor]:
    """1,797 digits (n, 1, 8, 8) uint8 and what they are."""
    found = load_digits()
    pixels = (found.images * 15).astype(np.uint8)
    return torch.from_numpy(pixels).unsqueeze(1), torch.from_numpy(found.target).long()


def patches(size: tuple[int, int], count: int = 60) -> tuple[Tensor, Tensor]:
    """Patches (n, 3, height, width) uint8 of a temple (class 0) and of a flower (class 1)."""
    draw = np.random.default_rng(0)
    both = [np.array(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    target = np.arange(count) % 2
    cut = []
    for kind in target:
        photograph = both[kind]
        top, left = draw.integers(0, 427 - size[0]), draw.integers(0, 640 - size[1])
        cut.append(photograph[top : top + size[0], left : left + size[1]])
    return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2), torch.from_numpy(target)
