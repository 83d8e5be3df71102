"""Folders of pictures: where each picture lies, and the class that its folder names.

`photos/cat/1.jpg` is a cat, and so is `photos/cat/indoors/1.jpg`. Parts to learn from and to judge
on may lie in folders of their own: `photos/train/cat/…` and `photos/test/cat/…`. Nothing is opened
here: what is no picture is found out when it is decoded."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from fathometer.errors import EmptySourceError, SourceError
from fathometer.table.sources.raw import Raw, SetApart
from fathometer.wording import counted

PICTURE, LABEL, PATH = "image", "label", "path"  # the columns of a folder
LEARN = ("train", "training", "learn")
CHOOSE = ("val", "valid", "validation", "dev")
JUDGE = ("test", "testing", "holdout")
LISTED = 6  # names in a message
DEEPEST = 64  # folders within each other


@dataclass(frozen=True)
class Found:
    """A file that may be a picture."""

    path: str  # below the folder that was named, with "/" on every system
    label: str | None
    bytes: int
    is_judged: bool = False  # it lies in the part to judge on


@dataclass(frozen=True)
class Parts:
    """The folders of parts, by what they are for."""

    learn: tuple[str, ...]
    judge: tuple[str, ...]  # those for choosing, where there are none for judging
    is_choice: bool
    bare: tuple[str, ...]  # for judging, but without classes
    others: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """What lies in a folder: files in the order of their paths, and what to note."""

    files: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    loose: int = 0  # files beside the class folders
    parts: Parts | None = None


@dataclass
class _Walk:
    """Folders that were entered, so that links in a circle end; those above `root` count as such,
    so that no link leads out of it upwards."""

    root: Path
    entered: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for folder in (self.root.resolve(), *self.root.resolve().parents):
            self.enter(str(folder))

    def files(self, folder: str, below: str, depth: int = 0) -> Iterator[tuple[str, int]]:
        """Path below `folder` and bytes of every file in it that is not hidden, in order."""
        for entry in _entries(folder):
            path = f"{below}{entry.name}"
            if _is_folder(entry):
                if depth < DEEPEST and self.enter(entry.path):
                    yield from self.files(entry.path, path + "/", depth + 1)
            else:
                yield path, _size(entry)

    def enter(self, folder: str) -> bool:
        """Whether the folder is entered for the first time."""
        try:
            found = os.stat(folder)
        except OSError:
            return False
        known = (found.st_dev, found.st_ino)
        if known in self.entered:
            return False
        self.entered.add(known)
        return True


def is_picture_folder(path: Path) -> bool:
    """Whether a path is a folder that is not one of Parquet files."""
    return path.is_dir() and not any(path.glob("*.parquet"))


def default_target(source: object) -> str | None:
    """The column that is asked for unless another is named: a folder's classes."""
    if not isinstance(source, str | Path) or "://" in str(source):
        return None
    return LABEL if is_picture_folder(Path(source).expanduser()) else None


def read_folder(path: Path, *, need_labels: bool = True) -> Raw:
    """The pictures of a folder as columns "image" (paths), "label" and "path".

    need_labels: whether every picture must lie in a folder that names its class; otherwise all
    pictures count, wherever they lie.

    Raises: EmptySourceError without a file; SourceError without folders of at least two classes."""
    listing = _listing(path) if need_labels else _everything(path)
    files = listing.files
    if not files:
        raise EmptySourceError(f'The folder "{path}" holds no files, or hidden ones alone.')
    labels = [each.label and _written(each.label) for each in files]
    paths = [_written(each.path) for each in files]
    columns: dict[str, pa.Array] = {PICTURE: pa.array(paths, pa.string())}
    if any(label is not None for label in labels):
        columns[LABEL] = pa.array(labels, pa.string())
    notes = listing.notes
    unnamed = sum(path != each.path for path, each in zip(paths, files, strict=True))
    if unnamed:
        noun = "file has a name" if unnamed == 1 else "files have names"
        notes += (f"{unnamed:,} {noun} that cannot be read as UTF-8: rename to use",)
    columns[PATH] = columns[PICTURE]
    classes = len({*labels} - {None})
    how = f"folder of {classes:,} classes" if need_labels else "folder of pictures"
    return Raw(
        pa.table(columns),
        how,
        sum(each.bytes for each in files),
        notes,
        folder=str(path),
        picture=PICTURE,
        judged=_set_apart(listing),
    )


def _set_apart(listing: Listing) -> SetApart | None:
    """What the folder sets apart to judge on, and what to say of it; None where it sets nothing."""
    rows = np.flatnonzero([each.is_judged for each in listing.files])
    parts = listing.parts
    if parts is None or not len(rows):
        return None
    learn, judge = _folders(parts.learn), _folders(parts.judge)
    if parts.is_choice:
        instead = f"learned from {_folders((*parts.learn, *parts.judge))}; judged on the rows of"
    else:
        many = counted(len(rows), "file")
        instead = f"learned from {learn}; {judge} left out, {many}: judged on the rows of"
    note = f"learned from {learn}; judged on {judge}, the lockbox"
    return SetApart(rows, note, f"{instead} --test", parts.is_choice)


