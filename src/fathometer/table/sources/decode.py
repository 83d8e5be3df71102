"""One picture: the bytes of a file → upright pixels, gray or in three colours.

PNG, JPEG, WebP, GIF (its first frame), BMP and TIFF (its first page), told by their first bytes and
not by their names. What is transparent lies on white; 16 bits a channel become 8; a photo is turned
as its EXIF orientation says. Whatever cannot be read is refused with its reason, and what is too
large before it is decoded.

Needs Pillow and numpy alone, so that a model file can be asked about pictures without the rest."""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from fathometer.errors import MissingPackageError, PictureError
from fathometer.table.sources.plain_png import plain_png

if TYPE_CHECKING:
    from PIL.Image import Image

Origin = str | bytes  # the path of a file, or its content

LARGEST_PICTURE = 64_000_000  # pixels; cameras of telephones reach 50 million, in ordinary use 12
LARGEST_FILE = 512 << 20  # bytes: 64 million pixels of 16 bits in four channels, uncompressed
HEAD = 16  # bytes that tell the format

# What the files begin with, by Pillow's names of the formats. WebP is told further below.
MAGICS: dict[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
)
# What other files that lie among pictures begin with; the first two are pictures we do not read.
OTHERS: dict[bytes, str] = {
    b"\0\0\1\0": "an icon",
    b"8BPS": "a Photoshop document",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML document",
    b"<!DOC": "a web page",
    b"<html": "a web page",
}

GRAY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
COLOUR_MODES = ("RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV")
ORIENTATION = 0x0112  # EXIF's tag
EXIF_PLACES = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}
SIXTEEN_TO_EIGHT = 257  # 65,535 becomes 255


@dataclass(frozen=True)
class Header:
    """What a picture says of itself before it is decoded."""

    height: int  # pixels, upright
    width: int
    is_gray: bool
    format: str


def picture_format(head: bytes) -> str | None:
    """Pillow's name of the format that begins like this; None for other files."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((name for magic, name in MAGICS.items() if head.startswith(magic)), None)


def read_header(origin: Origin) -> Header:
    """Size and colours, without decoding.

    Raises: PictureError with the reason."""
    with _faults():
        image = _opened(_content(origin))
        width, height = image.size
        if _orientation(image) >= 5:  # turned by a quarter
            width, height = height, width
        return Header(height, width, _is_gray(image), str(image.format))


def decode(origin: Origin, channels: int | None = None) -> np.ndarray:
    """A picture (height, width, channels) uint8: 1 channel is gray, 3 are red, green and blue; by
    default as the picture has them.

    Raises: PictureError with the reason."""
    with _faults():
        content = _content(origin)
        image = plain_png(content, LARGEST_PICTURE)
        if image is not None:
            flat = image
        else:
            image = _opened(content)
            flat = _turned(_flattened(image), _orientation(image))
        gray = _is_gray(image) if channels is None else channels == 1
        if flat.mode != ("L" if gray else "RGB"):
            flat = flat.convert("L" if gray else "RGB")
        pixels = np.asarray(flat)
        return pixels[..., None] if gray else pixels


@contextlib.contextmanager
def quiet_decoders() -> Iterator[None]:
    """While it lasts, nobody prints what Pillow thinks of a file. Not to be entered by threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Whatever a decoder raises on broken bytes, as a `PictureError`."""
    try:
        yield
    except PictureError:
        raise
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "Pictures are read by Pillow, which is not installed.", try_next="pip install pillow"
        ) from error
    except Exception as error:  # broken bytes lead decoders to errors of any type
        raise PictureError(_said(str(error) or type(error).__name__)) from error


def _said(message: str) -> str:
    return f"cannot be decoded: {' '.join(message.split())[:200]}"


def _opened(content: bytes) -> Image:
    """The picture, its pixels not yet decoded."""
    from PIL import Image

    known = picture_format(content[:HEAD])
    if known is None:
        raise PictureError(_not_a_picture(content[:HEAD]))
    if known == "WEBP":
        _refuse_giant(*_webp_size(content))  # Pillow allocates the canvas when it opens one
    # The formats are named so that no other decoder, some of which start programs, is tried.
    try:
        image = Image.open(BytesIO(content), formats=(known,))
    except Image.DecompressionBombError as error:
        raise PictureError(f"has more than {LARGEST_PICTURE // 10**6} million pixels") from error
    _refuse_giant(*image.size)
    return image


def _content(origin: Origin) -> bytes:
    """The bytes of a file that may be a picture."""
    if isinstance(origin, bytes):
        return origin
    try:
        return _regular_content(origin)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise PictureError(f"cannot be opened: {said}") from error


def _regular_content(path: str) -> bytes:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):  # a pipe would never end
        raise PictureError("is a folder" if stat.S_ISDIR(found.st_mode) else "is no regular file")
    if found.st_size > LARGEST_FILE:
        raise PictureError(f"has {found.st_size:,} bytes; at most {LARGEST_FILE:,} are read")
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _refuse_giant(width: int, height: int) -> None:
    if width * height > LARGEST_PICTURE:
        raise PictureError(
            f"has {width:,} × {height:,} pixels; at most {LARGEST_PICTURE // 10**6} million are "
            "read"
        )


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height as the first chunk states them (RFC 9649); 0 × 0 where it is cut off."""
    chunk = content[12:16]
    if chunk == b"VP8X":
        sizes = (content[24:27], content[27:30])
        return tuple(int.from_bytes(each, "little") + 1 for each in sizes)  # type: ignore[return-value]
    if chunk == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = (int.from_bytes(content[at : at + 2], "little") for at in (26, 28))
    return width & 0x3FFF, height & 0x3FFF


