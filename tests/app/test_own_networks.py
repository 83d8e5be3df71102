"""Networks of the user's own, by the command line and by Python."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest
from torch import nn

from command import fathom
from fathometer.app.comparison import compare
from fathometer.app.own_networks import own_networks, source_words, with_own
from fathometer.errors import LearnerError, NetworkError, OptionError
from fathometer.networks.declaration import Declaration, Layer
from fathometer.table.divide import DivideOptions, divide
from fathometer.table.read import read
from fathometer.table.table import Table
from fathometer.table.task import Task, TaskKind
from fathometer.trial.entrants import Effort, entrants

NETWORK = """
[[layer]]
name = "wide"
units = 16
density = 0.2

[[layer]]
name = "deep"
units = 16
activation = "silu"
from = ["numbers", "categories"]
add = ["wide"]
"""
TASK = Task(TaskKind.CLASSIFY, "survived", "roc_auc", ("0", "1"), integer_labels=True)
ONLY = ("--target", "survived", "--only", "constant")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "mine.toml").write_text(NETWORK)
    return folder


@pytest.fixture(scope="module")
def few(passengers: Path, folder: Path) -> Path:
    """The passengers without tickets and cabins, which could be groups: that takes long to see."""
    pandas.read_csv(passengers).drop(columns=["ticket", "cabin"]).to_csv(
        folder / "few.csv", index=False
    )
    return folder / "few.csv"


def test_a_declared_network_is_drawn_and_enters_the_contest(few: Path, folder: Path) -> None:
    done = fathom("compare", few, *ONLY, "--network", "mine.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    said, trained = done.stdout.split(" 1 of ", 1)
    assert "mine: 5 numbers" in said
    assert "wide" in said
    assert "numbers + categories · adds wide" in said
    assert "mine (deep)" in trained
    cards = json.loads((folder / "few.fathom" / "scorecards.json").read_text())
    (card,) = [card for card in cards if card["name"] == "mine"]
    assert card["state"] == "finished"
    assert card["family"] == "deep"
    assert card["parity"] <= 1e-5
    assert card["quality"]["value"] > 0.75
    assert (folder / "few.fathom" / "deep.onnx").exists()


def test_a_network_is_checked_and_drawn_without_a_contest(
    few: Path, folder: Path, tmp_path: Path
) -> None:
    path = folder / "mine.toml"
    done = fathom("network", path, "--data", few, "--target", "fare", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("mine: ")
    assert "→ 1 output" in done.stdout
    assert list(tmp_path.iterdir()) == []
    done = fathom("network", path, cwd=tmp_path)
    assert done.returncode == 2
    assert f"try  fathom network {path} --data TABLE --target COLUMN" in done.stderr


def test_a_mistake_in_a_network_is_answered_before_anything_is_read(folder: Path) -> None:
    (folder / "wrong.toml").write_text(NETWORK.replace('"wide"]', '"widest"]'))
    done = fathom("compare", "absent.csv", *ONLY, "--network", "wrong.toml", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith('error  wrong.toml: layer "deep" adds "widest"')
    assert "Traceback" not in done.stderr


def test_a_module_enters_from_python_and_its_file_answers(few: Path, tmp_path: Path) -> None:
    frame = pandas.read_csv(few)
    comparison = compare(
        frame,
        target="survived",
        only=("constant",),
        networks={
            "my module": lambda features, outputs: nn.Sequential(
                nn.Linear(features, 16), nn.ReLU(), nn.Linear(16, outputs)
            )
        },
        out=tmp_path / "own",
    )
    (card,) = [card for card in comparison.scorecards if card.name == "my module"]
    assert card.quality is not None
    assert card.quality.value > 0.75
    assert comparison.deep is not None
    assert comparison.deep.name == "my module"
    assert set(comparison.deep.predict(frame.head())) <= {0, 1}


def test_pictures_are_said_not_to_be_read_and_alone_are_refused(
    few: Path, folder: Path, striped_folder: Path, tmp_path: Path
) -> None:
    photos = sorted(str(path) for path in striped_folder.rglob("*.*"))
    rows = pandas.read_csv(few).head(len(photos))
    rows.assign(photo=photos).to_csv(tmp_path / "faces.csv", index=False)
    path = folder / "mine.toml"
    done = fathom("network", path, "--data", tmp_path / "faces.csv", "--target", "survived")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("not read: photo (pictures)")
    with pytest.raises(LearnerError, match=r"only pictures to learn from \(image\)"):
        compare(striped_folder, only=("constant",), networks=path, out=tmp_path / "out")
    own = own_networks(path, Effort.QUICK, 0)[0]
    photos_alone = read(striped_folder).table
    task = Task(TaskKind.CLASSIFY, "label", "accuracy", ("across", "down"))
    split = divide(photos_alone, task, DivideOptions(folds=3))
    with pytest.raises(LearnerError, match="does not read"):
        own.fit(photos_alone, task, split)


def test_networks_come_alone_in_a_list_or_by_name(folder: Path) -> None:
    class Mine(nn.Linear):
        pass

    declaration = Declaration((Layer("h", 4),), ("h",))
    path = folder / "mine.toml"
    cases = {
        path: ["mine"],
        str(path): ["mine"],
        declaration: ["own network"],
        (path, Mine): ["mine", "Mine"],
        (Mine(3, 2), lambda features, outputs: Mine(features, outputs)): ["Mine", "own network"],
    }
    for sources, names in cases.items():
        assert [each.name for each in own_networks(sources, Effort.QUICK, 0)] == names
    named = own_networks({"first": path, "second": declaration}, Effort.QUICK, 0)
    assert [each.name for each in named] == ["first", "second"]
    assert source_words((path, Mine)) == (str(path), "…")


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(NetworkError, match="given a int"):
        own_networks([3], Effort.QUICK, 0)


def test_no_two_contestants_share_a_name() -> None:
    ours = entrants(TASK, Table(()), Effort.QUICK, 0)
    declaration = Declaration((Layer("h", 4),), ("h",))
    for sources in ({"Modern Network": declaration}, [declaration, declaration]):
        with pytest.raises(OptionError, match="two contestants are called"):
            with_own(ours, own_networks(sources, Effort.QUICK, 0), ())


def test_own_networks_enter_whatever_only_says() -> None:
    ours = entrants(TASK, Table(()), Effort.QUICK, 0)
    own = own_networks(Declaration((Layer("h", 4),), ("h",)), Effort.QUICK, 0)
    assert [each.name for each in with_own(ours, own, ("logistic",))] == [
        "constant",
        "logistic",
        "own network",
    ]
    assert with_own(ours, own, ()) == (*ours, *own)
