"""Numbers as people write them: currency and percent signs, thousands marks, decimal commas.

The twin of `date` for numbers. Whether a comma is decimal is decided once for the whole column, by
the reading under which more values are numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CURRENCY = r"US\$|R\$|[$€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|INR|Rs\.?|kr|zł"
BLANK = r"[\s\x{00A0}\x{2009}\x{202F}]"
PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$|^[+-]?(?i:inf|infinity)$"
DRESSED = (
    rf"^(?P<open>\(?)(?P<sign>[+\-−]?){BLANK}*(?P<front>(?:{CURRENCY})?){BLANK}*(?P<inner>[+\-−]?)"
    rf"(?P<body>[.,]?\d(?:[\d.,'’]|{BLANK}+\d)*)(?P<power>(?:[eE][+-]?\d{{1,3}})?)"
    rf"{BLANK}*(?P<back>(?:%|{CURRENCY})?)(?P<close>\)?)$"
)
# Groups of two occur before the last group of three in South Asia (1,50,000).
POINT = (
    rf"^(?:\d{{1,3}}(?:(?:[,'’]|{BLANK})\d{{2,3}})*(?:[,'’]|{BLANK})\d{{3}}|\d+)(?:\.\d*)?$|^\.\d+$"
)
COMMA = rf"^(?:\d{{1,3}}(?:(?:[.'’]|{BLANK})\d{{3}})+|\d+)(?:,\d*)?$|^,\d+$"
COMMA_COULD_BE_EITHER = r"^\d{1,3},\d{3}$"
EXACT = 2.0**53  # whole numbers beyond it lose digits as float64


@dataclass(frozen=True, eq=False)
class Numbers:
    """Strings read as numbers: `values` (levels,) float64, meaningful where `read` (levels,) bool.

    `remarks` says what was taken off, in words."""

    values: np.ndarray
    read: np.ndarray
    remarks: tuple[str, ...] = ()
    decimal_comma: bool = False
    mark: str = ""  # the currency or percent sign that was taken off


def read_numbers(
    written: pa.StringArray,
    *,
    decimal_comma: bool | None = None,
    decimal_comma_likely: bool = False,
    mark: str | None = None,
) -> Numbers:
    """Read different values, none missing, blanks around them already dropped.

    "inf" is read as infinity; percent signs are dropped and the figure kept.

    decimal_comma: whether commas are decimal, where that is known; else the values decide, and
    `decimal_comma_likely` where they leave it open.
    mark: the currency or percent sign of the column, where that is known: values may carry it or
    none, which is the same. Without it the values decide."""
    plain = _matches(written, PLAIN)
    if plain.all() and not (decimal_comma and _matches(written, r"\.").any()):
        return Numbers(_cast(written), plain, mark=mark or "")
    fields = pc.extract_regex(written, DRESSED)
    body = pc.fill_null(pc.struct_field(fields, "body"), "")
    signed, mark = _same_mark(fields, mark)
    if decimal_comma is None:
        decimal_comma, remarks = _style(body, decimal_comma_likely)
    else:
        remarks = ()
    read = _matches(body, COMMA if decimal_comma else POINT) & signed
    digits = pc.replace_substring_regex(body, rf"[{'.' if decimal_comma else ','}'’]|{BLANK}", "")
    if decimal_comma:
        digits = pc.replace_substring(digits, ",", ".")
    digits = pc.binary_join_element_wise(digits, pc.struct_field(fields, "power"), "")
    values = _cast(pc.if_else(pa.array(read), digits, "0")) * _signs(fields)
    undressed = np.asarray(pc.equal(body, "").to_numpy(zero_copy_only=False))
    bare = plain & undressed  # "inf"
    if bare.any():
        values = np.where(bare, _cast(pc.if_else(pa.array(bare), written, "0")), values)
    if mark:
        remarks += ("percent signs dropped, 12 % is 12" if mark == "%" else f"{mark} dropped",)
    return Numbers(values, read | bare, remarks, decimal_comma, mark)


def number_name(value: float) -> str:
    """A number as the name of a level or class: the shortest that reads as it, 1 and not 1.0."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e17 else repr(value)


