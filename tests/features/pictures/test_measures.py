"""What is measured of pictures, against its definition written plainly in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.features.pictures import measured
from fathometer.features.pictures.colours import Colours
from fathometer.features.pictures.hog import Hog
from fathometer.features.pictures.measured import answers
from fathometer.features.pictures.textures import AROUND, LABELS, Textures
from fathometer.features.pictures.thumbnail import Thumbnail
from fathometer.table.kind import ColumnSpec, Kind, PictureSize
from fathometer.table.table import picture_column

MEASURES = (Hog, Colours, Textures, Thumbnail)


def noise(rows: int, *shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, *shape), dtype=np.uint8)


def hog_by_angles(picture: np.ndarray, cells: int) -> np.ndarray:
    """Dalal and Triggs's descriptor in floating point, by angle and magnitude; out of 255."""
    levels = picture.astype(float)
    down, across = np.gradient(levels, axis=(0, 1))
    strength = np.hypot(down, across)
    best = strength.argmax(axis=2)[..., None]
    down, across, strength = (
        np.take_along_axis(each, best, axis=2)[..., 0] for each in (down, across, strength)
    )
    turn = np.degrees(np.arctan2(down, across)) % 180 / 20
    histogram = np.zeros((cells, cells, 9))
    height, width = turn.shape
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            lower = int(turn[y, x])
            place = (y + 0.5) * cells / height - 0.5, (x + 0.5) * cells / width - 0.5
            for row in range(cells):
                for column in range(cells):
                    weight = max(0, 1 - abs(place[0] - row)) * max(0, 1 - abs(place[1] - column))
                    share = weight * strength[y, x]
                    histogram[row, column, lower % 9] += share * (1 - turn[y, x] + lower)
                    histogram[row, column, (lower + 1) % 9] += share * (turn[y, x] - lower)
    blocks = np.concatenate(
        [histogram[y : cells - 1 + y, x : cells - 1 + x] for y in (0, 1) for x in (0, 1)], axis=2
    )
    # `np.gradient` halves a difference over two pixels; a gradient of 1 is noise here.
    blocks /= np.sqrt((blocks**2).sum(axis=2, keepdims=True) + (height * width / cells**2) ** 2)
    blocks = np.minimum(blocks, 0.2)
    blocks /= np.maximum(np.sqrt((blocks**2).sum(axis=2, keepdims=True)), 1e-3)
    return 255 * blocks.transpose(2, 0, 1).ravel()


@pytest.mark.parametrize("kind", ["clothes", "photographs"])
def test_hog_is_that_of_dalal_and_triggs(kind, request):
    column = request.getfixturevalue(kind)["photo"]
    found = answers(Hog(column.spec), column)
    for row in (0, 100, 301, 702):
        expected = hog_by_angles(column.pixels[row], 7)
        gap = np.abs(found[row] - expected)
        # Directions in whole numbers and shares by parallelogram move a share by a few of 255.
        assert gap.mean() < 2.5
        assert np.corrcoef(found[row], expected)[0, 1] > 0.995


def test_edges_turn_with_the_picture():
    """A step from dark to light across is an edge at 0°, one downwards at 90°."""
    across = np.zeros((1, 32, 32, 1), dtype=np.uint8)
    across[:, :, 16:] = 200
    for picture, strongest in ((across, "at 0°"), (across.transpose(0, 2, 1, 3), "at 8")):
        column = picture_column("photo", picture)
        hog = Hog(column.spec)
        found = answers(hog, column)[0]
        named = {name for name, value in zip(hog.names, found, strict=True) if value == found.max()}
        assert all(strongest in name or "at 100°" in name for name in named)


def test_textures_are_counted_as_defined(photographs):
    column = photographs.rows(np.arange(3))["photo"]
    found = answers(Textures(column.spec), column)
    for pixels, shares in zip(column.pixels.astype(int), found, strict=True):
        light = (pixels @ [77, 150, 29]) // 256
        counts = np.zeros(59)
        for y in range(1, 31):
            for x in range(1, 31):
                bits = [light[y + b - 1, x + a - 1] >= light[y, x] for b, a in AROUND]
                counts[LABELS[sum(1 << place for place, bit in enumerate(bits) if bit)]] += 1
        assert np.array_equal(shares, np.floor(255 * np.sqrt(counts / 900) + 0.5))


