"""What a raw column is: its `Kind`, with the evidence in words.

Each test in `TESTS` looks at a column and either decides or passes on; the first that decides wins.
A test sees the different values of a column, so that half a million rows cost what their few
hundred values cost."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fathometer.table.date import matches
from fathometer.table.declare import (
    Converted,
    RawColumn,
    convert,
    find_sentinel,
    first_unread,
    lost_words,
    missing_words,
    outside_years_said,
    to_levels,
    to_numbers,
    to_strings,
    without_sentinels,
)
from fathometer.table.kind import ColumnSpec, Kind
from fathometer.table.layout import ISO, LAYOUTS, DateLayout
from fathometer.table.levels import Levels
from fathometer.table.number import EXACT
from fathometer.table.spoken import words_in
from fathometer.table.table import Column, iso_strings
from fathometer.wording import counted

SAMPLE = 5_000  # different values looked at where all would cost too much
ALMOST = 0.9  # share of values that makes the others worth a note
FEW = 200  # different values for a first look
FIRST = 1_000  # rows looked at before all: most columns repeat a value among them
FEW_ROWS = 30  # below it, values that all differ may do so by chance
# Thresholds between category, text and identifier. Set by judgement, not tuned: the kinds they give
# on public tables were read through, and no other values were tried.
IDENTIFIER_SHARE = 0.7
TEXT_WORDS = 3.0
TEXT_SHARE = 0.5
LONG_CHARACTERS = 40.0
FEW_LEVELS = 30
NEW_WORDS = 0.5
CODE_WIDTH = 3  # "007" is a code, "07" may be a month
ID_WORDS = {"id", "ids", "index", "idx", "instant", "key", "uuid", "guid"}
LAST_ID_WORDS = {"no", "nr"}  # elsewhere they are a negation or a number of something
# What has keys: of these alone "id" is written without a sign between ("userid", not "paid").
KEYED = """
account application article book building campaign case client company contact course customer
department device document driver employee encounter event game group guest hotel house household
image invoice item job listing loan location machine match member message movie object order page
parent participant passenger patient payment person photo player post product project property query
question record region report request respondent row sample school seller sensor series session shop
site song station store student subject task team test ticket track transaction trip unit user
vehicle vendor video visit visitor
"""
MEASURED_WORDS = {"year", "date", "time", "day", "month", "hour", "week", "age", "step"}


@dataclass(frozen=True, eq=False)
class Decision:
    """A kind, its values and the reason; `notes` go to the table."""

    kind: Kind
    values: pa.Array
    reason: str
    layout: DateLayout | None = None
    notes: tuple[str, ...] = ()
    sentinels: tuple[str, ...] = ()  # numbers only
    decimal_comma: bool = False
    mark: str = ""  # numbers only
    keeps_zeros: bool = False  # categories only


def infer(raw: RawColumn) -> tuple[Column, tuple[str, ...]]:
    """The column with the kind that its values speak for, and what to note about it."""
    for test in TESTS:
        decision = test(raw)
        if decision is not None:
            break
    else:
        decision = _words(raw)
    reason = "; ".join(filter(None, (decision.reason, _missing_said(raw))))
    spec = ColumnSpec(
        raw.name,
        decision.kind,
        decision.layout,
        decision.sentinels or missing_words(raw, decision.kind),
        decision.decimal_comma,
        mark=decision.mark,
        keeps_zeros=decision.keeps_zeros,
    )
    column = Column(spec, decision.values, reason)
    return column, tuple(f"column {raw.name}: {note}" for note in decision.notes)


def _missing_said(raw: RawColumn) -> str:
    words = raw.levels.missing_words if raw.levels else {}
    listed = ", ".join(f'{count:,} × "{word}"' for word, count in words.items())
    return f"{listed} counted as missing" if listed else ""


def _constant(raw: RawColumn) -> Decision | None:
    """One value or none."""
    if raw.levels is None and len(_different(raw.values.slice(0, FIRST))) > 1:
        return None
    values = raw.levels.values if raw.levels else _different(raw.values)
    if len(values) > 1:
        return None
    strings = to_strings(raw)
    if not len(values):
        return Decision(Kind.CONSTANT, strings, "no values: ignored")
    shown = next(text for text in strings.to_pylist() if text is not None)
    gaps = "" if not strings.null_count else " where it is not missing"
    return Decision(Kind.CONSTANT, strings, f'always "{shown[:40]}"{gaps}: ignored')


def _different(values: pa.Array) -> pa.Array:
    known = pc.unique(values).drop_null()
    return known.filter(pc.is_finite(known)) if pa.types.is_floating(known.type) else known


def _boolean(raw: RawColumn) -> Decision | None:
    if raw.levels is None:
        if not pa.types.is_boolean(raw.values.type):
            return None
        made = convert(raw, Kind.BOOLEAN)
        return Decision(Kind.BOOLEAN, made.values, "true or false")
    if len(raw.levels.values) > 8:  # true, True, TRUE, t, ... at most
        return None
    words = set(pc.utf8_lower(raw.levels.values).to_pylist())
    if not words <= {"true", "false", "t", "f"}:
        return None
    shown = " or ".join(sorted(words, reverse=True))
    return Decision(Kind.BOOLEAN, convert(raw, Kind.BOOLEAN).values, shown)


def _number(raw: RawColumn) -> Decision | None:
    if raw.is_moment or pa.types.is_boolean(raw.values.type):
        return None
    if raw.levels is not None and _digit_share(raw.levels) < 1.0:
        return None
    made = to_numbers(raw)
    if made.unread is not None and made.unread.any():
        return None
    if raw.levels is not None and _are_codes(raw.levels.values):
        return None
    if made.values.null_count == len(made.values):  # "inf" alone
        return _no_values(made)
    too_long = _too_long(raw, made)
    if too_long is not None:
        return too_long
    row_names = _row_names(raw, made)
    if row_names is not None:
        return row_names
    sentinels = find_sentinel(made.values)
    values, gone = without_sentinels(made.values, sentinels)
    notes = (*lost_words(made), *gone)
    return Decision(
        Kind.NUMBER,
        values,
        "; ".join((_range(values), *made.remarks, *gone)),
        notes=notes,
        sentinels=sentinels,
        decimal_comma=made.decimal_comma,
        mark=made.mark,
    )


def _no_values(made: Converted) -> Decision:
    """Values were found, and none of them is one that a column can hold."""
    nothing = pa.nulls(len(made.values), pa.string())
    return Decision(Kind.CONSTANT, nothing, "no values: ignored", notes=lost_words(made))


def _digit_share(levels: Levels) -> float:
    """The share of a few different values that hold a digit: most string columns fail at once."""
    few = levels.values.slice(0, FEW)
    return float(pc.mean(pc.match_substring_regex(few, r"\d|(?i:^[+-]?inf)")).as_py())


def _range(values: pa.Array) -> str:
    distinct = pc.count_distinct(values).as_py()
    ends = pc.min_max(values)
    low, high = _shown(ends["min"].as_py()), _shown(ends["max"].as_py())
    return f"{counted(distinct, 'value')}, {low} to {high}"


def _shown(number: float | None) -> str:
    if number is None:
        return "–"
    whole = float(number).is_integer() and abs(number) < 1e15
    if whole:  # years are written without a comma
        return f"{int(number):,}" if abs(number) >= 10_000 else str(int(number))
    return f"{number:.4g}" if abs(number) < 1e4 else f"{number:,.6g}"


def _are_codes(values: pa.StringArray) -> bool:
    """Digits of one width, some with a leading zero: postal codes, not numbers."""
    lengths = pc.min_max(pc.utf8_length(values))
    one_width = lengths["min"] == lengths["max"] and lengths["min"].as_py() >= CODE_WIDTH
    return one_width and bool(
        pc.all(pc.match_substring_regex(values, r"^\d+$")).as_py()
        and pc.any(pc.starts_with(values, "0")).as_py()
    )


def _too_long(raw: RawColumn, made: Converted) -> Decision | None:
    """Whole numbers that would lose digits as float64."""
    if pc.max(pc.abs(made.values)).as_py() <= EXACT or not _written_whole(raw):
        return None
    strings = to_strings(raw)
    distinct, rows = pc.count_distinct(strings).as_py(), len(strings)
    if distinct > IDENTIFIER_SHARE * rows:
        reason = f"whole numbers of up to 19 digits, {distinct:,} different of {rows:,}: ignored"
        return Decision(Kind.IDENTIFIER, strings, reason)
    note = f"{counted(distinct, 'value')} beyond 2^53: kept as category, so no digit is lost"
    return Decision(Kind.CATEGORY, strings, note, notes=(note,))


def _written_whole(raw: RawColumn) -> bool:
    if raw.levels is not None:
        return bool(pc.all(pc.match_substring_regex(raw.levels.values, r"^-?\d+$")).as_py())
    return bool(pa.types.is_integer(raw.values.type))


def _row_names(raw: RawColumn, made: Converted) -> Decision | None:
    """Whole numbers, all different, that count the rows or are named like a key."""
    numbers = made.values.drop_null().to_numpy(zero_copy_only=False)
    rows = len(made.values)
    if len(numbers) < 0.9 * rows or len(numbers) < 2 or (numbers != np.floor(numbers)).any():
        return None
    if any(len(np.unique(part)) < len(part) for part in (numbers[:FIRST], numbers)):
        return None
    words = _name_words(raw.name)
    named = _is_key(words)
    # Rejected lines leave gaps, hence "almost" by one.
    steps = np.diff(numbers)
    counted = bool((steps >= 1).all() and steps.sum() <= 1.02 * len(steps))
    # A handful of rows is often in order by chance, and every column of it counts.
    if not named and (not counted or MEASURED_WORDS.intersection(words) or rows < FEW_ROWS):
        return None
    why = "named like a key" if named else "counts the rows"
    reason = (
        f"{len(numbers):,} whole numbers, all different, {why}: ignored{_use_as(raw, 'number')}"
    )
    return Decision(Kind.IDENTIFIER, to_strings(raw), reason)


def _is_key(words: Sequence[str]) -> bool:
    """Whether a column of such a name is a key: "user_id", "userid", "house no", but not "paid",
    "no_of_rooms"."""
    if not words:
        return False
    last = words[-1]
    whose = last.removesuffix("id")
    ends_as_key = last in LAST_ID_WORDS or (whose != last and whose in KEYED.split())
    return ends_as_key or bool(ID_WORDS.intersection(words))


def _name_words(name: str) -> list[str]:
    """The words and figures of a name in snake_case, camelCase or plain."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return re.findall(r"[a-z]+|\d+", parted.lower())


