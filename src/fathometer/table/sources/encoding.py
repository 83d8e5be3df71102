"""Text in any common encoding, plain or compressed → a UTF-8 file that DuckDB reads as it stands.

Knows bytes and characters, nothing of rows or columns."""

from __future__ import annotations

import codecs
import shlex
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from fathometer.errors import EncodingError, OptionError, SourceError

CHUNK = 1 << 22  # bytes read at once, which bounds the memory; not tuned
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
# What these begin with; they are read as they are, not compressed once more.
NO_TEXT = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a workbook",
    b"\xd0\xcf\x11\xe0": "a workbook",
}
# The longer mark first: UTF-32 begins like UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LABELS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with byte order mark",
    "cp1252": "Windows-1252",
    "iso8859-1": "Latin-1",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
}


@dataclass(frozen=True)
class PlainText:
    """A UTF-8 file without NUL characters and with one sort of line end."""

    path: Path
    how: str  # "UTF-8", "Windows-1252, gzip"
    notes: tuple[str, ...] = ()


@dataclass
class _Bytes:
    """What the scan of a file has seen so far."""

    nul: int = 0
    crlf: int = 0
    line_feeds: int = 0
    returns: int = 0

    def add(self, chunk: bytes) -> None:
        self.nul += chunk.count(b"\0")
        self.line_feeds += chunk.count(b"\n")
        if b"\r" in chunk:
            self.returns += chunk.count(b"\r")
            self.crlf += chunk.count(b"\r\n")

    @property
    def line_ends_differ(self) -> bool:
        """Whether \\n, \\r\\n and \\r occur side by side (also: \\n inside a quoted value)."""
        one_sort = self.returns == 0 or self.line_feeds == 0
        return not (one_sort or self.returns == self.crlf == self.line_feeds)


def plain_text(path: Path, folder: Path, encoding: str | None) -> PlainText:
    """The text of a file as UTF-8: the file itself where it is so already, else a copy in `folder`.

    The encoding is the one asked for, else what the byte order mark says, else UTF-8 where every
    byte allows it, else Windows-1252.

    Raises: EncodingError where the bytes are not text in the encoding asked for; OptionError for an
    unknown encoding; SourceError for broken compression."""
    unpacked, compression = _unpack(path, folder)
    chosen = _canonical(encoding) if encoding else detect(unpacked)
    seen = _scan(unpacked, chosen, path.name)
    how = ", ".join(filter(None, (LABELS.get(chosen, chosen), compression)))
    if chosen in ("utf-8", "utf-8-sig") and not seen.nul and not seen.line_ends_differ:
        return PlainText(unpacked, how)
    copy = folder / "utf-8.txt"
    try:
        dropped = _rewrite(unpacked, copy, chosen)
    except OSError as error:
        raise _not_copied(path, folder, error) from error
    notes = (f"NUL characters were left out: {dropped:,}",) if dropped else ()
    return PlainText(copy, how, notes)


def detect(path: Path) -> str:
    """The encoding that a file's bytes allow; see `plain_text` for the order of trial."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    # UTF-16 without a mark: in mostly Latin text every second byte is 0.
    pairs = len(head) // 2
    if pairs and head[1::2].count(0) > 0.4 * pairs and head[0::2].count(0) < 0.1 * pairs:
        return "utf-16-le"
    if pairs and head[0::2].count(0) > 0.4 * pairs and head[1::2].count(0) < 0.1 * pairs:
        return "utf-16-be"
    for name in ("utf-8", "cp1252"):
        try:
            _scan(path, name, path.name)
        except EncodingError:
            continue
        return name
    return "iso8859-1"  # maps every byte


def _unpack(path: Path, folder: Path) -> tuple[Path, str]:
    with path.open("rb") as file:
        head = file.read(4)
    name = next((name for magic, name in COMPRESSIONS.items() if head.startswith(magic)), "")
    if not name:
        return path, ""
    target = folder / "unpacked.txt"
    try:
        with pa.input_stream(str(path), compression=name) as stream, target.open("wb") as out:
            while chunk := stream.read(CHUNK):
                if not out.tell():
                    _refuse_no_text(chunk, path, name)
                out.write(chunk)
    except OSError as error:  # ArrowIOError is an OSError, of broken data without a number
        if error.errno is not None:
            raise _not_copied(path, folder, error) from error
        raise SourceError(f"{path.name} is broken {name} data: {error}.") from error
    return target, name


def _refuse_no_text(start: bytes, path: Path, compression: str) -> None:
    """Refuse what is no text inside, which would be read as lines of nonsense."""
    noun = next((noun for magic, noun in NO_TEXT.items() if start.startswith(magic)), "")
    if noun and b"\0" in start:
        tool = {"gzip": "gzip -dk", "zstd": "zstd -d"}[compression]
        raise SourceError(
            f"{path.name} is {noun} within {compression}; only text and JSON are read compressed.",
            try_next=f"{tool} {shlex.quote(str(path))}",
        )


def _not_copied(path: Path, folder: Path, error: OSError) -> SourceError:
    return SourceError(
        f"{path.name} must be copied to be read, and {folder.parent} does not take it: "
        f"{error.strerror}.",
        details="TMPDIR names another folder for such copies",
    )


def _canonical(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b" ".decode(encoding, "ignore")  # Python has codecs beside those of text: rot13, base64
    except (LookupError, ValueError) as error:
        raise OptionError(
            f'There is no encoding of text "{encoding}".',
            details="common ones: utf-8, cp1252, utf-16, shift_jis, gb18030",
            try_next="--encoding utf-8",
        ) from error
    return "utf-8-sig" if name == "utf-8" else name  # reads both with and without the mark


def _scan(path: Path, encoding: str, name: str) -> _Bytes:
    """Decode the whole file once and count what would need a rewrite."""
    seen = _Bytes()
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    done = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                place = done - pending + error.start
                wrong = error.object[error.start : error.start + 1]
                line = 1 + seen.line_feeds + chunk[: max(0, place - done)].count(b"\n")
                raise _not_text(encoding, name, (place, line, wrong)) from error
            except UnicodeError as error:  # UTF-16 and UTF-32 without their mark
                raise _not_text(encoding, name, (0, 1, chunk[:1])) from error
            if not chunk:
                return seen
            seen.add(chunk)
            done += len(chunk)


def _not_text(encoding: str, name: str, where: tuple[int, int, bytes]) -> EncodingError:
    place, line, wrong = where
    fits = "cp1252" if encoding.startswith("utf-8") else "utf-8"
    return EncodingError(
        f"{name} is not {LABELS.get(encoding, encoding)}: byte {place + 1:,} (line {line:,}) is "
        f"0x{wrong.hex()}, which that encoding does not allow there.",
        details="without --encoding, the encoding is found from the bytes",
        try_next=f"--encoding {fits}",
    )


def _rewrite(path: Path, copy: Path, encoding: str) -> int:
    """Copy as UTF-8 with \\n line ends and without NUL; returns how many NULs there were."""
    dropped = 0
    with (
        path.open(encoding=encoding, newline=None) as text,
        copy.open("w", encoding="utf-8", newline="\n") as out,
    ):
        while chunk := text.read(CHUNK):
            if "\0" in chunk:
                dropped += chunk.count("\0")
                chunk = chunk.replace("\0", "")
            out.write(chunk)
    return dropped
