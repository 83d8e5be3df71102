"""A raw column → values of one given kind: the conversions, without any decision about kinds.

`infer` decides and then converts with these; a declared kind comes straight here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.errors import ColumnError, KindError
from fathometer.table.date import matches, parse, within_years
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.layout import ISO, LAYOUTS, DateLayout
from fathometer.table.levels import MISSING_WORDS, Levels, find_levels
from fathometer.table.number import far_sentinel, number_name, read_numbers
from fathometer.table.table import Column, iso_strings

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")
ALWAYS_MISSING_IN = (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE)  # words for missing: none is a value
SECONDS_IN = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True, eq=False)
class RawColumn:
    """One column as it was found: its name, and values that are numbers, moments or strings.

    Build it with `raw_column`, which brings every Arrow type to one of these."""

    name: str
    values: pa.Array  # bool, int64, uint64, float64, timestamp or string
    levels: Levels | None = None  # strings only
    decimal_comma_likely: bool = False

    @property
    def is_moment(self) -> bool:
        return bool(pa.types.is_timestamp(self.values.type))


@dataclass(frozen=True, eq=False)
class Converted:
    """Values of a kind, and which rows (bool) held something that is not of it."""

    values: pa.Array
    unread: np.ndarray | None = None
    remarks: tuple[str, ...] = ()
    layout: DateLayout | None = None
    decimal_comma: bool = False
    mark: str = ""
    keeps_zeros: bool = False


def raw_column(
    name: str,
    values: pa.Array | pa.ChunkedArray,
    *,
    decimal_comma_likely: bool = False,
    missing: Sequence[str] | None = None,
) -> RawColumn:
    """Bring a column of any flat Arrow type to one of the few that are told apart here.

    missing: the strings that count as missing, where that is known (see `find_levels`).

    Raises: ColumnError for more text than one Arrow array holds."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        raise ColumnError(
            f'Column "{name}" holds more than 2 GB of text.',
            try_next=f"--ignore {shlex.quote(name)}",
        )
    kind = array.type
    if pa.types.is_dictionary(kind):
        plain = array.dictionary_decode()
        return raw_column(name, plain, decimal_comma_likely=decimal_comma_likely, missing=missing)
    if pa.types.is_null(kind):
        array = array.cast(pa.string())
    elif pa.types.is_date(kind):
        array = array.cast(pa.timestamp("s" if pa.types.is_date32(kind) else "ms"))
    elif pa.types.is_timestamp(kind):
        array = array.cast(pa.timestamp(kind.unit))  # drops the zone; the moment is in UTC already
    elif pa.types.is_time(kind) or pa.types.is_duration(kind):
        ticks = array.cast(pa.int32() if pa.types.is_time32(kind) else pa.int64())
        array = pc.divide(ticks.cast(pa.float64()), float(SECONDS_IN[kind.unit]))
    elif pa.types.is_integer(kind):
        array = array.cast(pa.uint64() if pa.types.is_uint64(kind) else pa.int64())
    elif pa.types.is_floating(kind):
        array = array.cast(pa.float64())
    elif pa.types.is_decimal(kind):
        array = _from_decimals(array)
    elif not pa.types.is_boolean(kind):
        array = array.cast(pa.string())
    levels = find_levels(array, missing) if pa.types.is_string(array.type) else None
    return RawColumn(name, array, levels, decimal_comma_likely)


def _from_decimals(values: pa.Array) -> pa.Array:
    """Decimals as float64; whole ones, which may be keys, so that no digit is lost."""
    if values.type.scale > 0:
        return values.cast(pa.float64())
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        return values.cast(pa.string())


