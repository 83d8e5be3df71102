"""Measuring a finished model: how quick it answers, how well its probabilities are calibrated, and
on which machine, with which versions, that was found.

Knows callables and arrays, nothing of models or files."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from fathometer.runtime import cores

MOST_CALLS = 1000  # enough for a 99th percentile that rests on ten calls
BINS = 15  # the customary number for the expected calibration error (Guo et al., ICML 2017)

# Packages whose version can change a result.
PACKAGES = (
    "fathometer",
    "numpy",
    "scipy",
    "pyarrow",
    "duckdb",
    "scikit-learn",
    "lightgbm",
    "catboost",
    "xgboost-cpu",
    "xgboost",
    "torch",
    "onnx",
    "onnxruntime",
)


@dataclass(frozen=True)
class Latency:
    """How long one call takes: median and 99th percentile in milliseconds over `calls` calls."""

    p50_ms: float
    p99_ms: float
    calls: int


def measure_latency(
    run: Callable[[], object], *, seconds: float = 0.4, most_calls: int = MOST_CALLS
) -> Latency:
    """Time a call again and again for at most about `seconds`, after warming up for a tenth of it.

    A call that alone takes longer is made once and timed.
    """
    times = _time_calls(run, seconds / 10, most_calls)
    if times[0] < seconds:
        times = _time_calls(run, seconds, most_calls)
    milliseconds = np.array(times) * 1000
    median, high = np.percentile(milliseconds, [50, 99])
    return Latency(float(median), float(high), len(times))


def rows_per_second(run: Callable[[], object], rows: int, *, seconds: float = 0.4) -> float:
    """Rows answered a second by a call that answers `rows` rows; the median call counts."""
    latency = measure_latency(run, seconds=seconds)
    return rows / max(latency.p50_ms / 1000, 1e-9)


def _time_calls(run: Callable[[], object], seconds: float, most_calls: int) -> list[float]:
    """Seconds of each call, at least one, until the time or the number of calls is used up."""
    times: list[float] = []
    started = time.perf_counter()
    before = started
    while (len(times) < most_calls and before - started < seconds) or not times:
        run()
        after = time.perf_counter()
        times.append(after - before)
        before = after
    return times


def calibration_error(truth: np.ndarray, scores: np.ndarray, *, bins: int = BINS) -> float:
    """Expected calibration error: how far stated probabilities are from what happened, 0 to 1.

    Of two classes, the probability of the second is judged; of more, that of the answer. Bins hold
    equally many rows; equal probabilities share a bin, so a constant is judged as one statement.

    Args:
        truth: class places, shape (rows,).
        scores: probabilities, shape (rows, classes).
    """
    from scipy.stats import rankdata

    if scores.shape[1] == 2:
        stated, happened = scores[:, 1], truth == 1
    else:
        stated, happened = scores.max(axis=1), scores.argmax(axis=1) == truth
    places = ((rankdata(stated) - 0.5) / len(truth) * bins).astype(np.int64)
    gaps = np.bincount(places, weights=stated - happened, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def machine() -> dict[str, str]:
    """The machine in words: processor, cores we may use, memory, system; never its name."""
    return {
        "processor": _processor(),
        "cores": str(cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The installed version of every package that can change a result; absent ones are left out."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _memory() -> str:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return "unknown"
    return f"{size / 1e9:.0f} GB"
