"""`--latency 1ms --size 500KB`: what a student's file may take, as one types it.

KB, MB and GB are thousands, as everywhere in Fathometer; KiB, MiB and GiB are 1,024."""

from __future__ import annotations

import re

from fathometer.errors import OptionError
from fathometer.learners.student import Limits

MILLISECONDS = {"us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3}  # two letters look like µ
BYTES = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}


def limits_from(latency: str | None, size: str | None) -> Limits | None:
    """What the two options ask for; None where neither is given.

    Raises:
        OptionError: if one of them is no duration or no size.
    """
    if latency is None and size is None:
        return None
    return Limits(
        None if latency is None else milliseconds_from(latency),
        None if size is None else bytes_from(size),
    )


def milliseconds_from(duration: str) -> float:
    """Milliseconds of "250us", "1ms" or "0.5s".

    Raises:
        OptionError: if it is none, or not above 0.
    """
    number, unit = _split(duration)
    if number is None or unit not in MILLISECONDS:
        raise OptionError(
            f'--latency was given "{duration}"; it takes the time for one row with its unit: us, '
            "ms or s.",
            try_next="--latency 1ms",
        )
    return number * MILLISECONDS[unit]


def bytes_from(size: str) -> int:
    """Bytes of "500KB", "2MB" or "1MiB".

    Raises:
        OptionError: if it is none, or less than one byte.
    """
    number, unit = _split(size)
    if number is None or unit not in BYTES or number * BYTES[unit] < 1:
        raise OptionError(
            f'--size was given "{size}"; it takes the size of a file with its unit: KB, MB or GB '
            "(thousands), KiB, MiB or GiB (1,024).",
            try_next="--size 500KB",
        )
    return int(number * BYTES[unit])


def _split(words: str) -> tuple[float | None, str]:
    """The number, None unless above 0, and the unit in lower case."""
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-zµμ]*)", str(words).strip().lower())
    if found is None or not 0 < float(found[1]) < 1e12:
        return None, ""
    return float(found[1]), found[2]
