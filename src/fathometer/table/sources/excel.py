"""Excel and OpenDocument workbooks, read by python-calamine: the first sheet, or the one named."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa

from fathometer.errors import EmptySourceError, MissingPackageError, SourceError
from fathometer.table.sources.far_cells import refuse_far_cells
from fathometer.table.sources.raw import Raw

Cell = object
MOMENTS = (datetime.date, datetime.datetime)


def read_excel(path: Path, sheet: str | None = None) -> Raw:
    """Read one sheet, whose first row that is not empty holds the names.

    Raises: SourceError for a broken workbook or a sheet that is not there; EmptySourceError for an
    empty sheet; MissingPackageError without python-calamine."""
    try:
        import python_calamine
    except ImportError as error:
        raise MissingPackageError(
            f"{path.name} is a workbook; reading it needs python-calamine.",
            try_next="pip install python-calamine",
        ) from error
    try:
        refuse_far_cells(path)
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = list(book.sheet_names)
        chosen = names[0] if sheet is None and names else sheet
        if chosen not in names:
            raise SourceError(
                f'{path.name} has no sheet "{chosen or ""}".',
                details=f"sheets: {', '.join(names)}; {path.name}#NAME picks one",
            )
        cells = book.get_sheet_by_name(chosen).to_python()
    except (python_calamine.CalamineError, OSError) as error:
        raise SourceError(f"{path.name} is not a readable workbook: {error}") from error
    rows = [row for row in cells if any(map(_filled, row))]
    if len(rows) < 2:
        raise EmptySourceError(f'{path.name}: sheet "{chosen}" has no rows below its names.')
    notes: tuple[str, ...] = ()
    if sheet is None and len(names) > 1:
        others = ", ".join(names[1:6]) + (", …" if len(names) > 6 else "")
        notes = (f'sheet "{chosen}" of {len(names)} was read ({path.name}#NAME picks: {others})',)
    how = f'Excel, sheet "{chosen}"'
    return Raw(_table(rows), how, path.stat().st_size, notes)


def _filled(cell: Cell) -> bool:
    return cell is not None and cell != ""


def _table(rows: list[list[Cell]]) -> pa.Table:
    header = ["" if cell is None else _text(cell) for cell in rows[0]]
    columns = [_column(list(cells)) for cells in zip(*rows[1:], strict=True)]
    kept = [
        place
        for place, name in enumerate(header)
        if name or columns[place].null_count < len(rows) - 1
    ]
    return pa.Table.from_arrays([columns[p] for p in kept], names=[header[p] for p in kept])


def _column(cells: list[Cell]) -> pa.Array:
    """Numbers, booleans or moments where all filled cells are such; otherwise strings."""
    values = [cell if _filled(cell) else None for cell in cells]
    filled = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in filled):
        return pa.array(values, pa.bool_())
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in filled):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())  # type: ignore[arg-type]
    if all(isinstance(value, MOMENTS) for value in filled):
        return pa.array([_moment(value) for value in values], pa.timestamp("us"))
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _moment(cell: Cell) -> datetime.datetime | None:
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        return datetime.datetime.combine(cell, datetime.time())
    return cell if isinstance(cell, datetime.datetime) else None


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a sheet has no whole numbers: 3 is kept as 3.0
    return str(cell)
