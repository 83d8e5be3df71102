"""Every command and every Python example of the README and the guide runs, in the order in which
they stand, on the passengers of the Titanic."""

import re
import shutil
import sqlite3
import subprocess
import sys
from csv import DictReader
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tiny_checkpoints import drawn_resnet, write_checkpoint

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PASSENGERS = ROOT / "src" / "fathometer" / "samples" / "titanic.csv"
SECONDS = 600  # for one command; a quick contest takes a small part of it


@dataclass
class Desk:
    """A folder with the sample in it, where each command is typed once, as a reader would."""

    folder: Path
    done: set[str] = field(default_factory=set)

    def type(self, command: str, *, code: int) -> None:
        """Run a `fathom` command unless it was run before, and compare its exit code."""
        if command not in self.done:
            words = f"{sys.executable} -m fathometer {command.removeprefix('fathom ')}"
            done = self.run(["bash", "-c", words])
            assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
            self.done.add(command)

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, striped_folder: Path, reviews_path: Path
) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(PASSENGERS, folder)
    shutil.copy(reviews_path, folder)
    shutil.copytree(striped_folder, folder / "photos")
    licence = "---\nlicense: apache-2.0\n---\n"
    write_checkpoint(folder / "resnet18", drawn_resnet(), readme=licence)
    with PASSENGERS.open(encoding="utf-8") as file:
        rows = list(DictReader(file))
    connection = sqlite3.connect(folder / "passengers.db")
    connection.execute(f"CREATE TABLE passengers ({', '.join(rows[0])})")
    marks = ", ".join("?" for _ in rows[0])
    values = [[cell or None for cell in row.values()] for row in rows]
    connection.executemany(f"INSERT INTO passengers VALUES ({marks})", values)
    connection.commit()
    connection.close()
    return Desk(folder)


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(document: Path) -> list[tuple[str, int]]:
    """Each `$ fathom …` of the console blocks with the exit code that the document promises."""
    found = []
    for block in blocks(document, "console"):
        code = int(said[1]) if (said := re.search(r"^\$ echo \$\?\n(\d+)$", block, re.M)) else 0
        found += [(typed, code) for typed in re.findall(r"^\$ (fathom .*)$", block, re.MULTILINE)]
    return found


def name_of(document: Path) -> str:
    return document.stem


# Documents that show the whole contest are read in one go: side by side each would run it anew.
WHOLE = ("fathom compare titanic.csv --target survived", 0)
SHARING = [document for document in DOCUMENTS if WHOLE in commands(document)]
READINGS = [SHARING, *([document] for document in DOCUMENTS if document not in SHARING)]


@pytest.mark.slow
@pytest.mark.parametrize("documents", READINGS, ids=lambda read: "+".join(map(name_of, read)))
def test_commands_and_examples_run_as_they_stand(documents: list[Path], desk: Desk) -> None:
    for document in documents:
        for block in blocks(document, "toml"):  # each begins with its file's name
            (desk.folder / block.split()[1]).write_text(block, encoding="utf-8")
        for command, code in commands(document):
            desk.type(command, code=code)
        examples = blocks(document, "python")
        if examples:
            done = desk.run([sys.executable, "-c", "\n".join(examples)])
            assert done.returncode == 0, done.stderr


def test_guide_shows_every_command() -> None:
    shown = {command.split()[1] for each in DOCUMENTS for command, _ in commands(each)}
    assert shown == {"compare", "predict", "network", "inspect", "verdict"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_readme_sets_up_and_works_with_one_command_each() -> None:
    set_up = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt "
    lines = [line for block in blocks(DOCUMENTS[0], "sh") for line in block.splitlines()]
    assert lines == [
        f'{set_up}".[compare]" && .venv/bin/fathom compare '
        "src/fathometer/samples/titanic.csv --target survived",
        f'{set_up}".[dev]" && .venv/bin/pytest -n auto',
    ]


def test_constraints_are_exact() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pinned if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
