"""How soon pictures are in memory: our reader beside a plain loop of Pillow and one of OpenCV.

    python benchmarks/decoding.py --opencv OTHER_VENV/bin/python --write \\
        ../shared/data/images/fashion_mnist_folder ../shared/data/images/cifar10_part_test.parquet

Takes folders of pictures and Parquet files with a column "image" of their bytes (written out as
files first, so that all read the same), and generates photos: 300 JPEGs of 375 × 500 and 12 of 3000
× 4000 pixels. Each reader brings every picture to the size that ours chooses, as bytes in memory:

- Pillow: open, convert, resize (BILINEAR), to an array, one after the other;
- OpenCV: imread, convert, resize (INTER_AREA), one thread, in a Python of its own;
- ours, first: decoded, checked, refused or resized, and written to an empty cache;
- ours, later: found in the cache, its checksum compared.

Counted are seconds of processor time, all threads together, so that a rate is one core's: the least
of the rounds, which take turns. Peak memory is not compared."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results" / "decoding.md"
ROUNDS = 3
LATER = 20  # readings of the cache in a round: one alone is too short to be timed
GENERATED = {"JPEG 375 × 500": (300, 375, 500), "JPEG 3000 × 4000": (12, 3000, 4000)}
REMARKS = (
    "Where ours is behind: a photo is decoded whole and resized as a model file resizes it, to the",
    "bit, which takes about 1.4 times as long as Pillow's own filter (0.96 against 0.68 ms, 375 ×",
    "500); of the smallest pictures, our time is mostly Python around the decoder. Decoding a JPEG",
    "at a half or quarter would be quicker, but a file would then be answered otherwise than its",
    "raw pixels.",
)
OPENCV = """
import sys, time, cv2, numpy
cv2.setNumThreads(1)
height, width, channels = map(int, sys.argv[1:4])
paths = sys.stdin.read().splitlines()
flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
started = time.process_time()
made = numpy.empty((len(paths), height, width, channels), numpy.uint8)
for row, path in enumerate(paths):
    picture = cv2.imread(path, flag)
    if picture.shape[:2] != (height, width):
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if channels == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    made[row] = picture.reshape(height, width, channels)
print(time.process_time() - started, cv2.__version__)
"""


@dataclass(frozen=True)
class Collection:
    """Pictures as files, and what they are brought to."""

    name: str
    paths: list[str]
    size: tuple[int, int, int]


def photo(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Something like a photo: soft areas with grain, so that JPEG has about its usual work."""
    from PIL import Image

    coarse = generator.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    grain = generator.normal(0, 6, (height, width, 1))
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def generated(folder: Path, count: int, height: int, width: int) -> list[str]:
    from PIL import Image

    generator = np.random.default_rng(0)
    folder.mkdir()
    paths = []
    for number in range(count):
        path = folder / f"{number:04}.jpg"
        Image.fromarray(photo(generator, height, width)).save(path, quality=88)
        paths.append(str(path))
    return paths


def written_out(source: Path, folder: Path) -> list[str]:
    import pyarrow.parquet as pq

    folder.mkdir()
    paths = []
    for row, content in enumerate(pq.read_table(source, columns=["image"])["image"].to_pylist()):
        path = folder / f"{row:06}.png"
        path.write_bytes(content)
        paths.append(str(path))
    return paths


def plainly(collection: Collection) -> None:
    """The loop that everybody writes first."""
    from PIL import Image

    height, width, channels = collection.size
    made = np.empty((len(collection.paths), height, width, channels), np.uint8)
    for row, path in enumerate(collection.paths):
        with Image.open(path) as image:
            flat = image.convert("L" if channels == 1 else "RGB")
        if flat.size != (width, height):
            flat = flat.resize((width, height), Image.Resampling.BILINEAR)
        made[row] = np.asarray(flat).reshape(height, width, channels)


def ours(collection: Collection) -> tuple[int, int, int]:
    import pyarrow as pa

    from fathometer.table.sources.pictures import PictureSource, read_pictures

    found = read_pictures(PictureSource(pa.array(collection.paths, pa.string())))
    return found.size.height, found.size.width, found.size.channels


