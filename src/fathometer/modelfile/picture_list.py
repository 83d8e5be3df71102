"""Pictures of any sizes as one input of a model file: a call of the runtime takes pictures of one
size, and the file brings each to its own.

Decoded when their rows are asked, so that a thousand photos never lie in memory together. Needs
numpy and, for files, Pillow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fathometer.errors import KindError, PictureError
from fathometer.table.kind import ColumnSpec, Kind

RUN_BYTES = 16 << 20  # of pictures of one size that are asked in one call


@dataclass(frozen=True, eq=False)
class PictureList:
    """Pictures as paths, contents of files, arrays (height, width, channels) or None; a part of
    them, as of an array, by a slice."""

    pictures: Sequence[Any]
    spec: ColumnSpec
    first: int = 0  # number of the first one, for messages

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: slice) -> PictureList:
        start = rows.indices(len(self))[0]
        return replace(self, pictures=self.pictures[rows], first=self.first + start)

    def runs(self) -> Iterator[np.ndarray]:
        """All pictures in order, those of one size that follow each other together, as uint8
        (rows, height, width, channels).

        Raises: PictureError for the first that cannot be read."""
        run: list[np.ndarray] = []
        for place in range(len(self)):
            picture = self._pixels(place)
            full = run and (len(run) + 1) * picture.nbytes > RUN_BYTES
            if run and (full or picture.shape != run[0].shape):
                yield np.stack(run)
                run = []
            run.append(picture)
        if run:
            yield np.stack(run)

    def _pixels(self, place: int) -> np.ndarray:
        picture, channels = self.pictures[place], self.spec.size.channels
        if picture is None:
            return np.zeros((1, 1, channels), np.uint8)  # resized, it is all black
        if isinstance(picture, str | Path | bytes):
            return self._decoded(place, picture)
        found = np.asarray(picture)
        if found.ndim == 2 and channels == 1:
            found = found[..., None]
        if (
            found.dtype != np.uint8
            or found.ndim != 3
            or found.shape[2] != channels
            or not found.size
        ):
            raise wrong_pixels(self.spec, found, f"picture {self.first + place + 1:,}")
        return found

    def _decoded(self, place: int, picture: str | Path | bytes) -> np.ndarray:
        from fathometer.table.sources.decode import decode

        origin = picture if isinstance(picture, bytes) else os.path.expanduser(picture)
        try:
            return decode(origin, self.spec.size.channels)
        except PictureError as error:
            number = self.first + place + 1
            named = f"picture {number:,}" if isinstance(picture, bytes) else f"{picture}"
            raise PictureError(f"{named} {error.message}.") from error


def of_one_size(feeds: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
    """Inputs with lists of pictures, in parts that a call of the runtime takes: in order, and each
    with pictures of one size."""
    lists = {name: each for name, each in feeds.items() if isinstance(each, PictureList)}
    if len(lists) > 1:  # sizes change at different rows
        for row in range(len(next(iter(feeds.values())))):
            part = {name: values[row : row + 1] for name, values in feeds.items()}
            yield part | {name: next(part[name].runs()) for name in lists}
        return
    ((name, pictures),) = lists.items()
    start = 0
    for run in pictures.runs():
        end = start + len(run)
        yield {each: values[start:end] for each, values in feeds.items() if each != name} | {
            name: run
        }
        start = end


def pictures_from(values: Any, spec: ColumnSpec) -> np.ndarray | PictureList:
    """One input of pictures: an array (rows, height, width, channels) uint8 as it is, gray ones
    also without the last axis; a list of paths, contents or arrays; or one picture.

    Raises: KindError for anything else."""
    if is_picture(values, spec):
        return PictureList([values], spec)
    if not isinstance(values, np.ndarray) and _is_list(values):
        return PictureList(list(values), spec)
    found = np.asarray(values)
    if found.dtype == object and found.ndim == 1:
        return PictureList(list(found), spec)
    # (height, width, 3) is one picture in colour, not as many gray ones of three pixels' width.
    if found.ndim == 3 and spec.size.channels == 1 and found.shape[2] not in (3, 4):
        found = found[..., None]
    is_asked = found.dtype == np.uint8 and found.ndim == 4 and found.shape[3] == spec.size.channels
    if not is_asked or 0 in found.shape[1:]:
        raise wrong_pixels(spec, found, "it")
    return found


def is_picture(value: Any, spec: ColumnSpec) -> bool:
    """Whether a value is one picture and not several."""
    if value is None or isinstance(value, str | Path | bytes):
        return True
    return (
        isinstance(value, np.ndarray)
        and value.ndim == 3
        and value.shape[2] in (1, 3)
        and (spec.size.channels == 3 or value.shape[2] == 1)
    )


def _is_list(values: Any) -> bool:
    """Whether values are a sequence that is no array: a list, a Series, an Arrow column."""
    return hasattr(values, "__len__") and hasattr(values, "__iter__")


def pictures_alone(source: Any, columns: Sequence[ColumnSpec]) -> np.ndarray | PictureList | None:
    """A path, an array, or a list of paths, contents or arrays, for a model of one column of
    pictures; None for every other source."""
    if len(columns) != 1 or columns[0].kind is not Kind.IMAGE or isinstance(source, Mapping):
        return None
    if isinstance(source, bytes):
        return PictureList([source], columns[0])
    if isinstance(source, str | Path):
        return PictureList([source], columns[0]) if _is_picture_file(source) else None
    if isinstance(source, np.ndarray) and source.dtype == np.uint8:
        return pictures_from(source, columns[0])
    if not isinstance(source, list | tuple) or not source:
        return None
    if not all(isinstance(each, str | Path | bytes | np.ndarray) for each in source):
        return None
    return PictureList(source, columns[0])


def _is_picture_file(path: str | Path) -> bool:
    from fathometer.table.sources.decode import HEAD, SUFFIXES, picture_format

    location = Path(path).expanduser()
    if not location.is_file():
        return False
    with location.open("rb") as file:
        known = picture_format(file.read(HEAD)) is not None
    return known or location.suffix.lower() in SUFFIXES


def wrong_pixels(spec: ColumnSpec, found: np.ndarray, what: str) -> KindError:
    """The error for an array that is no picture of this column."""
    return KindError(
        f'column "{spec.name}" takes pictures as uint8 of shape (rows, height, width, '
        f"{spec.size.channels}); {what} is {found.dtype} of shape {found.shape}.",
        try_next="a path, a list of paths, or a frame with a column of paths or bytes",
    )
