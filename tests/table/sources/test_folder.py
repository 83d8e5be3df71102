"""A folder's folders name the classes; parts to learn from and to judge on are told apart."""

import os
import zlib

import numpy as np
import pytest
from PIL import Image
from png import chunk, header, png

from fathometer.errors import EmptySourceError, SourceError
from fathometer.table.kind import Kind
from fathometer.table.read import read
from fathometer.table.sources.folder import default_target, read_folder


@pytest.fixture
def lay(tmp_path):
    """Lay pictures of different gray values at these paths below the folder that is returned."""

    def pictures(*paths):
        for value, path in enumerate(paths):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 5), value, np.uint8)).save(tmp_path / path)
        return tmp_path

    return pictures


def test_folders_name_the_classes_however_deep_their_pictures_lie(lay):
    table = read(lay("cat/1.png", "cat/a/b/2.png", "dog/ü 名前.png")).table
    assert table["label"].values.to_pylist() == ["cat", "cat", "dog"]
    assert table["path"].values.to_pylist() == ["cat/1.png", "cat/a/b/2.png", "dog/ü 名前.png"]
    assert table["image"].pixels[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert [column.kind for column in table] == [Kind.IMAGE, Kind.CATEGORY, Kind.IDENTIFIER]


@pytest.mark.parametrize("names", [("0", "1"), ("yes", "no"), ("NA", "none"), ("true", "false")])
def test_names_of_classes_are_names_whatever_they_look_like(lay, names):
    label = read(lay(f"{names[0]}/1.png", f"{names[1]}/1.png")).table["label"]
    assert label.kind is Kind.CATEGORY
    assert set(label.values.to_pylist()) == set(names)


@pytest.mark.parametrize(
    ("paths", "judged", "words"),
    [
        (("train/a/1.png", "train/b/1.png", "test/a/1.png"), ["test/a/1.png"], "judged on test/"),
        (("Training/a/1.png", "Training/b/1.png", "Testing/b/1.png"), ["Testing/b/1.png"], "judg"),
        (
            ("train/a/1.png", "valid/b/1.png", "test/a/1.png"),
            ["test/a/1.png"],
            "learned from train/ and valid/",
        ),
        (("train/a/1.png", "train/b/1.png", "val/b/1.png"), ["val/b/1.png"], "judged on val/"),
        (("train/a/1.png", "train/b/1.png", "test/1.png"), [], "test/ has no class folders"),
        (
            ("train/a/1.png", "train/b/1.png", "test/a/1.png", "drafts/1.png"),
            ["test/a/1.png"],
            "drafts/ beside them left out",
        ),
    ],
)
def test_parts_of_their_own_become_the_lockbox(lay, paths, judged, words):
    reading = read(lay(*paths))
    rows = [] if reading.judged is None else reading.judged.rows
    assert [reading.table["path"].values[int(row)].as_py() for row in rows] == judged
    said = () if reading.judged is None else (reading.judged.note,)
    assert words in " ".join((*reading.table.notes, *said))


def test_classes_called_train_and_boat_are_no_parts(lay):
    reading = read(lay("train/1.png", "boat/1.png"))
    assert set(reading.table["label"].values.to_pylist()) == {"train", "boat"}
    assert reading.judged is None


def test_hidden_files_are_passed_over_and_loose_ones_are_said(lay):
    root = lay("cat/1.png", "dog/1.png", "cat/.2.png", ".git/3.png")
    (root / "README.md").write_text("pictures")
    (root / "empty").mkdir()
    table = read(root).table
    assert len(table) == 2
    notes = " ".join(table.notes)
    assert "1 file lies beside the class folders, left out: README.md" in notes
    assert "1 folder without files, left out: empty" in notes


def test_links_in_a_circle_end_and_none_leads_upwards(lay):
    root = lay("photos/cat/1.png", "photos/dog/1.png", "secret/1.png")
    for link, to in (("loop", "."), ("up", "../.."), ("x", "x")):
        os.symlink(to, root / "photos" / "cat" / link)
    found = read_folder(root / "photos").table["path"].to_pylist()
    assert found == ["cat/1.png", "cat/x", "dog/1.png"]  # x leads to itself and cannot be opened


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("1.png", "2.png"), "no folders that name the classes"),
        (("cat/1.png", "cat/2.png"), 'one class alone, "cat"'),
        ((), "no folders"),
    ],
)
def test_a_folder_that_asks_nothing_is_refused_in_words(lay, paths, words):
    with pytest.raises(SourceError, match=words):
        read(lay(*paths))


def test_a_folder_where_nothing_is_a_picture_is_refused(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text("no picture")
    with pytest.raises(SourceError, match=r"no picture can be read: .*1\.txt is no PNG"):
        read(tmp_path)


def test_every_file_that_is_no_picture_is_refused_alone(lay):
    root = lay("cat/1.png", "cat/2.png", "dog/1.png")
    (root / "cat/0.png").write_bytes(b"")
    (root / "dog/9.jpg").write_text("no picture")
    reading = read(root)
    found = [(each.line, each.reason, each.text) for each in reading.rejected]
    assert found == [
        (1, "is empty: 0 bytes", "cat/0.png"),
        (5, "is no PNG, JPEG, WebP, GIF, BMP or TIFF", "dog/9.jpg"),
    ]
    assert reading.rejected_count == 2
    assert reading.table["label"].values.to_pylist() == ["cat", "cat", "dog"]


def test_refused_pictures_do_not_shift_the_lockbox(lay):
    root = lay("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png")
    (root / "train/a/0.png").write_bytes(b"")
    (root / "test/a/2.png").write_bytes(b"")
    reading = read(root)
    paths = [reading.table["path"].values[int(row)].as_py() for row in reading.judged.rows]
    assert paths == ["test/a/1.png", "test/b/1.png"]


def test_the_classes_are_asked_for_unless_another_column_is(lay, passengers_path):
    assert default_target(lay("cat/1.png")) == "label"
    assert default_target(str(passengers_path)) is None
    assert default_target("sqlite:///file.db") is None


def test_an_empty_folder_is_told_apart(tmp_path):
    with pytest.raises(EmptySourceError, match="holds no files"):
        read_folder(tmp_path, need_labels=False)


def test_a_picture_whose_header_lies_is_refused_alone(tmp_path):
    """It can be decoded in colour, but its header, with a resolution of two bytes, not be read."""
    generator = np.random.default_rng(0)
    for number in range(8):
        path = tmp_path / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)

    rows = b"".join(b"\0" + generator.bytes(24) for _ in range(8))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    content = png(header(8, 8), chunk(b"pHYs", b"\0\0"), pixels)
    (tmp_path / "a" / "bad.png").write_bytes(content)
    reading = read(tmp_path)
    assert len(reading.table) == 8
    assert [(each.text, each.reason) for each in reading.rejected] == [
        ("a/bad.png", "has a header that cannot be trusted")
    ]