def _use_as(raw: RawColumn, kind: str) -> str:
    return f" (--kind {shlex.quote(raw.name)}={kind} to use it)"


def _date(raw: RawColumn) -> Decision | None:
    if raw.is_moment:
        made = convert(raw, Kind.DATE)
        if made.values.null_count == len(made.values):
            return _no_values(made)
        return Decision(Kind.DATE, made.values, _days(made.values), ISO, lost_words(made))
    if raw.levels is None:
        return None
    few = raw.levels.values.slice(0, FEW)
    fitting = [layout for layout in LAYOUTS if matches(few, layout).all()]
    fitting = [layout for layout in fitting if matches(raw.levels.values, layout).all()]
    if not fitting:
        return None
    made = convert(raw, Kind.DATE, fitting[0])
    assert made.unread is not None  # true where an offset leads out of the years
    notes = outside_years_said(int(made.unread.sum()))
    if made.values.null_count == len(made.values):
        return _no_values(replace(made, remarks=notes))
    reason = _days(made.values)
    if fitting[0] is not ISO:
        reason += f", written like {fitting[0].example}"
    if len(fitting) > 1:
        reason += (
            "; days and months cannot be told apart, read day first "
            f"(--kind {shlex.quote(raw.name)}=date:{fitting[1].order} to change)"
        )
    return Decision(Kind.DATE, made.values, reason, fitting[0], notes)


