"""Rows that can be looked at: pictures and texts, of each class and where a contestant erred."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fathometer.table.kind import Kind
from fathometer.table.table import Column
from fathometer.verdict.quantities import bare

# Kept small: the page has a size to keep (a picture of 96 × 96 takes about 5 KB).
CLASSES_SHOWN = 20
OF_A_CLASS = 8
PAIRS_SHOWN = 6
OF_A_PAIR = 5
WORST_SHOWN = 18
LETTERS_SHOWN = 240
LEAST_LETTERS = 30  # on average; below it a text is a name or a code, which shows little
LARGE = 2_304  # pixels (48 × 48); larger pictures are JPEG, whose blur no longer hides anything


@dataclass(frozen=True)
class Exhibit:
    """One row as a reader sees it: a picture or a text, and what was said of it."""

    truth: str
    answered: str = ""  # empty where nothing was asked
    sureness: float | None = None  # probability of the answer, where there are classes
    picture: bytes = b""  # PNG or JPEG
    text: str = ""


@dataclass(frozen=True)
class ConfusedPair:
    """Rows of one class that were answered with another."""

    truth: str
    answered: str
    count: int
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True)
class Gallery:
    """What one column shows, and where `model` erred on unseen rows."""

    column: str
    model: str
    samples: tuple[tuple[str, tuple[Exhibit, ...]], ...]  # training rows by class
    notes: tuple[str, ...]  # what its values are like, in words
    pairs: tuple[ConfusedPair, ...]  # the most frequent first
    worst: tuple[Exhibit, ...]  # wrong and sure, or farthest off


def shows(column: Column) -> bool:
    """Whether a reader learns something from seeing this column's values."""
    if column.kind is Kind.TEXT:
        texts = column.strings[:: max(1, len(column.values) // 1000)]
        return bool(len(texts)) and float(np.mean([len(text) for text in texts])) >= LEAST_LETTERS
    return column.kind is Kind.IMAGE


def samples_of(
    column: Column, classes: Sequence[str], truth: np.ndarray, rows: np.ndarray
) -> tuple[tuple[str, tuple[Exhibit, ...]], ...]:
    """The first training rows of each class; none where values are asked.

    truth: (rows,) class places of `rows`, which are row numbers of the column."""
    found = []
    for place, name in enumerate(classes[:CLASSES_SHOWN]):
        own = rows[truth == place][:OF_A_CLASS]
        found.append((name, tuple(_exhibit(column, int(row), name) for row in own)))
    return tuple(found)


def mistakes_in_classes(
    column: Column, classes: Sequence[str], truth: np.ndarray, scores: np.ndarray, rows: np.ndarray
) -> tuple[tuple[ConfusedPair, ...], tuple[Exhibit, ...]]:
    """The most frequent confusions, and the wrong answers that were given the highest probability.

    truth: (rows,) class places; scores: (rows, classes) probabilities; rows: their row numbers."""
    answered, sure = scores.argmax(axis=1), scores.max(axis=1)
    wrong = np.flatnonzero(answered != truth)
    order = wrong[np.argsort(-sure[wrong], kind="stable")]

    def exhibit(place: int) -> Exhibit:
        names = classes[truth[place]], classes[answered[place]]
        return _exhibit(column, int(rows[place]), *names, sureness=float(sure[place]))

    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (truth[wrong], answered[wrong]), 1)
    pairs = []
    for flat in np.argsort(-counts.ravel(), kind="stable")[:PAIRS_SHOWN]:
        one, other = divmod(int(flat), len(classes))
        own = order[(truth[order] == one) & (answered[order] == other)]
        if len(own):
            shown = tuple(exhibit(place) for place in own[:OF_A_PAIR])
            pairs.append(ConfusedPair(classes[one], classes[other], len(own), shown))
    return tuple(pairs), tuple(exhibit(place) for place in order[:WORST_SHOWN])


def mistakes_in_values(
    column: Column, truth: np.ndarray, values: np.ndarray, rows: np.ndarray
) -> tuple[Exhibit, ...]:
    """The answers that are farthest off; truth and values (rows,), rows their row numbers."""
    order = np.argsort(-np.abs(values - truth), kind="stable")[:WORST_SHOWN]
    return tuple(
        _exhibit(column, int(rows[place]), bare(truth[place], 4), bare(values[place], 4))
        for place in order
    )


def _exhibit(
    column: Column, row: int, truth: str, answered: str = "", *, sureness: float | None = None
) -> Exhibit:
    one = column.take(np.array([row]))
    if column.kind is Kind.IMAGE:
        return Exhibit(truth, answered, sureness, picture=_encoded(one.pixels[0]))
    text = str(one.strings[0])
    cut = text if len(text) <= LETTERS_SHOWN else text[:LETTERS_SHOWN].rstrip() + " …"
    return Exhibit(truth, answered, sureness, text=cut)


def _encoded(pixels: np.ndarray) -> bytes:
    """A picture (height, width, channels) as a file a browser shows."""
    from PIL import Image

    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    written = io.BytesIO()
    if pixels.shape[0] * pixels.shape[1] > LARGE:
        image.save(written, "JPEG", quality=80)
    else:
        image.save(written, "PNG", optimize=True)
    return written.getvalue()
