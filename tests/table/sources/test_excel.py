"""Workbooks that are broken, or larger than any memory, are refused in words."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from fathometer.errors import SourceError
from fathometer.table.read import read
from fathometer.table.sources.far_cells import CHUNK, refuse_far_cells

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
NAME = '<c r="A1" t="inlineStr"><is><t>a</t></is></c>'


@pytest.fixture
def book(tmp_path: Path):
    """Makes a workbook whose one sheet is as given; None for a workbook without it."""
    whole = openpyxl.Workbook()
    whole.active.append(["a"])
    whole.save(tmp_path / "whole.xlsx")

    def make(rows: str | None) -> Path:
        path = tmp_path / "made.xlsx"
        with zipfile.ZipFile(tmp_path / "whole.xlsx") as old, zipfile.ZipFile(path, "w") as new:
            for part in old.namelist():
                is_sheet = part == "xl/worksheets/sheet1.xml"
                if not is_sheet:
                    new.writestr(part, old.read(part))
                elif rows is not None:
                    start = f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>'
                    new.writestr(part, start + rows)
        return path

    return make


END = "</sheetData></worksheet>"


@pytest.mark.parametrize(
    "rows",
    [
        f'<row r="1">{NAME}</row><row r="2"><c r="A2"><v>1</v>',
        None,
        f'<row r="1">{NAME}</row><row r="2"><c r="A2" t="s"><v>99</v></c></row>{END}',
    ],
    ids=["cut", "absent", "unknown string"],
)
def test_a_broken_sheet_is_refused(book, rows) -> None:
    with pytest.raises(SourceError, match="not a readable workbook"):
        read(book(rows))


@pytest.mark.parametrize(
    "far",
    [
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>',
        '<row r="3"><c s="1"  r = "xfd1048576" ><v>2</v></c></row>',
        '<row r="3"><c r="AAAAAAAA3"><v>2</v></c></row><row r="9"/>',
        '<row r="3"><c r="XFD1048576" q="/>"><v>2</v></c></row>',
        '<row r="90000"><c r="A90000"><v>1</v></c></row><row>'
        + "<c><v>1</v></c>" * 2000
        + "</row>",
    ],
)
def test_a_stray_cell_far_away_is_refused_before_memory_is_taken(book, far) -> None:
    near = f'<row r="1">{NAME}</row><row r="2"><c r="A2"><v>1</v></c></row>'
    with pytest.raises(SourceError, match="cells span"):
        refuse_far_cells(book(near + far + END))


def test_cells_that_hold_nothing_span_nothing(book) -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n % 7}</v></c></row>' for n in range(2, 50))
    far = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    found = read(book(f'<row r="1">{NAME}</row>{rows}{far}{END}')).table
    assert len(found) == 48


def test_a_cell_is_found_wherever_its_name_is_cut(book) -> None:
    """Names may lie across the stretches that are unpacked at once."""
    far = '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    for place in range(CHUNK - 350, CHUNK, 9):
        filler = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{"x" * place}</t></is></c></row>'
        with pytest.raises(SourceError, match="cells span"):
            refuse_far_cells(book(filler + far))
