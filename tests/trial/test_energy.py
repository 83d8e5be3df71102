"""Promises of the meter of time, energy and memory."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from fathometer.trial.energy import (
    SAMPLE_SECONDS,
    WATTS_PER_CORE,
    EnergyMeter,
    find_counters,
)


def a_counter(folder: Path, name: str, *, energy: int, largest: int = 1_000_000) -> Path:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    return folder / "energy_uj"


def test_without_a_counter_energy_is_estimated_from_processor_time(tmp_path: Path) -> None:
    with EnergyMeter(powercap=tmp_path) as meter:
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
    assert meter.spent.source == "estimated"
    assert meter.spent.cpu_seconds >= 0.05  # the system counts in hundredths
    assert meter.spent.joules == pytest.approx(meter.spent.cpu_seconds * WATTS_PER_CORE)


def test_a_readable_counter_is_measured_across_its_wrap(tmp_path: Path) -> None:
    counter = a_counter(tmp_path / "intel-rapl:0", "package-0", energy=900_000)
    with EnergyMeter(powercap=tmp_path) as meter:
        counter.write_text("200000\n")
    assert meter.spent.source == "measured"
    assert meter.spent.joules == pytest.approx(0.3)


def test_parts_of_a_processor_are_not_counted_twice(tmp_path: Path) -> None:
    a_counter(tmp_path / "intel-rapl:0", "package-0", energy=1)
    a_counter(tmp_path / "intel-rapl:0:0", "core", energy=1)
    a_counter(tmp_path / "intel-rapl:1", "psys", energy=1)
    assert [counter.path.parent.name for counter in find_counters(tmp_path)] == ["intel-rapl:0"]


def test_a_counter_that_breaks_off_ends_no_measurement(tmp_path: Path) -> None:
    counter = a_counter(tmp_path / "intel-rapl:0", "package-0", energy=5)
    with EnergyMeter(powercap=tmp_path) as meter:
        counter.write_text("not a number")
    assert meter.spent.joules == 0


def test_memory_that_was_held_only_for_a_while_is_seen(tmp_path: Path) -> None:
    with EnergyMeter(powercap=tmp_path) as meter:
        block = np.ones(5_000_000)  # 40 MB
        time.sleep(4 * SAMPLE_SECONDS)
        del block
    assert 35e6 < meter.spent.peak_bytes < 80e6


def test_an_error_inside_passes_and_is_metered(tmp_path: Path) -> None:
    meter = EnergyMeter(powercap=tmp_path)
    with pytest.raises(ZeroDivisionError), meter:
        1 / 0  # noqa: B018
    assert meter.spent.seconds >= 0


def test_a_running_meter_has_no_result(tmp_path: Path) -> None:
    with EnergyMeter(powercap=tmp_path) as meter, pytest.raises(RuntimeError):
        _ = meter.spent