def convert(raw: RawColumn, kind: Kind, layout: DateLayout | None = None) -> Converted:
    """The values as this kind; values that are not of it are null and marked unread.

    layout: how dates are written; without one, the layout that reads most of them."""
    if kind is Kind.NUMBER:
        return to_numbers(raw)
    if kind is Kind.BOOLEAN:
        return to_booleans(raw)
    if kind is Kind.DATE:
        return to_dates(raw, layout)
    return to_levels(raw) if kind is Kind.CATEGORY else Converted(to_strings(raw))


def to_numbers(
    raw: RawColumn, decimal_comma: bool | None = None, mark: str | None = None
) -> Converted:
    """float64; infinite values are null and said. Without `decimal_comma` and `mark` (see
    `read_numbers`) the values decide them."""
    if raw.levels is not None:
        numbers = read_numbers(
            raw.levels.values,
            decimal_comma=decimal_comma,
            decimal_comma_likely=raw.decimal_comma_likely,
            mark=mark,
        )
        known = raw.levels.spread(np.where(numbers.read, numbers.values, np.nan))
        unread = raw.levels.rows_of(~numbers.read)
        made = _finite(known, unread, numbers.remarks)
        return replace(made, decimal_comma=numbers.decimal_comma, mark=numbers.mark)
    if raw.is_moment:
        return Converted(pa.array(seconds(raw.values), from_pandas=True))
    return _finite(raw.values.cast(pa.float64(), safe=False), None, ())


def _finite(values: pa.Array, unread: np.ndarray | None, remarks: tuple[str, ...]) -> Converted:
    numbers = pc.fill_null(values, np.nan).to_numpy(zero_copy_only=False)
    is_infinite = np.isinf(numbers)
    infinite = int(is_infinite.sum())
    if infinite:
        remarks = (*remarks, f"{infinite:,} infinite {_values(infinite)} treated as missing")
        numbers = np.where(is_infinite, np.nan, numbers)
    return Converted(pa.array(numbers, from_pandas=True), unread, remarks)


def _values(count: int) -> str:
    return "value" if count == 1 else "values"


def to_booleans(raw: RawColumn) -> Converted:
    """1.0 for true, yes, 1 and their initials, 0.0 for their opposites, in any case."""
    levels = raw.levels or find_levels(to_strings(raw))
    words = pc.utf8_lower(levels.values)
    true = pc.is_in(words, pa.array(TRUE_WORDS)).to_numpy(zero_copy_only=False)
    false = pc.is_in(words, pa.array(FALSE_WORDS)).to_numpy(zero_copy_only=False)
    values = levels.spread(np.where(true, 1.0, np.where(false, 0.0, np.nan)))
    known = pc.if_else(pc.is_nan(values), None, values)
    return Converted(known, levels.rows_of(~(true | false)))


def to_dates(raw: RawColumn, layout: DateLayout | None = None) -> Converted:
    """Seconds since 1970 UTC."""
    if raw.is_moment:
        values, remarks = _within_years(seconds(raw.values))
        return Converted(pa.array(values, from_pandas=True), remarks=remarks, layout=ISO)
    levels = raw.levels or find_levels(to_strings(raw))
    chosen = layout or choose_layout(raw)
    found = parse(levels.values, chosen) if len(levels.values) else np.zeros(0)
    values = levels.spread(found)
    known = pc.if_else(pc.is_nan(values), None, values)
    return Converted(known, levels.rows_of(np.isnan(found)), layout=chosen)