def read_files(paths: Sequence[str]) -> Raw:
    """Pictures that are named one by one, as the columns of a folder without labels."""
    sizes = [os.stat(path).st_size if os.path.exists(path) else 0 for path in paths]
    named = pa.array(list(paths), pa.string())
    table = pa.table({PICTURE: named, PATH: named})
    return Raw(table, "pictures", sum(sizes), folder="", picture=PICTURE)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder in order of names, without hidden files; nothing where it may not be
    read."""
    try:
        with os.scandir(folder) as found:
            return sorted(
                (each for each in found if not each.name.startswith((".", "__MACOSX"))),
                key=lambda each: each.name,
            )
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _written(name: str) -> str:
    """A name as text; bytes that are none are escaped, so that no file is found under it."""
    return name.encode("utf-8", "backslashreplace").decode()


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a link that leads nowhere
        return 0


def _everything(path: Path) -> Listing:
    """All files of a folder, whatever its folders mean."""
    walk = _Walk(path)
    return Listing(tuple(Found(name, None, size) for name, size in walk.files(str(path), "")))


def _listing(path: Path) -> Listing:
    """The files of folders that name their classes, of all parts.

    Raises: SourceError where there are none, or fewer than two classes."""
    parts = _parts(path)
    listing = _classes(path, "") if parts is None else _of_parts(path, parts)
    labels = sorted({each.label or "" for each in listing.files})
    if not labels:
        raise _no_classes(path, listing)
    if len(labels) == 1:
        within = path / labels[0]
        is_deeper = any(_is_folder(each) for each in _entries(str(within)))
        raise SourceError(
            f'The folder "{path}" holds pictures of one class alone, "{labels[0]}": there is '
            "nothing to tell it from.",
            details="" if is_deeper else f"lay a folder of the other class beside {labels[0]}/",
            try_next=f"fathom compare {shlex.quote(str(within))}" if is_deeper else "",
        )
    return listing


def _no_classes(path: Path, listing: Listing) -> SourceError:
    found = f"it holds {listing.loose:,} files" if listing.loose else "it is empty"
    return SourceError(
        f'The folder "{path}" has no folders that name the classes of its pictures; {found}.',
        details="one folder a class: photos/cat/1.jpg, photos/dog/2.jpg; or a table with a column "
        "of paths and a column of labels",
    )


def _classes(folder: Path, below: str) -> Listing:
    """The files in the folders of one part, each folder a class."""
    walk = _Walk(folder)
    files: list[Found] = []
    loose: list[str] = []
    empty: list[str] = []
    for entry in _entries(str(folder)):
        if not _is_folder(entry):
            loose.append(entry.name)
            continue
        before = len(files)
        if walk.enter(entry.path):
            found = walk.files(entry.path, f"{below}{entry.name}/")
            files += (Found(name, entry.name, size) for name, size in found)
        if len(files) == before:
            empty.append(entry.name)
    notes = []
    if loose:
        noun = "file lies" if len(loose) == 1 else "files lie"
        notes.append(f"{len(loose):,} {noun} beside the class folders, left out: {_list(loose)}")
    if empty:
        noun = "folder without files" if len(empty) == 1 else "folders without files"
        notes.append(f"{len(empty):,} {noun}, left out: {_list(empty)}")
    return Listing(tuple(files), tuple(notes), len(loose))


def _parts(path: Path) -> Parts | None:
    """The folders to learn from and to judge on; None where they are no parts.

    A part for choosing is learned from where there is another to judge on."""
    names = [each.name for each in _entries(str(path)) if _is_folder(each)]
    lower = {name: name.lower() for name in names}
    learn = [name for name in names if lower[name] in LEARN]
    choose = [name for name in names if lower[name] in CHOOSE]
    judge = [name for name in names if lower[name] in JUDGE]
    inside = {name: _entries(str(path / name)) for name in (*learn, *judge)}
    classed = [name for name in inside if any(_is_folder(each) for each in inside[name])]
    if not {*learn} & {*classed} or not (choose or judge):
        return None
    others = tuple(name for name in names if name not in (*learn, *choose, *judge))
    labelled = tuple(name for name in judge if name in classed)
    if labelled:
        bare = tuple(name for name in judge if name not in labelled)
        return Parts((*learn, *choose), labelled, False, bare, others)
    return Parts(tuple(learn), tuple(choose), True, tuple(judge), others)


def _of_parts(path: Path, parts: Parts) -> Listing:
    files: list[Found] = []
    notes: list[str] = []
    loose = 0
    for name in (*parts.learn, *parts.judge):
        listing = _classes(path / name, f"{name}/")
        files += (replace(each, is_judged=name in parts.judge) for each in listing.files)
        notes += (f"{name}/: {note}" for note in listing.notes)
        loose += listing.loose
    if parts.others:
        notes.append(f"{_folders(parts.others)} beside them left out")
    if parts.bare:
        notes.append(
            f"{_folders(parts.bare)} has no class folders and is left out: predict answers it"
        )
    return Listing(tuple(files), tuple(notes), loose, parts)


def _folders(names: Sequence[str]) -> str:
    return " and ".join(f"{name}/" for name in names)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
