"""ResNets from checkpoints answer as the same network made of torch's plain operators."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fathometer.networks.backbone.contract import Reads
from fathometer.networks.backbone.load import load_backbone
from tiny_checkpoints import drawn_resnet, hugging_face_name, write_checkpoint

MEAN, SPREAD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)
NAMINGS = {"torchvision": None, "ResNetModel": "", "ResNetForImageClassification": "resnet."}
CONFIG = {"pretrained_cfg": {"input_size": [3, 64, 64], "mean": MEAN, "std": SPREAD}}


def pictures(height: int, width: int, channels: int = 3, rows: int = 5) -> np.ndarray:
    """Soft blobs, so that pictures differ in more than noise."""
    generator = np.random.default_rng(height * width + channels)
    coarse = torch.from_numpy(generator.random((rows, channels, 4, 4)))
    fine = functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return (fine * 255).byte().permute(0, 2, 3, 1).numpy()


def plain(tensors: dict[str, Tensor], raw: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The network with torch's own operators, batch norms apart, resized by torch."""
    maps = torch.from_numpy(raw.copy()).permute(0, 3, 1, 2).double() / 255
    maps = functional.interpolate(maps, size, mode="bilinear", antialias=True)
    mean, spread = (torch.tensor(each).view(1, 3, 1, 1).double() for each in (MEAN, SPREAD))
    wide = {name: tensor.double() for name, tensor in tensors.items()}

    def layer(maps: Tensor, name: str, norm: str, stride: int) -> Tensor:
        kernel = wide[f"{name}.weight"]
        found = functional.conv2d(maps, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        scale, shift, means, variance = (
            wide[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return functional.batch_norm(found, means, variance, scale, shift, eps=1e-5)

    maps = layer((maps - mean) / spread, "conv1", "bn1", 2).relu()
    maps = functional.max_pool2d(maps, 3, 2, 1)
    for block in sorted({name[:8] for name in wide if name.startswith("layer")}):
        convolutions = sum(f"{block}.conv{n}.weight" in wide for n in (1, 2, 3))
        stride = 2 if block[5] > "1" and block.endswith(".0") else 1
        striding = 2 if convolutions == 3 else 1
        passed, shortcut = maps, f"{block}.downsample"
        if f"{shortcut}.0.weight" in wide:
            passed = layer(maps, f"{shortcut}.0", f"{shortcut}.1", stride)
        for n in range(1, convolutions + 1):
            own = stride if n == striding else 1
            maps = layer(maps, f"{block}.conv{n}", f"{block}.bn{n}", own)
            maps = maps.relu() if n < convolutions else maps
        maps = (maps + passed).relu()
    return maps.mean(dim=(2, 3)).numpy()


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("bottleneck", [False, True])
def test_features_are_those_of_plain_operators(
    naming: str, bottleneck: bool, tmp_path: Path
) -> None:
    tensors, prefix = drawn_resnet(bottleneck=bottleneck), NAMINGS[naming]
    named = tensors
    if prefix is not None:
        named = {hugging_face_name(name, prefix): each for name, each in tensors.items()}
    backbone = load_backbone(write_checkpoint(tmp_path / "net", named, CONFIG))
    found = backbone.features(pictures(40, 56))
    expected = plain(tensors, pictures(40, 56), (40, 56))
    assert found.shape == (5, backbone.width)
    assert found.dtype == np.float32
    assert expected.std(axis=0).mean() > 0.01  # or nothing would be compared
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert backbone.name == ("ResNet-17" if bottleneck else "ResNet-12")
    assert backbone.reads is Reads.PICTURES


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        pytest.param(pictures(20, 30), (32, 48), id="small ones grow to 32 pixels"),
        pytest.param(pictures(28, 28, 1), (32, 32), id="gray has one light in three channels"),
        pytest.param(pictures(96, 72), (64, 48), id="large ones shrink to what was taught"),
        pytest.param(pictures(33, 64), (33, 64), id="others stay"),
        pytest.param(pictures(3, 90), (2, 64), id="a strip is no longer than what was taught"),
    ],
)
def test_pictures_are_brought_to_what_the_network_takes(
    raw: np.ndarray, size: tuple[int, int], tmp_path: Path
) -> None:
    tensors = drawn_resnet()
    backbone = load_backbone(write_checkpoint(tmp_path / "net", tensors, CONFIG))
    shown = np.broadcast_to(raw, (*raw.shape[:3], 3))
    np.testing.assert_allclose(backbone.features(raw), plain(tensors, shown, size), atol=1e-5)


def test_each_picture_is_answered_whatever_the_others_are(tmp_path: Path) -> None:
    backbone = load_backbone(write_checkpoint(tmp_path / "net", drawn_resnet(bottleneck=True)))
    raw = pictures(32, 32, rows=70)
    together = backbone.features(raw)
    single = np.concatenate([backbone.features(raw[row : row + 1]) for row in (0, 33, 69)])
    np.testing.assert_array_equal(together[[0, 33, 69]], single)
    assert backbone.features(raw[:0]).shape == (0, backbone.width)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_it_is(kind: torch.dtype, tmp_path: Path) -> None:
    half = {
        name: tensor.to(kind) if tensor.is_floating_point() else tensor
        for name, tensor in drawn_resnet().items()
    }
    backbone = load_backbone(write_checkpoint(tmp_path / "net", half, CONFIG))
    expected = plain(half, pictures(32, 32), (32, 32))
    np.testing.assert_allclose(backbone.features(pictures(32, 32)), expected, atol=1e-5)


def test_hugging_face_keeps_mean_and_spread_in_a_file_of_their_own(tmp_path: Path) -> None:
    tensors = drawn_resnet()
    folder = write_checkpoint(tmp_path / "net", tensors, {"model_type": "resnet"})
    stated = f'{{"image_mean": {list(MEAN)}, "image_std": {list(SPREAD)}, "size": 48}}'
    (folder / "preprocessor_config.json").write_text(stated)
    found = load_backbone(folder).features(pictures(64, 64))
    np.testing.assert_allclose(found, plain(tensors, pictures(64, 64), (48, 48)), atol=1e-5)


def test_other_weights_or_another_configuration_are_another_identity(tmp_path: Path) -> None:
    folders = [
        write_checkpoint(tmp_path / "one", drawn_resnet()),
        write_checkpoint(tmp_path / "other weights", drawn_resnet(seed=1)),
        write_checkpoint(tmp_path / "other scale", drawn_resnet(), CONFIG),
    ]
    assert len({repr(load_backbone(folder)) for folder in folders}) == 3
    assert repr(load_backbone(folders[0])) == repr(load_backbone(folders[0] / "model.safetensors"))


def test_its_sessions_end_with_a_network_and_only_the_latest_sizes_are_kept(tmp_path: Path) -> None:
    network = load_backbone(write_checkpoint(tmp_path / "own.safetensors", drawn_resnet()))
    for size in (20, 24, 28, 32):
        network.features(pictures(size, size))
    assert [shape.height for shape in network._sessions] == [28, 32]
    seen = weakref.ref(network)
    del network
    gc.collect()
    assert seen() is None