def _days(values: pa.Array) -> str:
    ends = pc.min_max(values)
    first, last = iso_strings(np.array([ends["min"].as_py(), ends["max"].as_py()], dtype=float))
    return f"{counted(pc.count_distinct(values).as_py(), 'moment')}, {first} to {last}"


TESTS: tuple[Callable[[RawColumn], Decision | None], ...] = (_constant, _boolean, _number, _date)


def _words(raw: RawColumn) -> Decision:
    """Strings: a text, a name of the row, or a category."""
    assert raw.levels is not None, "numbers, moments and truth values are decided by now"
    levels = raw.levels
    rows, different = len(levels.places), len(levels.values)
    few = levels.values.slice(0, SAMPLE)
    words = pc.split_pattern(pc.utf8_trim_whitespace(few), " ")
    per_value = float(pc.mean(words_in(few)).as_py())
    characters = levels.mean(pc.utf8_length(levels.values))
    notes = _almost(raw)
    described = f"{different:,} different, {characters:.0f} characters on average"
    long_text = characters > LONG_CHARACTERS and different > FEW_LEVELS
    if per_value >= TEXT_WORDS and (different > TEXT_SHARE * levels.rows or long_text):
        return Decision(Kind.TEXT, to_strings(raw), described, notes=notes)
    if different > IDENTIFIER_SHARE * rows and rows >= FEW_ROWS:
        spoken = words.flatten()
        if pc.count_distinct(spoken).as_py() < NEW_WORDS * len(spoken):
            return Decision(Kind.TEXT, to_strings(raw), described, notes=notes)
        reason = f"{different:,} different of {rows:,}: ignored{_use_as(raw, 'category')}"
        return Decision(Kind.IDENTIFIER, to_strings(raw), reason, notes=notes)
    made = to_levels(raw)
    words_said = counted(different, "value")
    return Decision(
        Kind.CATEGORY, made.values, words_said, notes=notes, keeps_zeros=made.keeps_zeros
    )


def _almost(raw: RawColumn) -> tuple[str, ...]:
    """A note where nearly all values are numbers or dates, so that a few spoil the column."""
    levels = raw.levels
    if levels is None or _digit_share(levels) < ALMOST / 2 or _are_codes(levels.values):
        return ()
    for kind, noun in ((Kind.NUMBER, "numbers"), (Kind.DATE, "dates")):
        made = convert(raw, kind)
        unread = made.unread if made.unread is not None else np.zeros(0, dtype=bool)
        count, rows = int(unread.sum()), levels.rows
        if 0 < count <= (1 - ALMOST) * rows:
            text, row = first_unread(raw, unread)
            return (f'{count:,} of {rows:,} values are not {noun}, first "{text}" in row {row:,}',)
    return ()