def _not_a_picture(head: bytes) -> str:
    if not head:
        return "is empty: 0 bytes"
    found = next((noun for magic, noun in OTHERS.items() if head.startswith(magic)), None)
    if found is not None:
        return f"is {found}, not a picture"
    if head[4:8] == b"ftyp":
        return "is HEIC, AVIF or a film, which are not read; save it as JPEG or PNG"
    return "is no PNG, JPEG, WebP, GIF, BMP or TIFF"


def _is_gray(image: Image) -> bool:
    """Whether the picture can only be gray, by how it is stored."""
    if image.mode == "P":
        palette = np.frombuffer(bytes(image.getpalette("RGB") or ()), np.uint8).reshape(-1, 3)
        return bool((palette == palette[:, :1]).all())
    return image.mode in GRAY_MODES


def _flattened(image: Image) -> Image:
    """The picture in mode L or RGB, 8 bits a channel, on white where it is transparent."""
    from PIL import Image as Images

    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        return Images.fromarray(_eight_bits(np.asarray(image)))
    is_gray = _is_gray(image)
    if image.has_transparency_data:
        layers = image.convert("RGBA")
        white = Images.new("RGBA", layers.size, "white")
        made = Images.alpha_composite(white, layers)
        return made.convert("L" if is_gray else "RGB")
    if image.mode not in (*GRAY_MODES, *COLOUR_MODES, "P"):
        raise PictureError(f"stores its pixels in a way that is not read: {image.mode}")
    return image.convert("L" if is_gray else "RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """Gray values of 16 bits, as 8."""
    highest, lowest = int(values.max(initial=0)), int(values.min(initial=0))
    if lowest < 0 or highest > 0xFFFF:
        raise PictureError(f"has gray values {lowest:,} to {highest:,}; 0 to 65,535 are read")
    nearest = (values.astype(np.uint32) + SIXTEEN_TO_EIGHT // 2) // SIXTEEN_TO_EIGHT
    return nearest.astype(np.uint8)


def _orientation(image: Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or none that can be read."""
    if image.format not in ("TIFF", "MPO") and EXIF_PLACES.isdisjoint(image.info):
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # noqa: BLE001  a photo with a broken appendix is a photo
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _turned(image: Image, orientation: int) -> Image:
    """The picture upright."""
    from PIL.Image import Transpose

    methods = (
        None,
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )
    method = methods[orientation - 1]
    return image if method is None else image.transpose(method)