def seconds_of(task: Callable[[], object]) -> float:
    started = time.process_time()
    task()
    return time.process_time() - started


def first(collection: Collection) -> float:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FATHOMETER_CACHE"] = folder
        return seconds_of(lambda: ours(collection))


def later(collection: Collection) -> float:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FATHOMETER_CACHE"] = folder
        ours(collection)
        return seconds_of(lambda: [ours(collection) for _ in range(LATER)]) / LATER


def by_opencv(python: str, collection: Collection) -> tuple[float, str]:
    words = [python, "-c", OPENCV, *map(str, collection.size)]
    said = subprocess.run(
        words, input="\n".join(collection.paths), capture_output=True, text=True, check=True
    ).stdout.split()
    return float(said[0]), said[1]


def line_of(collection: Collection, opencv: str | None) -> tuple[str, str]:
    """A row of the table, and OpenCV's version."""
    kept: dict[str, list[float]] = {"Pillow": [], "OpenCV": [], "first": [], "later": []}
    version = ""
    for _ in range(ROUNDS):
        kept["Pillow"].append(seconds_of(lambda: plainly(collection)))
        kept["first"].append(first(collection))
        kept["later"].append(later(collection))
        if opencv:
            seconds, version = by_opencv(opencv, collection)
            kept["OpenCV"].append(seconds)
    count = len(collection.paths)
    rate = {name: count / min(found) for name, found in kept.items() if found}
    best = max(rate["Pillow"], rate.get("OpenCV", 0.0))
    height, width, channels = collection.size
    cells = [
        collection.name,
        f"{count:,}",
        f"{height} × {width} × {channels}",
        f"{rate['Pillow']:,.0f}",
        f"{rate['OpenCV']:,.0f}" if "OpenCV" in rate else "–",
        f"{rate['first']:,.0f}",
        f"{rate['first'] / rate['Pillow']:.2f}",
        f"{rate['first'] / best:.2f}",
        f"{rate['later']:,.0f}",
        f"{rate['later'] / rate['first']:,.0f}",
    ]
    return "| " + " | ".join(cells) + " |", version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--opencv", metavar="PYTHON", help="a Python that has OpenCV")
    parser.add_argument("--write", action="store_true")
    told = parser.parse_args()
    from fathometer.trial.measure import machine, versions

    heads = ("pictures", "n", "brought to", "Pillow", "OpenCV", "ours, first", "first / Pillow")
    heads += ("first / best", "ours, later", "later / first")
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    version = ""
    with tempfile.TemporaryDirectory() as room:
        sets = {name: generated(Path(room) / name, *of) for name, of in GENERATED.items()}
        for source in told.sources:
            is_folder = source.is_dir()
            files = sorted(str(path) for path in source.rglob("*.png")) if is_folder else None
            sets[source.stem] = files or written_out(source, Path(room) / source.stem)
        os.environ["FATHOMETER_CACHE"] = "off"
        for name, paths in sets.items():
            size = ours(Collection(name, paths, (0, 0, 0)))
            line, found = line_of(Collection(name, paths, size), told.opencv)
            version = version or found
            lines.append(line)
            print(line, file=sys.stderr)
    import PIL

    known = {**versions(), "pillow": PIL.__version__, "opencv": version or "absent"}
    page = [
        "# Decoding: our reader beside Pillow and OpenCV",
        "",
        f"On: {' · '.join(machine().values())}.",
        "Versions: " + ", ".join(f"{name} {number}" for name, number in known.items()) + ".",
        f"Pictures a second of one core: processor time of all threads, the least of {ROUNDS} "
        f"rounds; later readings {LATER} times a round.",
        "Other work shared the machine; processor time feels that less than the clock does.",
        "",
        *lines,
        "",
        *REMARKS,
        "",
        f"Command: `python benchmarks/decoding.py{' --opencv PYTHON' if told.opencv else ''} "
        + " ".join(str(source) for source in told.sources)
        + "`",
        "",
    ]
    print("\n".join(page))
    if told.write:
        RESULTS.write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main()