def _within_years(moments: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Seconds (rows,) with NaN for what no date string of four digits says, and a remark."""
    known = within_years(moments)
    return known, outside_years_said(int((~np.isnan(moments) & np.isnan(known)).sum()))


def outside_years_said(count: int) -> tuple[str, ...]:
    """The remark about so many moments that no date string says; none about none."""
    noun = "moment" if count == 1 else "moments"
    return (f"{count:,} {noun} outside the years 1 to 9999 treated as missing",) if count else ()


def choose_layout(raw: RawColumn, order: str = "") -> DateLayout:
    """The layout that most rows are written in; `order` allows only layouts in that order (for
    "dmy" also those with the month's name)."""
    orders = {"": ("ymd", "dmy", "mdy", "dby"), "dmy": ("dmy", "dby")}.get(order, (order,))
    levels = raw.levels
    if levels is None or not len(levels.values):
        return ISO

    def rows(layout: DateLayout) -> int:
        return int(levels.counts[matches(levels.values, layout)].sum())

    return max((layout for layout in LAYOUTS if layout.order in orders), key=rows)


def to_levels(raw: RawColumn, keeps_zeros: bool | None = None) -> Converted:
    """Strings of a category, see `to_strings`.

    keeps_zeros: whether "3.10" stays beside "3.1", where that is known; else it does where some of
    the values that a point parts are numbers and others, such as "3.8.1", are none."""
    if keeps_zeros is None:
        keeps_zeros = raw.levels is not None and _are_versions(raw.levels.values)
    return Converted(to_strings(raw, plain_numbers=not keeps_zeros), keeps_zeros=keeps_zeros)


def _are_versions(names: pa.Array) -> bool:
    has_fraction = pc.any(pc.match_substring_regex(names, r"^-?\d+\.\d+$")).as_py()
    all_numbers = pc.all(pc.match_substring_regex(names, r"^-?\d+(?:\.\d+)?$")).as_py()
    return bool(has_fraction and not all_numbers)


def to_strings(raw: RawColumn, *, plain_numbers: bool = False) -> pa.Array:
    """Strings, null where missing. 3.0 becomes "3", so that a category is the same from a text file
    and from a frame; with `plain_numbers` also where it is written "3.0" or "3.50"."""
    if raw.levels is not None:
        names = raw.levels.values
        return raw.levels.spread(_plain(names) if plain_numbers else names)
    if raw.is_moment:
        return pa.array([text or None for text in iso_strings(seconds(raw.values))], pa.string())
    if pa.types.is_floating(raw.values.type):
        coded = pc.dictionary_encode(pc.if_else(pc.is_finite(raw.values), raw.values, None))
        names = [number_name(value) for value in coded.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(coded.indices)
    return raw.values.cast(pa.string())


def _plain(names: pa.Array) -> pa.Array:
    """Zeros after the last other digit of a decimal fraction, and then its point, dropped."""
    fraction = pc.match_substring_regex(names, r"^-?\d+\.\d+$")
    trimmed = pc.utf8_rtrim(pc.utf8_rtrim(names, "0"), ".")
    return pc.if_else(fraction, trimmed, names)


def seconds(moments: pa.Array) -> np.ndarray:
    """Timestamps (rows,) → seconds since 1970 (float64), NaN where missing."""
    ticks = moments.cast(pa.int64())
    numbers = pc.divide(ticks.cast(pa.float64(), safe=False), float(SECONDS_IN[moments.type.unit]))
    return np.asarray(pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False))


def find_sentinel(values: pa.Array) -> tuple[str, ...]:
    """The number that clearly stands for missing among these, or none, as `ColumnSpec.missing`."""
    found = far_sentinel(values.drop_null().to_numpy(zero_copy_only=False))
    return () if found is None else (f"{found[0]:g}",)


def without_sentinels(values: pa.Array, missing: Sequence[str]) -> tuple[pa.Array, tuple[str, ...]]:
    """Numbers without those that stand for missing, and a remark about each."""
    remarks = []
    for word in missing:
        is_sentinel = pc.equal(values, float(word))
        count = pc.sum(is_sentinel).as_py()
        if count:
            values = pc.if_else(is_sentinel, None, values)
            remarks.append(f"{word} in {count:,} rows stands for a missing value")
    return values, tuple(remarks)


def missing_words(raw: RawColumn, kind: Kind) -> tuple[str, ...]:
    """The words that counted as missing, as `ColumnSpec.missing`.

    Where numbers or dates are expected, no word could be a value; only strings must know them."""
    if raw.levels is None or kind in ALWAYS_MISSING_IN:
        return ()
    return tuple(sorted(raw.levels.missing_words))


def declared_column(
    raw: RawColumn, kind: Kind, layout: DateLayout | None = None
) -> tuple[Column, tuple[str, ...]]:
    """The column as the user declared it, and what to note.

    Raises: KindError for the first value that is not of that kind."""
    made = convert(raw, kind, layout)
    unread = made.unread if made.unread is not None else np.zeros(0, dtype=bool)
    if unread.any():
        raise _does_not_fit(raw, kind, unread, layout)
    spec = ColumnSpec(
        raw.name,
        kind,
        made.layout if kind is Kind.DATE else None,
        missing_words(raw, kind),
        made.decimal_comma,
        mark=made.mark,
        keeps_zeros=made.keeps_zeros,
    )
    notes = tuple(f"column {raw.name}: {remark}" for remark in lost_words(made))
    reason = "; ".join(("declared", *made.remarks))
    return Column(spec, made.values, reason), notes


def lost_words(made: Converted) -> tuple[str, ...]:
    """What the remarks say of values that became missing."""
    return tuple(remark for remark in made.remarks if "treated as missing" in remark)


def _does_not_fit(
    raw: RawColumn, kind: Kind, unread: np.ndarray, layout: DateLayout | None
) -> KindError:
    text, row = first_unread(raw, unread)
    written = f" written like {layout.example}" if layout else ""
    return KindError(
        f'Column "{raw.name}" was declared {kind.value}, but {int(unread.sum()):,} of '
        f'{len(raw.values):,} values are not{written}; the first is "{text}" in row {row:,}.',
        details="rows are counted from 1, without the line of names and those that were refused; "
        "mend the value, or declare another kind",
        try_next=f"--kind {shlex.quote(raw.name)}=category",
    )


def first_unread(raw: RawColumn, unread: np.ndarray) -> tuple[str, int]:
    """The first value that was not read, shortened, and its row from 1."""
    row = int(np.flatnonzero(unread)[0])
    return str(raw.values[row].as_py())[:60], row + 1


def raw_column_for(spec: ColumnSpec, values: pa.Array | pa.ChunkedArray) -> RawColumn:
    """A column that is to be what `spec` says, without the words that it counts as missing."""
    words = MISSING_WORDS if spec.kind in ALWAYS_MISSING_IN else spec.missing
    return raw_column(spec.name, values, missing=words)


def column_as(raw: RawColumn, spec: ColumnSpec) -> tuple[Column, tuple[str, ...]]:
    """The column with exactly this kind, written as the spec says; values that are not of it become
    missing, which is noted with their number.

    Nothing is decided on these values, so that one row is read as it would be among many."""
    if spec.kind is Kind.NUMBER:
        made = to_numbers(raw, spec.decimal_comma, spec.mark)
    elif spec.kind is Kind.CATEGORY:
        made = to_levels(raw, spec.keeps_zeros)
    else:
        made = convert(raw, spec.kind, spec.layout)
    notes = [f"column {spec.name}: {remark}" for remark in lost_words(made)]
    if made.unread is not None and made.unread.any():
        count, (text, row) = int(made.unread.sum()), first_unread(raw, made.unread)
        plural = {Kind.NUMBER: "numbers", Kind.DATE: "dates", Kind.BOOLEAN: "true or false"}
        notes.append(
            f"column {spec.name}: {count:,} {_values(count)} {'is' if count == 1 else 'are'} not "
            f'{plural[spec.kind]}, first "{text}" in row {row:,}: treated as missing'
        )
    if spec.kind is Kind.NUMBER:
        values, remarks = without_sentinels(made.values, spec.missing)
        made = replace(made, values=values)
        notes += [f"column {spec.name}: {remark}" for remark in remarks]
    return Column(spec, made.values, "as in the model"), tuple(notes)
