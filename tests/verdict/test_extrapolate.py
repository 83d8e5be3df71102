"""Curves carried on: a clean power law goes on as one, a poor curve as curves usually do."""

from __future__ import annotations

import numpy as np
import pytest

from fathometer.verdict.extrapolate import Prior, carry_on

PRIOR = Prior(exponent=0.3, step=0.1, step_spread=0.06, paired_noise=1.0, drawn_noise=0.0)
ROWS = 100 * 2.0 ** np.arange(5)
FACTORS = np.array([1.0, 2.0, 4.0, 10.0])
NO_NOISE = np.zeros(5)


def power_law(rows, exponent=0.4, floor=8.0, step=30.0):
    return floor + step * (rows / 100) ** -exponent


@pytest.mark.parametrize("exponent", [0.2, 0.4, 0.8])
def test_a_clean_power_law_is_carried_on(exponent):
    carried = carry_on(ROWS, power_law(ROWS, exponent), NO_NOISE, FACTORS, PRIOR)
    came = power_law(ROWS[-1], exponent) - power_law(FACTORS * ROWS[-1], exponent)
    np.testing.assert_allclose(carried.falls, came, atol=0.25)
    assert carried.falls[0] == pytest.approx(0.0, abs=1e-9)


def test_what_is_less_certain_says_so():
    clean = carry_on(ROWS, power_law(ROWS), NO_NOISE, FACTORS, PRIOR)
    noisy = carry_on(ROWS, power_law(ROWS), np.full(5, 3.0), FACTORS, PRIOR)
    short = carry_on(ROWS[-2:], power_law(ROWS[-2:]), NO_NOISE[-2:], FACTORS, PRIOR)
    assert (noisy.spreads[1:] > clean.spreads[1:]).all()
    assert (short.spreads[1:] > clean.spreads[1:]).all()
    assert (np.diff(clean.spreads) > 0).all()  # and the farther, the less


def test_a_noisy_curve_goes_on_as_curves_usually_do():
    rising = power_law(ROWS)[::-1]  # more rows made it worse: noise, if the noise is that large
    carried = carry_on(ROWS, rising, np.full(5, 40.0), np.array([2.0]), PRIOR)
    usual = PRIOR.step * rising[-1] * 2**-PRIOR.exponent
    assert carried.falls[0] == pytest.approx(usual, rel=0.3)


def test_one_point_alone_goes_on_as_curves_usually_do():
    carried = carry_on(ROWS[:1], np.array([20.0]), np.zeros(1), FACTORS, PRIOR)
    assert carried.present == pytest.approx(20.0, abs=0.01)
    assert 0.5 < carried.falls[1] < 2.5
    assert (np.diff(carried.falls) > 0).all()


def test_points_do_not_change_with_the_unit_of_rows():
    one = carry_on(ROWS, power_law(ROWS), np.full(5, 0.5), FACTORS, PRIOR)
    other = carry_on(ROWS * 1, power_law(ROWS), np.full(5, 0.5), FACTORS, PRIOR)
    np.testing.assert_array_equal(one.falls, other.falls)


def test_noise_does_not_flatten_a_curve_on_average():
    random, falls = np.random.default_rng(0), []
    for _ in range(200):
        losses = power_law(ROWS) + random.normal(0, 0.5, 5)
        falls.append(carry_on(ROWS, losses, np.full(5, 0.5), np.array([2.0]), PRIOR).falls[0])
    came = float(power_law(ROWS[-1]) - power_law(2 * ROWS[-1]))
    assert np.mean(falls) == pytest.approx(came, abs=0.4)
