"""Delimited text of many dialects and encodings: read right, or refused with a line number."""

from __future__ import annotations

import gzip
import resource
from pathlib import Path

import pandas
import pyarrow as pa
import pytest

from fathometer.errors import ColumnError, EmptySourceError, EncodingError, OptionError, SourceError
from fathometer.table.read import Reading, read


def write(tmp_path: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def columns(reading: Reading) -> dict[str, list[object]]:
    return {column.name: column.values.to_pylist() for column in reading.table}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_each_delimiter_is_found(tmp_path: Path, mark: str) -> None:
    lines = ["size,colour,price", "1,red,3.5", "2,blue,4.5", "1,red,1.5"]
    reading = read(write(tmp_path, "\n".join(lines).replace(",", mark) + "\n"))
    assert columns(reading) == {
        "size": [1, 2, 1],
        "colour": ["red", "blue", "red"],
        "price": [3.5, 4.5, 1.5],
    }
    assert reading.rejected_count == 0


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "byte order mark"),
        ("cp1252", "Windows-1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
def test_each_encoding_gives_the_same_table(tmp_path: Path, encoding: str, said: str) -> None:
    text = "straße,größe\nKöln,1\nMünchen,2\nKöln,2\n"
    reading = read(write(tmp_path, text.encode(encoding)))
    assert columns(reading) == {"straße": ["Köln", "München", "Köln"], "größe": [1, 2, 2]}
    assert said in reading.how


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compression_is_known_by_its_first_bytes_not_by_the_name(
    tmp_path: Path, compression: str
) -> None:
    content = b"a,b\n1,x\n2,y\n2,y\n"
    packed = gzip.compress(content) if compression == "gzip" else pack_zstd(content)
    reading = read(write(tmp_path, packed))
    assert columns(reading)["b"] == ["x", "y", "y"]
    assert compression in reading.how


def pack_zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


@pytest.mark.parametrize("suffix", ["parquet", "xlsx"])
def test_what_is_no_text_is_refused_within_gzip(tmp_path: Path, suffix: str) -> None:
    frame = pandas.DataFrame({"size": range(20)})
    (frame.to_parquet if suffix == "parquet" else frame.to_excel)(tmp_path / f"rows.{suffix}")
    packed = gzip.compress((tmp_path / f"rows.{suffix}").read_bytes())
    with pytest.raises(SourceError, match="only text and JSON are read compressed") as caught:
        read(write(tmp_path, packed, f"rows.{suffix}.gz"))
    assert caught.value.try_next.startswith("gzip -dk ")


def test_json_may_be_compressed(tmp_path: Path) -> None:
    packed = gzip.compress(b'[{"size": 1}, {"size": 2}]')
    assert len(read(write(tmp_path, packed, "rows.json.gz")).table) == 2


def test_cut_off_gzip_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    with pytest.raises(SourceError, match="gzip"):
        read(write(tmp_path, packed[: len(packed) // 2], "rows.csv.gz"))


def test_a_wrong_encoding_is_refused_with_byte_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "town,n\nBonn,1\nKöln,2\n".encode("cp1252"))
    with pytest.raises(EncodingError, match=r"byte 16 \(line 3\) is 0xf6") as caught:
        read(path, encoding="utf-8")
    assert caught.value.try_next == "--encoding cp1252"


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="klingon"):
        read(write(tmp_path, "a,b\n1,2\n"), encoding="klingon")


@pytest.mark.parametrize("encoding", ["rot13", "base64", "hex", "undefined", "a\0b"])
def test_codecs_that_are_of_no_text_are_refused(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n3,5\n")
    with pytest.raises(OptionError, match="no encoding of text"):
        read(path, encoding=encoding)


@pytest.mark.parametrize("packed", [True, False])
def test_a_full_disk_is_told_from_broken_content(packed: bool, tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,\xe9\n" * 50_000
    path = write(tmp_path, gzip.compress(content) if packed else content)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, usual[1]))
    try:
        with pytest.raises(SourceError, match="does not take it: File too large"):
            read(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_lines_with_too_many_or_too_few_fields_are_set_aside(tmp_path: Path) -> None:
    reading = read(write(tmp_path, "a,b,c\n1,x,3\n4,y\n6,x,8,9\n7,y,9\n"))
    assert columns(reading) == {"a": [1, 7], "b": ["x", "y"], "c": [3, 9]}
    assert [(each.line, each.text) for each in reading.rejected] == [(3, "4,y"), (4, "6,x,8,9")]
    assert "2 fields where 3" in reading.rejected[0].reason
    assert "more than 3" in reading.rejected[1].reason


def test_the_line_number_counts_lines_inside_quotes(tmp_path: Path) -> None:
    reading = read(write(tmp_path, 'a,b\n1,"x\ny\nz"\n2\n3,x\n'))
    assert [each.line for each in reading.rejected] == [5]
    assert columns(reading)["b"] == ["x\ny\nz", "x"]


def test_a_quote_that_is_never_closed_is_rejected(tmp_path: Path) -> None:
    reading = read(write(tmp_path, 'a,b\n1,x\n2,y\n3,"oops\n4,x\n5,y\n'))
    assert columns(reading)["a"] == [1, 2]
    assert "never closed takes in 3 lines" in reading.rejected[0].reason


def test_quotes_escaped_by_a_backslash_are_read(tmp_path: Path) -> None:
    reading = read(write(tmp_path, 'a,b\n1,"say \\"hi\\", ok"\n2,x\n'))
    assert columns(reading)["b"] == ['say "hi", ok', "x"]


@pytest.mark.parametrize("text", ["a,b,\n1,x,\n2,y,\n", "a,b\n1,x,\n2,y,\n"])
def test_a_delimiter_at_the_end_of_lines_adds_no_column(tmp_path: Path, text: str) -> None:
    reading = read(write(tmp_path, text))
    assert columns(reading) == {"a": [1, 2], "b": ["x", "y"]}
    assert any("ends in a delimiter" in note for note in reading.table.notes)


def test_decimal_commas_are_numbers_and_said(tmp_path: Path) -> None:
    reading = read(write(tmp_path, "price;n\n1,5;1\n2.000,25;2\n3;2\n"))
    assert columns(reading)["price"] == [1.5, 2000.25, 3.0]
    assert reading.how == "CSV, UTF-8, semicolon separated, decimal comma"


def test_blanks_around_values_are_dropped(tmp_path: Path) -> None:
    reading = read(write(tmp_path, 'a, b, c\n1, red, 3 \n2, "x, y",  4\n2, red , 5\n'))
    assert columns(reading) == {"a": [1, 2, 2], "b": ["red", "x, y", "red"], "c": [3, 4, 5]}


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_sort_of_line_end_is_read(tmp_path: Path, ends: str) -> None:
    reading = read(write(tmp_path, ends.join(["a,b", "1,x", "2,y", ""])))
    assert columns(reading) == {"a": [1, 2], "b": ["x", "y"]}


def test_mixed_line_ends_are_read(tmp_path: Path) -> None:
    reading = read(write(tmp_path, 'a,b\r\n1,x\n2,y\r\n3,"x\ny"\n'))
    assert columns(reading) == {"a": [1, 2, 3], "b": ["x", "y", "x\ny"]}


def test_nul_characters_are_left_out_and_counted(tmp_path: Path) -> None:
    reading = read(write(tmp_path, b"a,b\n1,x\x00\n2,y\n3,x\n"))
    assert columns(reading)["b"] == ["x", "y", "x"]
    assert "NUL characters were left out: 1" in reading.table.notes


def test_a_first_line_of_numbers_is_a_row(tmp_path: Path) -> None:
    reading = read(write(tmp_path, "5.1,3.5\n4.9,3.0\n4.7,3.2\n"))
    assert columns(reading) == {"column_1": [5.1, 4.9, 4.7], "column_2": [3.5, 3.0, 3.2]}
    assert any("column_1 to column_2" in note for note in reading.table.notes)


def test_a_first_line_whose_words_come_again_is_a_row(tmp_path: Path) -> None:
    reading = read(write(tmp_path, "5.1,setosa\n4.9,setosa\n4.7,virginica\n"))
    assert columns(reading)["column_2"] == ["setosa", "setosa", "virginica"]


def test_doubled_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="more than one column called 'a'"):
        read(write(tmp_path, "a,b,a\n1,2,3\n"))


def test_a_column_without_a_name_gets_one(tmp_path: Path) -> None:
    reading = read(write(tmp_path, "a,b,\n1,x,5\n2,y,6\n"))
    assert list(columns(reading)) == ["a", "b", "column_3"]
    assert any("column_3" in note for note in reading.table.notes)


def test_row_names_without_a_header_become_a_column(tmp_path: Path) -> None:
    reading = read(write(tmp_path, "a,b\nr1,1,2\nr2,3,4\n"))
    assert columns(reading) == {"column_1": ["r1", "r2"], "a": [1, 3], "b": [2, 4]}


def test_strange_names_are_kept(tmp_path: Path) -> None:
    names = ["a, b", "c:d", "[e]", "{f}", "größe in m²", "g'h", "naïve name"]
    header = ",".join(f'"{name}"' for name in names)
    reading = read(write(tmp_path, f"{header}\n1,2,3,4,5,6,7\n2,3,4,5,6,7,8\n"))
    assert list(columns(reading)) == names


def test_a_title_above_the_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="fields in its first line and 4"):
        read(write(tmp_path, "Report, 2020\na,b,c,d\n1,2,3,4\n2,3,4,5\n"))


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n", "a,b\n,\n,\n"])
def test_a_file_without_values_is_empty(tmp_path: Path, text: str) -> None:
    with pytest.raises(EmptySourceError):
        read(write(tmp_path, text))


def test_a_single_column_keeps_its_commas(tmp_path: Path) -> None:
    assert columns(read(write(tmp_path, "price\n1,5\n2,5\n")))["price"] == [1.5, 2.5]


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    assert columns(read(write(tmp_path, "\n\na,b\n1,x\n\n2,y\n\n"))) == {
        "a": [1, 2],
        "b": ["x", "y"],
    }


@pytest.mark.parametrize("name", ["ro[ws]*?.csv", "naïve name.csv", "it's.csv", "rows.data"])
def test_the_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert len(read(write(tmp_path, "a,b\n1,x\n2,y\n", name)).table) == 2


def test_text_with_commas_in_a_tab_separated_file_stays_whole(tmp_path: Path) -> None:
    text = "label\tsaid\n" + "ham\tHello, you; how are you\nspam\tWIN, now, or, never\n" * 5
    assert columns(read(write(tmp_path, text)))["said"][1] == "WIN, now, or, never"


def test_the_line_in_which_excel_names_the_delimiter_is_no_row(tmp_path: Path) -> None:
    assert columns(read(write(tmp_path, "sep=;\na;b\n1;x\n2;y\n"))) == {
        "a": [1, 2],
        "b": ["x", "y"],
    }


def test_a_comment_above_the_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="1 fields in its first line and 2"):
        read(write(tmp_path, "# measured in May\na,b\n1,x\n2,y\n"))


def test_utf_16_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="UTF-16"):
        read(write(tmp_path, "a,b\n1,x\n2,y\n"), encoding="utf-16")
