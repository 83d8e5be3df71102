"""A checkpoint on this machine: weights as safetensors, beside them a configuration and a licence.

Only safetensors are read, which can hold nothing that executes. The library checks the header's
size, the byte ranges and that nothing hides between them; here names, types, sizes and values are
checked. Knows no architecture."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fathometer.errors import BackboneError
from fathometer.networks.backbone.licence import licence_of

if TYPE_CHECKING:
    import torch

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
SUFFIX = ".safetensors"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")  # execute code when they are opened
LFS_POINTER = b"version h"  # ttps://git-lfs.github.com/spec/v1
FLOATS = ("F32", "F16", "BF16")
# A model file ends at 1 GiB and holds every weight in four bytes, beside its own.
MOST_PARAMETERS = 240_000_000
MOST_TENSORS = 10_000
MOST_JSON_BYTES = 64 << 20  # a tokenizer.json of 250,000 pieces has 17 MB
SHOWN = 6  # names in an error


class Part(Protocol):
    """A tensor that is not read yet."""

    def get_dtype(self) -> str: ...
    def get_shape(self) -> list[int]: ...


class Weights(Protocol):
    """What the library opens; it states no types itself."""

    def keys(self) -> list[str]: ...
    def metadata(self) -> dict[str, str] | None: ...
    def get_slice(self, name: str) -> Part: ...
    def get_tensor(self, name: str) -> torch.Tensor: ...


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights by name, read one by one, and what is said of them."""

    path: Path  # of the weights
    shapes: Mapping[str, tuple[int, ...]]  # of every tensor of floats
    config: Mapping[str, object]  # config.json; empty where there is none
    licence: str  # as stated; "not stated" where it is not
    digest: str  # SHA-256 of the weights and the configuration
    types: Mapping[str, str] = field(repr=False, default_factory=dict)  # of the others

    @property
    def folder(self) -> Path:
        """Where the weights lie, and whatever belongs to them."""
        return self.path.parent

    def tensor(self, name: str, shape: Sequence[int | None]) -> np.ndarray:
        """A tensor as float32 of its own, contiguous.

        shape: what it must have; None where any size will do.

        Raises:
            BackboneError: if it is absent, of another shape or type, or not all finite.
        """
        if name not in self.shapes:
            raise self.refused(f'it has no tensor "{name}"' + self._type_words(name))
        found = self.shapes[name]
        fits = len(found) == len(shape) and all(
            wanted in (None, size) for wanted, size in zip(shape, found, strict=False)
        )
        if not fits:
            wanted = ", ".join("any" if each is None else str(each) for each in shape)
            raise self.refused(f'its tensor "{name}" has shape {list(found)}, not [{wanted}]')
        with opened(self.path) as handle:
            values = handle.get_tensor(name).float().numpy()
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise self.refused(
                f'{count:,} of {values.size:,} values in its tensor "{name}" are not finite'
            )
        # A copy: what is mapped from the file would change with the file.
        return np.array(values, order="C")

    def size(self, key: str, default: int | None = None, *, most: int) -> int:
        """A whole number from 1 to `most` in the configuration.

        Raises:
            BackboneError: if it is something else, or absent without a default.
        """
        found = self.config.get(key, default)
        if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= most:
            raise self.refused(
                f'its configuration says "{key}": {json.dumps(found)[:60]}; that is no whole '
                f"number from 1 to {most:,}"
            )
        return found

    def refused(self, what: str, *, details: str = "", try_next: str = "") -> BackboneError:
        """The error that this checkpoint cannot be used."""
        return BackboneError(
            f"the checkpoint {self.path} cannot be used: {what}.",
            details=details,
            try_next=try_next,
        )

    def _type_words(self, name: str) -> str:
        return f" of floats, but of type {self.types[name]}" if name in self.types else ""


