"""Columns of pictures in tables: found by their values, read at one size, refused one by one."""

import io
import shutil

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fathometer.errors import ColumnError, FathometerError, KindError, OptionError, TaskError
from fathometer.table.ask import ask
from fathometer.table.kind import Kind, PictureSize
from fathometer.table.read import read, read_as, rejected_as_csv
from fathometer.table.together import row_codes


def png(height=6, width=7, value=None, channels=3):
    generator = np.random.default_rng(value)
    shape = (height, width, channels)[: 2 + (channels > 1)]
    pixels = generator.integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def contents():
    return [png(value=value) for value in range(4)]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_bytes_that_begin_as_pictures_do_are_pictures(contents, kind):
    table = read(pa.table({"photo": pa.array(contents, kind), "y": [1.0, 2.0, 3.0, 4.0]})).table
    assert table["photo"].kind is Kind.IMAGE
    assert table["photo"].spec.picture == PictureSize(6, 7, 3)
    wanted = np.asarray(Image.open(io.BytesIO(contents[2])))
    np.testing.assert_array_equal(table["photo"].pixels[2], wanted)
    assert table["photo"].reason == "PNG of 6 × 7 pixels, in colour; learned at 6 × 7"


def test_every_frame_gives_the_same_pictures(contents, tmp_path):
    rows = {"photo": contents, "y": [1.0, 2.0, 3.0, 4.0]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    stored = [{"bytes": content, "path": None} for content in contents]
    found = [
        read(source).table["photo"].pixels
        for source in (
            rows,
            pd.DataFrame(rows),
            pl.DataFrame(rows),
            tmp_path / "t.parquet",
            pa.table({"photo": stored, "y": rows["y"]}),
        )
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_other_bytes_are_left_out_and_said():
    table = read({"raw": [b"\0\1", b"\2\3"], "y": [1.0, 2.0]}).table
    assert "raw" not in table
    assert "left out, being lists, objects or bytes: raw" in " ".join(table.notes)


@pytest.fixture
def albums(tmp_path, contents):
    """A CSV beside a folder of pictures, one of them broken, one absent and one not named."""
    (tmp_path / "photos").mkdir()
    for number, content in enumerate(contents):
        (tmp_path / "photos" / f"{number}.png").write_bytes(content)
    (tmp_path / "photos" / "4.png").write_bytes(contents[0][:30])
    lines = [f"photos/{number}.png,{number * 1.5}" for number in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["photo,price", *lines, ",9.5"]) + "\n")
    return tmp_path / "t.csv"


def test_paths_are_found_beside_the_table_and_broken_ones_refused(albums):
    reading = read(albums)
    assert [column.kind for column in reading.table] == [Kind.IMAGE, Kind.NUMBER]
    assert reading.table["price"].numbers.tolist() == [0.0, 1.5, 3.0, 4.5, 9.5]
    assert reading.table["photo"].missing == 1
    assert not reading.table["photo"].pixels[4].any()
    assert [each.line for each in reading.rejected] == [5, 6]
    lines = rejected_as_csv(reading.rejected).splitlines()
    assert lines[0] == "line,reason,text"
    assert lines[1].startswith("5,cannot be decoded")
    assert lines[1].endswith("photos/4.png")
    assert lines[2] == "6,cannot be opened: no such file or directory,photos/5.png"


def test_asked_again_a_table_keeps_its_rows(albums):
    specs = [column.spec for column in read(albums).table]
    table = read_as(albums, specs).table
    assert len(table) == 7
    assert table["photo"].missing == 3
    assert "2 pictures cannot be read, the first in row 5" in " ".join(table.notes)


def test_names_of_pictures_that_are_not_there_are_said(tmp_path):
    lines = [f"{number}.jpg,{number}" for number in range(9)]
    (tmp_path / "t.csv").write_text("\n".join(["photo,y", *lines]))
    table = read(tmp_path / "t.csv").table
    assert table["photo"].kind is not Kind.IMAGE
    assert "column photo names pictures, but they do not lie in" in " ".join(table.notes)


def test_texts_without_files_cost_no_look_at_the_disk(passengers_path, monkeypatch):
    import os

    monkeypatch.setattr(os.path, "isfile", lambda path: pytest.fail(f"looked for {path}"))
    assert Kind.IMAGE not in {column.kind for column in read(passengers_path).table}


@pytest.mark.parametrize(
    ("sides", "wanted"),
    [
        ([(6, 7)] * 3, (6, 7)),
        ([(200, 100)] * 3, (96, 48)),
        ([(100, 200), (50, 100), (60, 90)], (48, 96)),
        ([(10, 20), (30, 60), (5, 5)], (10, 20)),
    ],
)
def test_the_size_is_the_pictures_own_or_the_median_of_the_longer_sides(sides, wanted):
    contents = [png(*each, value=1) for each in sides]
    size = read({"photo": contents}).table["photo"].spec.size
    assert (size.height, size.width) == wanted


def test_one_picture_unlike_a_thousand_others_is_noticed():
    contents = [png(5, 5, channels=1)] * 2400
    contents[1201] = png(5, 5)  # colours, where a thousand headers said gray
    assert read({"photo": contents}).table["photo"].spec.picture == PictureSize(5, 5, 3)
    contents[1201] = png(9, 9, channels=1)
    column = read({"photo": contents}).table["photo"]
    assert column.spec.picture == PictureSize(5, 5, 1)
    assert column.reason.startswith("PNG of 5 to 9 × 5 to 9 pixels, gray")


def test_a_declared_size_is_kept(contents):
    column = read({"photo": contents}, kinds={"photo": "image:12x10"}).table["photo"]
    assert column.spec.picture == PictureSize(12, 10, 3)


@pytest.mark.parametrize(
    ("declared", "error"),
    [
        ("image:0x5", OptionError),
        ("image:5", OptionError),
        ("image:9999x5", OptionError),
        ("imagine", KindError),
        ("category", KindError),
    ],
)
def test_a_size_that_is_none_is_refused(contents, declared, error):
    with pytest.raises(error, match="photo"):
        read({"photo": contents}, kinds={"photo": declared})


def test_a_column_without_pictures_cannot_be_declared_one():
    with pytest.raises(KindError, match="takes pictures"):
        read({"photo": [1.0, 2.0]}, kinds={"photo": "image"})
    with pytest.raises(KindError, match="no picture can be read"):
        read({"photo": ["a", "b"]}, kinds={"photo": "image"})


def test_pictures_are_not_predicted(contents):
    table = read({"photo": contents, "y": [1.0, 2.0, 3.0, 4.0]}).table
    with pytest.raises(TaskError, match="pictures are not predicted"):
        ask(table, "photo")


def test_equal_pictures_are_equal_rows(contents):
    rows = {"photo": [*contents, contents[1]], "y": ["a", "b", "a", "b", "a"]}
    table = read(rows).table
    codes = row_codes(table, ask(table, "y"))
    assert codes[1] == codes[4]
    assert len(set(codes.tolist())) == 4


def test_the_content_hash_sees_one_pixel(contents):
    table = read({"photo": contents}).table
    assert table.content_hash == read({"photo": contents}).table.content_hash
    pixels = np.array(Image.open(io.BytesIO(contents[3])))
    pixels[5, 6, 2] ^= 1
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    other = read({"photo": [*contents[:3], file.getvalue()]}).table
    assert other.content_hash != table.content_hash


def test_absent_picture_columns_are_named(contents, albums):
    specs = [column.spec for column in read({"face": contents}).table]
    with pytest.raises(ColumnError, match='no column "face"'):
        read_as(albums, specs)
    with pytest.raises(FathometerError, match="takes pictures, but holds"):
        read_as({"face": [1, 2]}, specs)


def test_a_list_of_files_is_read_for_a_model(albums, contents):
    specs = [column.spec for column in read({"face": contents}).table]
    folder = albums.parent / "photos"
    reading = read_as([str(folder / "1.png"), folder / "4.png", folder / "0.png"], specs)
    assert [each.text for each in reading.rejected] == [str(folder / "4.png")]
    assert reading.files.to_pylist() == [str(folder / "1.png"), str(folder / "0.png")]
    assert len(read_as(folder, specs).table) == 4


def test_a_class_of_which_nothing_can_be_read_is_named(striped_folder, tmp_path):
    shutil.copytree(striped_folder, tmp_path / "photos")
    for number in range(3):
        path = tmp_path / "photos" / "lost" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"broken")
    found = read(tmp_path / "photos")
    assert "none of the 3 pictures of class lost can be read: the class is left out" in (
        found.table.notes
    )
    assert found.rejected_count == 3


