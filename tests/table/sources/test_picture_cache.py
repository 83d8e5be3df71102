"""Pictures are decoded once; a cache that is broken, full or forbidden changes no pixel."""

import os
import resource

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from fathometer.table.kind import PictureSize
from fathometer.table.sources import picture_cache, pictures
from fathometer.table.sources.picture_cache import Draft
from fathometer.table.sources.pictures import PictureSource, read_pictures


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FATHOMETER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pictures"


@pytest.fixture
def source(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(5):
        pixels = generator.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "2.png").write_bytes(b"broken")
    names = [*(f"{number}.png" for number in range(5)), None]
    return PictureSource(pa.array(names, pa.string()), str(tmp_path))


@pytest.fixture
def decoded(monkeypatch):
    """Counts the pictures that are decoded."""
    count = []
    original = pictures.decode
    monkeypatch.setattr(pictures, "decode", lambda *args: count.append(1) or original(*args))
    return count


def test_the_second_reading_decodes_nothing_and_gives_the_same(cache, source, decoded):
    first = read_pictures(source)
    assert len(decoded) == 5
    again = read_pictures(source)
    assert len(decoded) == 5
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.size, first.refused, first.seen) == (again.size, again.refused, again.seen)
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.missing, [False] * 4 + [True])
    assert isinstance(again.pixels.base, np.memmap)


def test_a_changed_file_is_decoded_again(cache, source, decoded):
    before = read_pictures(source).pixels[0].copy()
    path = os.path.join(source.folder, "0.png")
    Image.fromarray(np.zeros((6, 7, 3), np.uint8)).save(path)
    assert before.any()
    assert not read_pictures(source).pixels[0].any()


def test_another_size_is_another_entry(cache, source):
    read_pictures(source)
    small = read_pictures(source, size=PictureSize(2, 3, 1), keep_refused=True)
    assert small.pixels.shape == (6, 2, 3, 1)
    assert small.missing.tolist() == [False, False, True, False, False, True]
    assert len(list(cache.glob("*.pictures"))) == 2


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "foreign"])
def test_a_broken_entry_is_made_again(cache, source, decoded, harm):
    wanted = read_pictures(source).pixels.copy()
    (entry,) = cache.glob("*.pictures")
    content = bytearray(entry.read_bytes())
    content[10] ^= 255
    harmed = {"flip": bytes(content), "cut": entry.read_bytes()[:-3], "empty": b""}
    entry.write_bytes(harmed.get(harm, b"something else of another program"))
    np.testing.assert_array_equal(read_pictures(source).pixels, wanted)
    assert len(decoded) == 10
    np.testing.assert_array_equal(read_pictures(source).pixels, wanted)
    assert len(decoded) == 10


def test_the_oldest_entries_go_when_the_cache_is_full(cache, source, monkeypatch):
    read_pictures(source)
    (entry,) = cache.glob("*.pictures")
    monkeypatch.setattr(picture_cache, "LARGEST_CACHE", int(1.5 * entry.stat().st_size))
    os.utime(entry, (1, 1))
    read_pictures(source, size=PictureSize(6, 6, 3))
    assert len(list(cache.glob("*.pictures"))) == 1
    assert not entry.exists()


def test_pictures_larger_than_the_cache_stay_in_memory(cache, source, monkeypatch):
    monkeypatch.setattr(picture_cache, "LARGEST_CACHE", 100)
    assert read_pictures(source).pixels.shape == (5, 6, 7, 3)
    assert list(cache.glob("*")) == []


@pytest.fixture
def small_disk():
    """Files can be no longer than 3,500,000 bytes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_500_000, usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@pytest.mark.parametrize("rows", [5000, 3501, 3500])
def test_a_disk_that_is_full_in_the_middle_or_at_the_end_loses_no_pixel(cache, small_disk, rows):
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 1000), dtype=np.uint8)
    draft = Draft("key", rows * 1000)
    for row in pixels:
        draft.add(row.tobytes())
    entry = draft.finish({"rows": rows})
    np.testing.assert_array_equal(entry.pixels, pixels.ravel())
    assert list(cache.glob("*")) == []


def test_an_entry_that_cannot_get_its_name_stays_in_memory(cache):
    (cache / "key.pictures").mkdir(parents=True)
    draft = Draft("key", 3)
    draft.add(b"abc")
    assert draft.finish({}).pixels.tobytes() == b"abc"
    assert [each.name for each in cache.iterdir()] == ["key.pictures"]


def test_a_place_that_cannot_be_written_changes_nothing(source, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FATHOMETER_CACHE", str(tmp_path / "file"))
    assert read_pictures(source).pixels.shape == (5, 6, 7, 3)


def test_nothing_half_written_is_left_when_reading_fails(cache, source, monkeypatch):
    def failing(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pictures, "resized", failing)
    with pytest.raises(KeyboardInterrupt):
        read_pictures(source)
    assert list(cache.glob("*")) == []