def _matches(values: pa.Array, pattern: str) -> np.ndarray:
    found = pc.fill_null(pc.match_substring_regex(values, pattern), False)
    return np.asarray(found.to_numpy(zero_copy_only=False))


def _cast(values: pa.Array) -> np.ndarray:
    return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False))


def _style(body: pa.Array, decimal_comma_likely: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether the comma of these bodies is decimal, and what to say about it."""
    point, comma = _matches(body, POINT), _matches(body, COMMA)
    with_comma = _matches(body, ",")
    if not with_comma.any() and point.sum() >= comma.sum():
        return False, ()
    either = bool(_matches(body, COMMA_COULD_BE_EITHER)[with_comma].all())
    doubtful = either and int(point.sum()) == int(comma.sum())
    if doubtful and not decimal_comma_likely:
        return False, ("the comma parts thousands, as far as can be told",)
    if comma.sum() > point.sum() or (doubtful and decimal_comma_likely):
        return True, ("decimal comma",)
    return False, ("commas part thousands",)


def _same_mark(fields: pa.Array, known: str | None) -> tuple[np.ndarray, str]:
    """Which values carry the known or else the commonest currency or percent sign, or none, and
    what it is.

    Two currencies in one column are not one unit; a percent sign on some values only leaves open
    what the others are, unless the column is known to be of per cents."""
    front = np.asarray(
        pc.fill_null(pc.struct_field(fields, "front"), "").to_numpy(False), dtype=str
    )
    back = np.asarray(pc.fill_null(pc.struct_field(fields, "back"), "").to_numpy(False), dtype=str)
    opened = np.asarray(
        pc.fill_null(pc.struct_field(fields, "open"), "").to_numpy(False), dtype=str
    )
    closed = np.asarray(
        pc.fill_null(pc.struct_field(fields, "close"), "").to_numpy(False), dtype=str
    )
    paired = (opened == "(") == (closed == ")")
    mark = np.where(front == "", back, front)
    once = ((front == "") | (back == "")) & paired
    if known is not None:
        return once & np.isin(mark, ["", known]), known
    names, counts = np.unique(mark[mark != ""], return_counts=True)
    if not len(names):
        return once, ""
    usual = str(names[counts.argmax()])
    if usual == "%":
        return once & (mark == "%"), usual
    return once & np.isin(mark, ["", usual]), usual


def _signs(fields: pa.Array) -> np.ndarray:
    """-1 for a minus in front of the sign or the digits, or for accountants' brackets."""
    minus = pa.array(["-", "−", "("])
    parts = [pc.is_in(pc.struct_field(fields, name), minus) for name in ("sign", "inner", "open")]
    negative = np.any([part.to_numpy(zero_copy_only=False) for part in parts], axis=0)
    return np.where(negative, -1.0, 1.0)


def far_sentinel(values: np.ndarray) -> tuple[float, int] | None:
    """A number such as -999 that clearly stands for a missing value, and its rows; else None.

    values (rows,) float64 without NaN. It must be the extreme of the column, in at least 5 rows (or
    2, if that is 1 % of them), and lie further from the rest than 10 interquartile ranges of it."""
    for low in (True, False):
        extreme = float(values.min() if low else values.max()) if len(values) else 0.0
        if abs(extreme) not in (99.0, 999.0, 9999.0, 99999.0, 999999.0) or (
            not low and extreme == 99
        ):
            continue
        rest = values[values != extreme]
        count = len(values) - len(rest)
        if len(rest) < 4 or not (count >= 5 or (count >= 2 and count >= 0.01 * len(values))):
            continue
        quarter, three_quarters = np.percentile(rest, [25, 75])
        gap = float(rest.min() - extreme if low else extreme - rest.max())
        if three_quarters > quarter and gap > 10 * (three_quarters - quarter):
            return extreme, count
    return None
