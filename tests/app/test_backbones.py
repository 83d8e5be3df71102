"""Networks trained elsewhere, by the command line and by Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import fathometer as fm
from command import fathom
from fathometer.app.backbones import backbones, each_of
from fathometer.app.comparison import compare
from fathometer.errors import BackboneError, OptionError
from fathometer.trial.entrants import Effort
from tiny_checkpoints import drawn_resnet, write_checkpoint

README = "---\nlicense: apache-2.0\n---\n"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, striped_folder: Path) -> Path:
    """A folder with pictures and a small checkpoint in it."""
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(striped_folder, desk / "photos")
    write_checkpoint(desk / "tiny", drawn_resnet(), readme=README)
    return desk


@pytest.fixture(scope="module")
def typed(desk: Path) -> subprocess.CompletedProcess[str]:
    return fathom("compare", "photos", "--backbone", "tiny", "--only", "constant", cwd=desk)


def test_a_backbone_enters_and_is_named_with_its_size_and_licence(
    typed: subprocess.CompletedProcess[str], desk: Path
) -> None:
    assert typed.returncode == 0, typed.stderr
    said = " ".join(typed.stdout.split())
    parameters = backbones(desk / "tiny", Effort.QUICK)[0].backbone.parameters
    assert (
        f"frozen ResNet-12: as it was trained elsewhere, {parameters:,} parameters, licence "
        'apache-2.0; reads "image"'
    ) in said
    assert "frozen ResNet-12 (deep)" in said
    assert "ResNet-12 was trained elsewhere: if the rows of photos are public, it may have" in said
    cards = json.loads((desk / "photos.fathom" / "scorecards.json").read_text())
    (card,) = [each for each in cards if each["name"] == "frozen ResNet-12"]
    assert card["state"] == "finished"
    assert card["parity"] <= 1e-5
    assert "licence apache-2.0" in card["chosen"]


def test_its_file_answers_raw_pictures_without_the_checkpoint(
    typed: subprocess.CompletedProcess[str], desk: Path
) -> None:
    model = fm.load(desk / "photos.fathom" / "deep.onnx")
    assert model.name == "frozen ResNet-12"
    paths = sorted((desk / "photos").glob("*/*.png"))
    answers = model.predict([str(path) for path in paths])
    right = [path.parent.name == answer for path, answer in zip(paths, answers, strict=True)]
    assert sum(right) > 0.9 * len(right)


def test_the_same_command_goes_on_and_other_weights_do_not(
    typed: subprocess.CompletedProcess[str], desk: Path, tmp_path: Path
) -> None:
    words = ("--only", "constant", "--out", "photos.fathom")
    moved = shutil.copytree(desk / "tiny", tmp_path / "moved")
    before = (desk / "photos.fathom" / "run.sqlite").stat().st_ino
    again = fathom("compare", "photos", "--backbone", moved, *words, cwd=desk)
    assert again.returncode == 0, again.stderr
    first, second = (
        [line for line in done.stdout.splitlines() if "out of fold, " in line]
        for done in (typed, again)
    )
    assert first == second  # its very seconds: nothing was fitted again
    assert (desk / "photos.fathom" / "run.sqlite").stat().st_ino == before
    other = write_checkpoint(tmp_path / "other", drawn_resnet(seed=1))
    fresh = compare(desk / "photos", backbone=other, only=("constant",), out=desk / "photos.fathom")
    (card,) = [each for each in fresh.scorecards if each.name == "frozen ResNet-12"]
    assert "licence not stated" in card.chosen


def test_mistakes_are_answered_before_anything_is_read(desk: Path) -> None:
    done = fathom("compare", "absent", "--target", "x", "--backbone", "timm/resnet18", cwd=desk)
    assert done.returncode == 2
    assert "nothing is ever downloaded" in " ".join(done.stderr.split())
    assert "try  hf download timm/resnet18 --local-dir resnet18" in done.stderr


def test_a_table_without_pictures_is_told_so(desk: Path, passengers_path: Path) -> None:
    with pytest.raises(BackboneError, match="ResNet-12 reads pictures, but titanic"):
        compare(passengers_path, target="survived", backbone=desk / "tiny")


def test_one_path_or_several_are_taken(desk: Path) -> None:
    assert each_of("a") == ("a",)
    assert each_of(Path("a")) == (Path("a"),)
    assert each_of(["a", "b"]) == ("a", "b")
    with pytest.raises(OptionError, match="two networks that are a ResNet-12"):
        backbones([desk / "tiny", desk / "tiny"], Effort.QUICK)


def test_effort_buys_more_penalties(desk: Path) -> None:
    quick, standard = (
        backbones(desk / "tiny", each)[0] for each in (Effort.QUICK, Effort.STANDARD)
    )
    assert set(quick.penalties) < set(standard.penalties)
    assert quick.iterations < standard.iterations
