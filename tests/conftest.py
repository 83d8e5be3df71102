"""Small real tables for everybody, made once, of the passengers that ship in the package."""

from __future__ import annotations

from collections.abc import Iterator
from csv import writer
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fathometer.table.ask import answerable, ask
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.read import read
from fathometer.table.split import Split
from fathometer.table.table import Table
from fathometer.table.task import Task

if TYPE_CHECKING:
    from fathometer.trial.contest import Contest


@pytest.fixture(scope="session", autouse=True)
def pictures_in_memory() -> Iterator[None]:
    """Tests leave nothing in the user's cache of decoded pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FATHOMETER_CACHE", "off")
        yield


@dataclass(frozen=True, eq=False)
class Setting:
    """A table, the question asked of it, and its split."""

    table: Table
    task: Task
    split: Split

    @property
    def truth(self) -> np.ndarray:
        return self.task.encode(self.table[self.task.target])


def sample_path() -> Path:
    return Path(str(files("fathometer") / "samples" / "titanic.csv"))


def _setting(target: str, rows: int, kinds: dict[str, str] | None = None) -> Setting:
    table = read(sample_path(), kinds=kinds or {}).table
    task = ask(table, target)
    table, _ = answerable(table, task)
    table = table.rows(np.arange(rows))
    return Setting(table, task, divide(table, task, DivideOptions(folds=3)))


@pytest.fixture(scope="session")
def passengers_path() -> Path:
    return sample_path()


@pytest.fixture(scope="session")
def survival() -> Setting:
    """300 passengers; two classes."""
    return _setting("survived", 300)


@pytest.fixture(scope="session")
def classes() -> Setting:
    """300 passengers; three classes."""
    return _setting("pclass", 300, {"pclass": "category"})


@pytest.fixture(scope="session")
def fares() -> Setting:
    """300 passengers; a skewed number."""
    return _setting("fare", 300)


@pytest.fixture
def contest(survival: Setting, tmp_path: Path) -> Iterator[Contest]:
    """A contest on the passengers that nobody has entered yet."""
    from fathometer.trial.contest import Contest
    from fathometer.trial.store import RunStore

    with RunStore.open(tmp_path, "key") as store:
        yield Contest(survival.table, survival.task, survival.split, store, lambda news: None)


@pytest.fixture(scope="session")
def reviews_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 reviews, and whether they are of people who liked it: most of a few words, some with
    emoji, HTML remnants or Arabic and Hebrew among them, a few empty, one of 6,000 words."""
    generator = np.random.default_rng(0)
    plain = ["the", "a", "fabric", "dress", "my", "size", "was", "it", "after", "week", "colour"]
    told = {
        "yes": ["lovely", "soft", "perfect", "fits", "🙂", "لطيف"],
        "no": ["awful", "torn", "scratchy", "returned", "😡", "גרוע"],
    }
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = writer(file)
        rows.writerow(("review", "liked"))
        for number in range(160):
            liked = ("yes", "no")[number % 2]
            said = [str(word) for word in generator.choice(plain, 3 + number % 9)]
            said += [str(word) for word in generator.choice(told[liked], 2)]
            if number % 5 == 0:
                said.append("<br /> &amp; more")
            if number % 40 in (7, 8):
                said = []
            if number == 12:
                said *= 6_000 // len(said)
            rows.writerow((" ".join(said), liked))
    return path


@pytest.fixture(scope="session")
def striped_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 pictures of stripes across and down, in colour, PNG and JPEG, most of them 18 × 24."""
    from PIL import Image

    generator = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("stripes")
    for number in range(120):
        name = ("across", "down")[number % 2]
        height, width = ((18, 24), (18, 24), (40, 31))[number % 3]
        places = np.indices((height, width))[number % 2]
        stripes = (places // 3 % 2 * 150)[..., None] + generator.integers(0, 100, (1, 1, 3))
        pixels = stripes + generator.integers(0, 6, (height, width, 3))
        path = root / name / f"{number:03}.{('png', 'jpg')[number % 5 == 0]}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return root
