"""What a piece of work costs the machine: seconds, joules and memory, read while it runs.

Energy and processor time are those of the whole machine or process, so one piece of work is metered
at a time. Knows nothing of learners."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

POWERCAP = Path("/sys/class/powercap")
SAMPLE_SECONDS = 0.05

# Watts of one busy core where no counter can be read. Rated power over cores is 6 W for a 64-core
# server processor (360 W), 8 W for a 16-core desktop one (125 W) and 16 W for a quad-core one
# (65 W); 10 W is the round middle. An assumption, good to a factor of about two, and marked so.
WATTS_PER_CORE = 10.0


@dataclass(frozen=True)
class Spent:
    """What was spent between entering and leaving an `EnergyMeter`."""

    seconds: float
    joules: float
    source: Literal["measured", "estimated"]
    peak_bytes: int  # growth of resident memory above where it stood at the start
    cpu_seconds: float  # of this process and of its children that have ended


class EnergyMeter:
    """Meters the work inside a `with` block; afterwards `spent` holds the result.

    Energy comes from the processor's own counters (RAPL) where the system lets us read them, which
    count the whole machine; otherwise from processor seconds times `WATTS_PER_CORE`, marked
    "estimated". A thread reads counters and memory every 50 ms, often enough for a counter that
    wraps around after some minutes.

        >>> with EnergyMeter() as meter:
        ...     total = sum(range(10))
        >>> meter.spent.joules >= 0
        True
    """

    def __init__(self, *, powercap: Path = POWERCAP) -> None:
        self._counters = find_counters(powercap)
        self._stop = threading.Event()
        self._spent: Spent | None = None

    @property
    def spent(self) -> Spent:
        """The result; only after the block has ended."""
        if self._spent is None:
            raise RuntimeError("the meter is still running: read `spent` after the block")
        return self._spent

    def __enter__(self) -> EnergyMeter:
        self._resident = self._peak = resident_bytes()
        self._started = time.perf_counter()
        self._cpu = cpu_seconds()
        self._sampler = threading.Thread(target=self._sample, name="energy-meter", daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._sampler.join()
        self._look()
        used = cpu_seconds() - self._cpu
        measured = sum(counter.joules for counter in self._counters)
        self._spent = Spent(
            seconds=time.perf_counter() - self._started,
            joules=measured if self._counters else used * WATTS_PER_CORE,
            source="measured" if self._counters else "estimated",
            peak_bytes=max(0, self._peak - self._resident),
            cpu_seconds=used,
        )

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        self._peak = max(self._peak, resident_bytes())
        for counter in self._counters:
            counter.read()


@dataclass
class Counter:
    """One energy counter: microjoules that start again at 0 after `largest`."""

    path: Path
    largest: int
    joules: float = 0.0
    last: int = field(init=False)

    def __post_init__(self) -> None:
        self.last = int(self.path.read_text())

    def read(self) -> None:
        """Add what was spent since the last reading; a counter that cannot be read adds nothing."""
        try:
            now = int(self.path.read_text())
        except (OSError, ValueError):
            return
        grown = now - self.last
        self.joules += (grown if grown >= 0 else grown + self.largest) / 1e6
        self.last = now


def find_counters(powercap: Path = POWERCAP) -> tuple[Counter, ...]:
    """The readable counters of whole processors; those of their parts would count twice."""
    found = []
    for folder in sorted(powercap.glob("intel-rapl:*")):
        try:
            if (folder / "name").read_text().strip().startswith("package"):
                largest = int((folder / "max_energy_range_uj").read_text())
                found.append(Counter(folder / "energy_uj", largest))
        except (OSError, ValueError):
            continue  # since 2020 kernels let only root read them, against side channels
    return tuple(found)


def cpu_seconds() -> float:
    """Processor seconds of this process and its ended children, in user and system mode."""
    return sum(os.times()[:4])


def resident_bytes() -> int:
    """Memory that this process holds now; the most it ever held, where only that is known."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return most_resident_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")


def most_resident_bytes() -> int:
    """The most memory that this process ever held; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # bytes there, kilobytes elsewhere