def open_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint from its folder, or from its file of weights.

    Raises:
        BackboneError: if there is none, it is not safetensors, or it is damaged.
    """
    weights = _weights_in(path) if path.is_dir() else path
    _check_format(weights)
    shapes: dict[str, tuple[int, ...]] = {}
    others: dict[str, str] = {}
    with opened(weights) as handle:
        names = list(handle.keys())
        metadata = handle.metadata() or {}
        if len(names) > MOST_TENSORS:
            raise _unusable(weights, f"it has {len(names):,} tensors; at most {MOST_TENSORS:,}")
        for name in names:
            part = handle.get_slice(name)
            if part.get_dtype() in FLOATS:
                shapes[name] = tuple(part.get_shape())
            else:
                others[name] = part.get_dtype()
    count = sum(int(np.prod(shape, dtype=np.float64)) for shape in shapes.values())
    if not shapes:
        held = ", ".join(sorted(set(others.values()))) or "nothing"
        raise _unusable(weights, f"it has no tensor of type {', '.join(FLOATS)}, but {held}")
    if count > MOST_PARAMETERS:
        raise _unusable(
            weights,
            f"it has {count:,} parameters; a model file has room for {MOST_PARAMETERS:,}",
        )
    config = read_json(weights.parent / CONFIG) or {}
    digest = _digest(weights, json.dumps(config, sort_keys=True))
    licence = licence_of(weights.parent, metadata)
    return Checkpoint(weights, shapes, config, licence, digest, others)


def read_json(path: Path) -> dict[str, object] | None:
    """The object in a JSON file beside the weights; None where there is no such file.

    Raises:
        BackboneError: if it is no JSON object, or too large to be one of a checkpoint.
    """
    if not path.is_file():
        return None
    if path.stat().st_size > MOST_JSON_BYTES:
        raise BackboneError(f"{path} has more than {MOST_JSON_BYTES:,} bytes.")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise BackboneError(f"{path} is not JSON: {error}.") from error
    if not isinstance(found, dict):
        raise BackboneError(f"{path} holds no JSON object, but a {type(found).__name__}.")
    return found


@contextmanager
def opened(weights: Path) -> Iterator[Weights]:
    """The file of weights, mapped.

    Raises:
        BackboneError: if it is damaged, or cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="pt") as handle:
            yield handle
    except SafetensorError as error:
        raise _unusable(
            weights,
            f"it is damaged or no safetensors file ({error}); fetch it once more",
        ) from error
    except OSError as error:
        raise _unusable(weights, f"it cannot be read ({error.strerror or error})") from error


def _weights_in(folder: Path) -> Path:
    """The file of weights in a folder."""
    if (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    found = sorted(each for each in folder.iterdir() if each.is_file())
    weights = [each for each in found if each.suffix == SUFFIX]
    if len(weights) == 1:
        return weights[0]
    if weights:
        raise BackboneError(
            f"{folder} holds {len(weights)} files of weights and none called {WEIGHTS}.",
            details=", ".join(each.name for each in weights[:SHOWN]),
            try_next=f"--backbone {shlex.quote(str(weights[0]))}",
        )
    pickled = [each for each in found if each.suffix in PICKLED]
    if pickled:
        raise _pickled(pickled[0])
    raise BackboneError(
        f"{folder} holds no {WEIGHTS}.",
        details="found: " + (", ".join(each.name for each in found[:SHOWN]) or "no files"),
    )


def _check_format(weights: Path) -> None:
    """Refuse what is no safetensors file before anything opens it.

    Raises:
        BackboneError: if it is none by its name or its first bytes.
    """
    if weights.suffix in PICKLED:
        raise _pickled(weights)
    try:
        with weights.open("rb") as stream:
            head = stream.read(len(LFS_POINTER))
    except OSError as error:
        raise _unusable(weights, f"it cannot be read ({error.strerror})") from error
    if head == LFS_POINTER:
        raise _unusable(
            weights,
            "it is not the weights but a pointer to them, of Git LFS",
            f"git -C {shlex.quote(str(weights.parent))} lfs pull",
        )
    # A pickle of protocol 2 and later, and the archive that torch puts one into.
    if (head[:2] == b"\x80\x02" and head[8:] != b"{") or head[:4] == b"PK\x03\x04":
        raise _pickled(weights)


def _pickled(weights: Path) -> BackboneError:
    """The error for a file that would execute code: there is no safe way to read it."""
    return _unusable(
        weights,
        "it is a pickle or an archive of one, which can execute code when it is opened; only "
        "safetensors are read. Most models are published as .safetensors as well: take those",
        f"hf download OWNER/NAME {WEIGHTS} config.json "
        f"--local-dir {shlex.quote(str(weights.parent))}",
    )


def _unusable(weights: Path, what: str, try_next: str = "") -> BackboneError:
    return BackboneError(f"the checkpoint {weights} cannot be used: {what}.", try_next=try_next)


def _digest(weights: Path, config: str) -> str:
    with weights.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    digest.update(config.encode())
    return digest.hexdigest()