def test_a_row_of_two_broken_pictures_is_one_row(contents):
    rows = {"one": [*contents, b"broken"], "other": [*contents, b"broken"], "y": [1.0] * 5}
    found = read(rows, kinds={"one": "image", "other": "image"})
    assert found.rejected_count == len(found.rejected) == 1
    assert len(found.table) == 4


def test_where_pictures_lie_is_kept_for_who_asks(contents, tmp_path):
    for place, content in enumerate([*contents[:3], b"broken"]):
        (tmp_path / f"{place}.png").write_bytes(content)
    names = ["2.png", None, "3.png", "0.png"]
    pq.write_table(pa.table({"photo": names, "y": [1.0, 2.0, 3.0, 4.0]}), tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", keep_origins=True).table
    wanted = [str(tmp_path / "2.png"), None, str(tmp_path / "0.png")]
    assert found["photo"].origins.tolist() == wanted  # the broken one has no row
    assert found.rows(np.array([2, 0]))["photo"].origins.tolist() == [wanted[2], wanted[0]]
    stored = read({"photo": contents, "y": [1, 2, 3, 4]}, keep_origins=True).table
    assert stored["photo"].origins.tolist() == contents
    assert read(tmp_path / "t.parquet").table["photo"].origins is None
    specs = [column.spec for column in found]
    again = read_as(tmp_path / "t.parquet", specs, keep_origins=True).table
    assert again["photo"].origins.tolist() == [*wanted[:2], None, wanted[2]]
