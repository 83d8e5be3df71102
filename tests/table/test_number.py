"""Numbers as people write them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

from fathometer.table.number import far_sentinel, read_numbers


@pytest.mark.parametrize(
    ("written", "values"),
    [
        (["1", "-2.5", "+3", ".5", "1e3", "4."], [1, -2.5, 3, 0.5, 1000, 4]),
        (["$1,234.50", "$7", "-$3.25"], [1234.5, 7, -3.25]),
        (["1.234,56 €", "7,5 €", "1 €"], [1234.56, 7.5, 1]),
        (["12 %", "3.5%", "-1 %"], [12, 3.5, -1]),
        (["1,234,567", "12"], [1234567, 12]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1 234,5", "1\u00a0234\u202f567,25"], [1234.5, 1234567.25]),
        (["1'234.50", "12'000"], [1234.5, 12000]),
        (["₹1,50,000", "₹ 2,000"], [150000, 2000]),
        (["(1,234.50)", "2.00"], [-1234.5, 2]),
        (["−5", "3"], [-5, 3]),
        (["0,5", "1,25"], [0.5, 1.25]),
    ],
)
def test_numbers_are_read_however_they_are_written(written: list[str], values: list[float]) -> None:
    numbers = read_numbers(pa.array(written))
    assert numbers.read.all()
    assert_array_equal(numbers.values, values)


@pytest.mark.parametrize(
    "written",
    [
        ["$5", "€5"],
        ["5 %", "5"],
        ["1,5", "1.234,5", "1,234.5"],
        ["12abc", "3"],
        ["2020-01-02", "3"],
        ["2100 - 2850", "3"],
        ["192.168.0.1", "3"],
        ["1,23,4", "3"],
        ["(5", "3"],
    ],
)
def test_what_is_not_one_unit_or_no_number_is_left_unread(written: list[str]) -> None:
    assert not read_numbers(pa.array(written)).read.all()


@pytest.mark.parametrize(
    ("mark", "values"),
    [("%", [7, 12, None]), ("$", [7, None, 5]), ("", [7, None, None]), ("€", [7, None, None])],
)
def test_a_known_mark_is_read_the_same_in_whatever_company(
    mark: str, values: list[float | None]
) -> None:
    written = ["7", "12%", "$5"]
    alone = [read_numbers(pa.array([each]), mark=mark) for each in written]
    assert [each.values[0] if each.read[0] else None for each in alone] == values
    together = read_numbers(pa.array(written), mark=mark)
    assert np.where(together.read, together.values, None).tolist() == values


def test_a_lone_thousands_comma_is_read_by_the_delimiter_of_the_file() -> None:
    written = pa.array(["1,234", "5"])
    assert_array_equal(read_numbers(written).values, [1234, 5])
    assert_array_equal(read_numbers(written, decimal_comma_likely=True).values, [1.234, 5])


def test_a_sentinel_is_found_only_far_from_the_rest() -> None:
    rest = np.linspace(0, 40, 100)
    assert far_sentinel(np.append(rest, [-999.0] * 5)) == (-999.0, 5)
    assert far_sentinel(np.append(rest, [9999.0] * 3)) == (9999.0, 3)
    assert far_sentinel(np.append(rest, [-999.0])) is None
    assert far_sentinel(np.append(np.linspace(-900, 900, 100), [-999.0] * 5)) is None
    assert far_sentinel(np.append(np.zeros(100), [99999.0] * 9)) is None
