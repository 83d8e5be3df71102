"""Promises of the measures of latency, throughput and calibration, and of the machine's words."""

from __future__ import annotations

import platform
import time

import numpy as np
import pytest

from fathometer.trial.measure import (
    calibration_error,
    machine,
    measure_latency,
    rows_per_second,
    versions,
)


def test_latency_is_that_of_one_call() -> None:
    latency = measure_latency(lambda: time.sleep(0.002), seconds=0.1)
    assert 2 <= latency.p50_ms < 20
    assert latency.p50_ms <= latency.p99_ms


def test_measuring_takes_about_the_time_given() -> None:
    started = time.perf_counter()
    measure_latency(lambda: time.sleep(0.001), seconds=0.2, most_calls=10**9)
    assert time.perf_counter() - started < 0.5


def test_a_slow_call_is_made_once() -> None:
    calls: list[int] = []

    def slow() -> None:
        calls.append(1)
        time.sleep(0.05)

    assert measure_latency(slow, seconds=0.01).calls == len(calls) == 1


def test_rows_per_second_counts_rows() -> None:
    rate = rows_per_second(lambda: time.sleep(0.01), 1000, seconds=0.1)
    assert 20_000 < rate <= 100_000


def test_true_probabilities_are_calibrated() -> None:
    random = np.random.default_rng(0)
    chance = random.random(200_000)
    truth = (random.random(200_000) < chance).astype(int)
    assert calibration_error(truth, np.column_stack([1 - chance, chance])) < 0.01


def test_overconfidence_is_measured() -> None:
    truth = np.arange(1000) % 2
    certain = np.column_stack([np.zeros(1000), np.ones(1000)])
    assert calibration_error(truth, certain) == pytest.approx(0.5)


def test_a_constant_with_the_right_rate_is_calibrated() -> None:
    truth = np.repeat([0, 1], [60, 40])
    assert calibration_error(truth, np.tile([0.6, 0.4], (100, 1))) == pytest.approx(0.0)


def test_of_several_classes_the_answer_is_judged() -> None:
    scores = np.tile([0.5, 0.3, 0.2], (10, 1))
    assert calibration_error(np.zeros(10, dtype=int), scores) == pytest.approx(0.5)


def test_the_machine_is_described_without_its_name() -> None:
    words = machine()
    assert set(words) == {"processor", "cores", "memory", "system", "python"}
    assert all(words.values())
    assert platform.node() not in words.values()


def test_versions_of_what_is_installed_are_listed() -> None:
    assert versions()["numpy"] == np.__version__
