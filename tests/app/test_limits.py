"""What a student may take, as one types it."""

import pytest

from fathometer.app.limits import bytes_from, limits_from, milliseconds_from
from fathometer.errors import OptionError
from fathometer.learners.student import Footprint, Limits


@pytest.mark.parametrize(
    ("typed", "milliseconds"),
    [("1ms", 1.0), ("250us", 0.25), ("250 µs", 0.25), ("0.5s", 500.0), (".5MS", 0.5)],
)
def test_durations_are_read_with_their_unit(typed: str, milliseconds: float) -> None:
    assert milliseconds_from(typed) == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("typed", "size"),
    [("500KB", 500_000), ("2MB", 2_000_000), ("1MiB", 1_048_576), ("1.5 kb", 1500), ("64B", 64)],
)
def test_sizes_are_read_with_their_unit(typed: str, size: int) -> None:
    assert bytes_from(typed) == size


@pytest.mark.parametrize(
    "typed", ["", "1", "ms", "0ms", "-1ms", "1 hour", "1e3ms", "nan ms", "1KB"]
)
def test_what_is_no_duration_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(OptionError, match="--latency was given") as caught:
        milliseconds_from(typed)
    assert caught.value.try_next == "--latency 1ms"


@pytest.mark.parametrize("typed", ["", "500", "KB", "0KB", "-5KB", "5 bytes", "0.0001KB", "1ms"])
def test_what_is_no_size_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(OptionError, match="--size was given") as caught:
        bytes_from(typed)
    assert caught.value.try_next == "--size 500KB"


def test_one_limit_alone_leaves_the_other_open() -> None:
    assert limits_from(None, None) is None
    assert limits_from("1ms", None) == Limits(latency_ms=1.0)
    assert limits_from(None, "5KB") == Limits(size_bytes=5000)


@pytest.mark.parametrize(
    ("size", "milliseconds"), [(12_345, 0.0371), (2_345_678_901, 12_345.0), (1021, 0.00123)]
)
def test_raised_limits_would_have_allowed_what_was_found(size: int, milliseconds: float) -> None:
    found = Footprint(size, milliseconds)
    options = Limits(0.001, 1000).raised_to(found).split()
    raised = limits_from(options[1], options[3])
    assert options[::2] == ["--latency", "--size"]
    assert raised is not None
    assert raised.with_headroom.allow(found)
