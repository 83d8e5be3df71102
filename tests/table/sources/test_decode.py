"""Every format, mode and orientation gives upright pixels, gray or in colour."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from png import chunk, header, png

from fathometer.errors import PictureError
from fathometer.table.sources.decode import decode, read_header


@pytest.fixture
def colours():
    return np.random.default_rng(0).integers(0, 256, (9, 13, 4), dtype=np.uint8)


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def stating(width, height):
    """A PNG that states this size and holds no pixels."""
    return png(header(width, height), chunk(b"IDAT", zlib.compress(b"\0" * 1000)))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_give_the_pixels_that_were_saved(colours, form):
    options = {"lossless": True} if form == "WEBP" else {}
    content = saved(Image.fromarray(colours[..., :3].copy()), form, **options)
    np.testing.assert_array_equal(decode(content), colours[..., :3])
    header = read_header(content)
    assert (header.height, header.width, header.is_gray) == (9, 13, False)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF"])
def test_gray_stays_gray(colours, form):
    content = saved(Image.fromarray(colours[..., 0].copy()), form)
    np.testing.assert_array_equal(decode(content)[..., 0], colours[..., 0])
    assert read_header(content).is_gray


def test_a_photo_is_close_to_what_was_saved():
    down, across = np.mgrid[0:64, 0:48]
    smooth = np.stack([down * 3, across * 4, down + across], axis=-1).astype(np.uint8)
    found = decode(saved(Image.fromarray(smooth), "JPEG", quality=95))
    assert np.abs(found.astype(int) - smooth).mean() < 2


def test_what_is_transparent_lies_on_white(colours):
    colours[..., 3] = 0
    assert (decode(saved(Image.fromarray(colours), "PNG")) == 255).all()
    half = np.full((1, 1, 4), (0, 0, 0, 128), np.uint8)
    assert 126 <= decode(saved(Image.fromarray(half), "PNG")).max() <= 128


def test_a_palette_gives_its_colours(colours):
    image = Image.fromarray(colours[..., :3].copy()).quantize(16)
    wanted = np.asarray(image.convert("RGB"))
    for form in ("PNG", "GIF", "BMP"):
        np.testing.assert_array_equal(decode(saved(image, form)), wanted)


def test_sixteen_bits_become_eight():
    values = np.array([[0, 257, 65535, 32896]], np.uint16)
    for form in ("PNG", "TIFF"):
        found = decode(saved(Image.fromarray(values), form))
        np.testing.assert_array_equal(found[..., 0], [[0, 1, 255, 128]])


def test_print_colours_become_screen_colours(colours):
    white = Image.fromarray(np.zeros((4, 4, 4), np.uint8), "CMYK")
    for form in ("JPEG", "TIFF"):
        found = decode(saved(white, form))
        assert found.shape == (4, 4, 3)
        assert found.min() >= 250


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_stands_upright(orientation):
    upright = np.zeros((24, 40, 3), np.uint8)
    upright[:8, :8] = 255  # a white corner, top left
    methods = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what undoes the turn of each
    image = Image.fromarray(upright)
    if orientation > 1:
        image = image.transpose(Image.Transpose(methods[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(image, "JPEG", exif=exif, quality=95)
    found = decode(content)
    assert found.shape == (24, 40, 3)
    assert np.abs(found.astype(int) - upright).mean() < 5
    header = read_header(content)
    assert (header.height, header.width) == (24, 40)


def test_a_film_of_pictures_is_its_first():
    frames = [Image.fromarray(np.full((5, 6), value, np.uint8)) for value in (10, 200)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (decode(content) == 10).all()


def test_colours_are_made_as_they_are_asked(colours):
    content = saved(Image.fromarray(colours[..., :3].copy()), "PNG")
    wanted = np.asarray(Image.fromarray(colours[..., :3].copy()).convert("L"))
    np.testing.assert_array_equal(decode(content, 1)[..., 0], wanted)
    gray = saved(Image.fromarray(colours[..., 0].copy()), "PNG")
    np.testing.assert_array_equal(decode(gray, 3), np.repeat(colours[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "is no PNG"),
        (b"<html><body>", "is a web page"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 20, "HEIC"),
        (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
        (b"\xff\xd8\xff\xe0", "cannot be decoded"),
        (b"RIFF\x04\0\0\0WEBP", "cannot be decoded"),
        (stating(60_000, 60_000), "million"),
        (stating(8_001, 8_000), "million"),
        (b"RIFF\x64\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\x3f\0\xfe\x3f\0" + b"\0" * 60, "million"),
        (b"BM" + struct.pack("<IHHIIiiHH24x", 90, 0, 0, 54, 40, 50000, 50000, 1, 24), "million"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(content, reason):
    for read in (decode, read_header):
        with pytest.raises(PictureError, match=reason):
            read(content)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_cut_file_is_refused_or_whole(colours, form):
    content = saved(Image.fromarray(colours[..., :3].copy()), form)
    whole = decode(content)
    for end in range(0, len(content), max(1, len(content) // 60)):
        try:
            found = decode(content[:end])
        except PictureError:
            continue
        np.testing.assert_array_equal(found, whole)  # only what follows the pixels was lost


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.filterwarnings("ignore")
def test_no_flipped_byte_gets_past_the_refusal(colours, form):
    content = saved(Image.fromarray(colours[..., :3].copy()), form)
    generator = np.random.default_rng(0)
    for place in generator.integers(0, len(content), 150):
        harmed = bytearray(content)
        harmed[place] ^= int(generator.integers(1, 256))
        try:
            found = decode(bytes(harmed))
        except PictureError:
            continue
        assert found.dtype == np.uint8
        assert found.ndim == 3


def test_files_that_would_never_end_are_not_opened(tmp_path):
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes with names")
    os.mkfifo(tmp_path / "pipe.png")
    for path, reason in ((tmp_path / "pipe.png", "no regular file"), (tmp_path, "a folder")):
        with pytest.raises(PictureError, match=reason):
            decode(str(path))
    with pytest.raises(PictureError, match="no such file"):
        decode(str(tmp_path / "absent.png"))
