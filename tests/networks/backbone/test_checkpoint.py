"""Checkpoints that are damaged, hostile, of another kind or not there are answered in words."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from fathometer.errors import BackboneError
from fathometer.networks.backbone.load import load_backbone
from tiny_checkpoints import drawn_resnet, hugging_face_name, write_checkpoint

Tensors = dict[str, Tensor]


def of_header(header: dict[str, object], values: bytes = b"") -> bytes:
    """A safetensors file with this header."""
    said = json.dumps(header).encode()
    return struct.pack("<Q", len(said)) + said + values


def good(tmp_path: Path) -> bytes:
    return (write_checkpoint(tmp_path / "good", drawn_resnet()) / "model.safetensors").read_bytes()


ENTRY: dict[str, object] = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-100],
    "longer": lambda content: content + b"more",
    "endless header": lambda content: struct.pack("<Q", 1 << 62) + content[8:],
    "header that is no JSON": lambda content: content[:9] + b"{" * 50 + content[59:],
    "shape that lies": lambda content: content.replace(b"[8,3,7,7]", b"[9,3,7,7]"),
    "more than there is": lambda content: of_header({"a": ENTRY | {"data_offsets": [0, 1 << 40]}}),
    "a hole": lambda content: of_header({"a": ENTRY | {"data_offsets": [8, 16]}}, bytes(16)),
    "a size that overflows": lambda content: of_header({"a": ENTRY | {"shape": [1 << 40] * 4}}),
    "text": lambda content: b"<!DOCTYPE html><html>404</html>",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_with_its_name(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(DAMAGED[damage](good(tmp_path)))
    with pytest.raises(BackboneError, match=r"model\.safetensors cannot be used: .*safetensors"):
        load_backbone(tmp_path)


def test_a_pointer_in_place_of_the_weights_is_told_apart(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 46807446\n"
    (tmp_path / "model.safetensors").write_text(pointer)
    with pytest.raises(BackboneError, match="a pointer to them") as caught:
        load_backbone(tmp_path)
    assert caught.value.try_next == f"git -C {tmp_path} lfs pull"


def trap(path: Path) -> bytes:
    """Makes a folder when it is unpickled: os.mkdir(path), in the opcodes of protocol 2."""
    said = str(path).encode()
    return b"\x80\x02cos\nmkdir\nX" + struct.pack("<I", len(said)) + said + b"\x85R."


@pytest.mark.parametrize("name", ["pytorch_model.bin", "net.pth", "model.safetensors"])
@pytest.mark.parametrize("is_archive", [False, True])
def test_a_pickle_is_never_opened_whatever_it_is_called(
    name: str, is_archive: bool, tmp_path: Path
) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "net" / name
    path.parent.mkdir()
    content = trap(sprung)
    if is_archive:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
    else:
        path.write_bytes(content)
    for given in (path, path.parent):
        with pytest.raises(BackboneError, match=f"{name} cannot be used: it is a pickle") as caught:
            load_backbone(given)
        assert caught.value.try_next.startswith("hf download OWNER/NAME model.safetensors ")
    assert not sprung.exists()


def without(name: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {own: each for own, each in tensors.items() if own != name}


def changed(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: tensors | {name: change(tensors[name]).contiguous()}


def one_nan(tensor: Tensor) -> Tensor:
    return torch.where(torch.arange(len(tensor)) == 3, torch.nan, tensor)


WRONG: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "a value that is no number": (changed("bn1.bias", one_nan), r"1 of 8 values .*\"bn1.bias\""),
    "another shape": (changed("bn1.weight", lambda each: each[:5]), r"has shape \[5\], not \[8\]"),
    "another size of a kernel": (
        changed("layer1.0.conv1.weight", lambda each: each[..., :2, :2]),
        r"\"layer1.0.conv1.weight\" has shape \[8, 8, 2, 2\], not \[any, 8, 3, 3\]",
    ),
    "gray pictures": (changed("conv1.weight", lambda each: each[:, :1]), r"not \[any, 3, 7, 7\]"),
    "variance below 0": (changed("bn1.running_var", torch.neg), "has values below 0"),
    "values that overflow": (
        lambda tensors: (
            tensors | {"bn1.weight": torch.full((8,), 3e38), "bn1.running_var": torch.zeros(8)}
        ),
        "overflow float32 together",
    ),
    "a tensor missing": (without("layer3.0.bn2.bias"), "no architecture that is known"),
    "a block missing": (
        lambda tensors: {k: each for k, each in tensors.items() if "layer2.0" not in k},
        "no architecture that is known",
    ),
    "a shortcut missing": (
        lambda tensors: {k: each for k, each in tensors.items() if "layer4.0.downsample" not in k},
        "nothing brings what is passed on to that shape",
    ),
    "a tensor more": (
        lambda tensors: tensors | {"layer1.0.se.fc1.weight": torch.ones(2, 2)},
        "no architecture that is known",
    ),
    "a far block": (
        lambda tensors: tensors | {"layer1.999999999.conv1.weight": torch.ones(8, 8, 3, 3)},
        "no architecture that is known",
    ),
    "half of the stages": (
        lambda tensors: {
            k: each for k, each in tensors.items() if k[:6] not in ("layer3", "layer4")
        },
        "no architecture that is known",
    ),
    "whole numbers": (
        lambda tensors: {k: each.to(torch.int8) for k, each in tensors.items()},
        r"no tensor of type F32, F16, BF16, but I8",
    ),
    "nothing": (lambda tensors: {}, "no tensor of type"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_tensors_of_another_kind_are_refused_by_name(wrong: str, tmp_path: Path) -> None:
    change, words = WRONG[wrong]
    with pytest.raises(BackboneError, match=words):
        load_backbone(write_checkpoint(tmp_path / "net", change(drawn_resnet())))


@pytest.mark.parametrize("number", ["2", "999999999"])
def test_hugging_faces_names_are_looked_at_as_closely(number: str, tmp_path: Path) -> None:
    tensors = {hugging_face_name(name, ""): each for name, each in drawn_resnet().items()}
    stray = f"encoder.stages.1.layers.{number}.layer.0.convolution.weight"
    with pytest.raises(BackboneError, match="no architecture that is known") as caught:
        load_backbone(write_checkpoint(tmp_path / "net", tensors | {stray: torch.ones(2)}))
    assert "encoder.stages.1.layers.2." in caught.value.details


CONFIGURATIONS = {
    "no JSON": ("{", "is not JSON"),
    "no object": ("[1]", "holds no JSON object, but a list"),
    "deeper than can be read": ("[" * 100_000, "is not JSON"),
    "no text": ("\udcff", "is not JSON"),
    "a relative": ('{"architecture": "resnetblur50"}', 'it is a "resnetblur50"'),
    "another activation": ('{"hidden_act": "gelu"}', r'"hidden_act": "gelu"; only "relu"'),
    "a stride elsewhere": ('{"downsample_in_bottleneck": true}', "downsample_in_bottleneck"),
    "a side of millions": ('{"input_size": [3, 5000000, 5000000]}', "32 to 1024 pixels a side"),
    "two means": ('{"mean": [0.5, 0.5]}', "not one number from 0 to 1 for each"),
    "a mean in words": ('{"mean": "half"}', "not one number from 0 to 1 for each"),
    "no spread": ('{"std": [0.2, 0.0, 0.2]}', "all must be over 0"),
}


@pytest.mark.parametrize("wrong", CONFIGURATIONS)
def test_a_configuration_that_cannot_be_is_refused(wrong: str, tmp_path: Path) -> None:
    content, words = CONFIGURATIONS[wrong]
    folder = write_checkpoint(tmp_path / "net", drawn_resnet())
    (folder / "config.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(BackboneError, match=words):
        load_backbone(folder)


LICENCES = {
    "---\nlicense: apache-2.0\ntags:\n- timm\n---\n# net": "apache-2.0",
    "---\ntags: [a]\nlicense:\n- mit\n---\n": "mit",
    "---\nlicense: other\nlicense_name: own-terms\n---\n": "own-terms",
    "---\nlicense: 'cc-by-4.0'  # or so\n---\n": "cc-by-4.0",
    "---\nlicense: \x1b[31mred\x1b[0m\n---\n": "[31mred [0m",
    "# Our net\nlicense: in the text below\n": "not stated",
    "": "not stated",
}


@pytest.mark.parametrize("readme", LICENCES)
def test_the_licence_is_what_the_readme_states(readme: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "net", drawn_resnet(), readme=readme)
    assert load_backbone(folder).licence == LICENCES[readme]


def test_a_licence_file_is_read_where_the_readme_says_nothing(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "net", drawn_resnet())
    (folder / "LICENSE").write_text("   Apache License\n   Version 2.0, January 2004\n")
    assert load_backbone(folder).licence == "Apache-2.0"


def test_a_name_is_answered_with_how_to_fetch_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackboneError, match="nothing is ever downloaded") as caught:
        load_backbone("timm/resnet18.a1_in1k")
    assert caught.value.try_next == "hf download timm/resnet18.a1_in1k --local-dir resnet18.a1_in1k"
    with pytest.raises(BackboneError, match="no such folder or file"):
        load_backbone("~/nowhere/net.safetensors")


def test_a_name_that_was_fetched_before_is_found_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    own = tmp_path / "models--timm--resnet18.a1_in1k"
    kept = write_checkpoint(own / "blobs", drawn_resnet(), readme="---\nlicense: mit\n---\n")
    snapshot = own / "snapshots" / "0a1b"
    snapshot.mkdir(parents=True)
    for file in kept.iterdir():
        (snapshot / file.name).symlink_to(file)
    with pytest.raises(BackboneError, match="none of that name was fetched"):
        load_backbone("timm/resnet18.a1_in1k")
    (own / "refs").mkdir()
    (own / "refs" / "main").write_text("0a1b")
    found = load_backbone("timm/resnet18.a1_in1k")
    assert (found.name, found.licence) == ("ResNet-12", "mit")
    (own / "refs" / "main").write_text("../../elsewhere")
    with pytest.raises(BackboneError, match="none of that name was fetched"):
        load_backbone("timm/resnet18.a1_in1k")


def test_a_folder_without_one_file_of_weights_is_told_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BackboneError, match=r"holds no model\.safetensors") as caught:
        load_backbone(tmp_path)
    assert "notes.txt" in caught.value.details
    save_file(drawn_resnet(), tmp_path / "a.safetensors")
    assert load_backbone(tmp_path).name == "ResNet-12"
    save_file(drawn_resnet(), tmp_path / "b.safetensors")
    with pytest.raises(BackboneError, match="holds 2 files of weights") as caught:
        load_backbone(tmp_path)
    assert caught.value.try_next == f"--backbone {tmp_path / 'a.safetensors'}"