def test_58_patterns_are_uniform():
    assert sorted(set(LABELS.tolist())) == list(range(59))
    assert (LABELS == 58).sum() == 256 - 58


def test_colours_are_shares_means_and_deviations(photographs):
    column = photographs.rows(np.arange(5))["photo"]
    measure = Colours(column.spec)
    found = answers(measure, column)
    for pixels, numbers in zip(column.pixels.astype(float), found, strict=True):
        said = dict(zip(measure.names, numbers.tolist(), strict=True))
        part = pixels[16:, :16, 1]
        near = {
            "green mean, bottom left": part.mean(),
            "green deviation, bottom left": 2 * part.std(),
            "green at least 96, bottom left": 255 * (part >= 96).mean(),
            "red mean, whole": pixels[..., 0].mean(),
        }
        for name, value in near.items():
            assert abs(said[f"photo: {name}"] - value) <= 0.5 + 1e-9


def test_thumbnail_is_the_mean_of_areas():
    pixels = noise(4, 64, 64, 1)
    column = picture_column("photo", pixels)
    expected = pixels.reshape(4, 32, 2, 32, 2).mean(axis=(2, 4))
    found = answers(Thumbnail(column.spec), column)
    assert np.array_equal(found, np.floor(expected + 0.5).reshape(4, -1))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("shape", [(28, 28, 1), (33, 47, 3), (96, 64, 3)])
def test_answers_do_not_depend_on_the_batch(measure, shape):
    pixels = noise(70, *shape)
    pixels[:20] //= 64  # ties
    column = picture_column("photo", pixels)
    asked = measure(column.spec)
    together = measured._run(asked, pixels)
    singly = [measured._run(asked, pixels[row : row + 1])[0] for row in range(25)]
    assert np.array_equal(together[:25], singly)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "size", [(6, 6, 1), (8, 8, 1), (28, 28, 1), (40, 9, 3), (96, 96, 3), (300, 200, 3)], ids=str
)
def test_a_measure_has_as_many_names_as_numbers(measure, size):
    asked = measure(ColumnSpec("photo", Kind.IMAGE, picture=PictureSize(*size)))
    pixels = np.concatenate([noise(1, *size), np.full((1, *size), 255), np.zeros((1, *size))])
    found = measured._run(asked, pixels.astype(np.uint8))
    assert found.shape == (3, len(asked.names))
    assert len(set(asked.names)) == len(asked.names) <= 1296


def test_flat_pictures_have_no_edges():
    column = picture_column("photo", np.full((2, 28, 28, 3), 77, dtype=np.uint8))
    assert not answers(Hog(column.spec), column).any()


def test_what_was_forgotten_is_measured_again(monkeypatch):
    column = picture_column("photo", noise(30, 28, 28, 1, seed=5))
    before = answers(Hog(column.spec), column)
    monkeypatch.setattr(measured, "MOST_BYTES", 1)
    assert np.array_equal(answers(Hog(column.spec), column), before)
    assert not measured._MEMORY._answered
    turned = column.take(np.arange(29, -1, -1))
    assert np.array_equal(answers(Hog(turned.spec), turned), before[::-1])


def test_equal_pictures_are_measured_once(monkeypatch):
    pixels = noise(8, 20, 20, 1, seed=6)
    column = picture_column("photo", np.concatenate([pixels, pixels]))
    answers(Thumbnail(column.spec), column)

    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("measured again")

    monkeypatch.setattr(measured, "_run", refuse)
    again = answers(Thumbnail(column.spec), column.take(np.array([9, 3, 15])))
    assert np.array_equal(again[:, :400], column.pixels[[9, 3, 15]].reshape(3, 400))
