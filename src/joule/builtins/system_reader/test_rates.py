"""The rules that turn counters into rates, and what they do about counters that misbehave."""

import math

import pytest

from joule.builtins.system_reader._rates import CounterRates, LoadMeter, mean


def test_a_rate_is_the_growth_of_all_devices_by_the_time() -> None:
    rates = CounterRates()
    rates.update(10.0, {"sda": (100, 1000), "sdb": (0, 0)})
    assert rates.update(12.0, {"sda": (140, 1000), "sdb": (10, 6)}) == (25.0, 3.0)


def test_the_first_reading_has_no_rate() -> None:
    assert all(math.isnan(rate) for rate in CounterRates().update(0.0, {"sda": (1, 1)}))


def test_no_time_between_readings_gives_no_rate() -> None:
    rates = CounterRates()
    rates.update(1.0, {"sda": (1, 1)})
    assert all(math.isnan(rate) for rate in rates.update(1.0, {"sda": (2, 2)}))


def test_a_counter_that_wrapped_gives_one_nan_in_its_direction_only() -> None:
    rates = CounterRates()
    rates.update(0.0, {"eth0": (4_294_967_290, 5)})
    received, sent = rates.update(1.0, {"eth0": (10, 6)})
    assert math.isnan(received)
    assert sent == 1.0
    assert rates.update(2.0, {"eth0": (30, 6)}) == (20.0, 0.0)


def test_a_disk_that_was_pulled_out_gives_one_nan() -> None:
    rates = CounterRates()
    rates.update(0.0, {"sda": (0, 0), "usb": (500, 500)})
    assert all(math.isnan(rate) for rate in rates.update(1.0, {"sda": (8, 8)}))
    assert rates.update(2.0, {"sda": (9, 10)}) == (1.0, 2.0)


def test_a_disk_that_was_plugged_in_counts_from_then_on() -> None:
    rates = CounterRates()
    rates.update(0.0, {"sda": (0, 0)})
    assert rates.update(1.0, {"sda": (1, 1), "usb": (900, 900)}) == (1.0, 1.0)
    assert rates.update(2.0, {"sda": (1, 1), "usb": (907, 900)}) == (7.0, 0.0)


def test_a_machine_without_devices_has_rates_of_nothing() -> None:
    rates = CounterRates()
    rates.update(0.0, {})
    assert rates.update(1.0, {}) == (0.0, 0.0)


def test_load_is_the_busy_share_of_the_time() -> None:
    meter = LoadMeter()
    assert math.isnan(meter.update(5.0, 20.0))
    assert meter.update(5.5, 22.0) == pytest.approx(25.0)


def test_between_two_ticks_the_last_load_is_repeated() -> None:
    meter = LoadMeter()
    meter.update(5.0, 20.0)
    meter.update(5.5, 21.0)
    assert meter.update(5.5, 21.0) == pytest.approx(50.0)


def test_a_core_that_has_not_ticked_since_the_first_reading_is_idle() -> None:
    meter = LoadMeter()
    meter.update(5.0, 20.0)
    assert meter.update(5.0, 20.0) == 0.0


def test_rounding_of_seconds_is_no_load() -> None:
    meter = LoadMeter()
    meter.update(0.1 + 0.2, 20.0)
    assert str(meter.update(0.3, 20.1)) == "0.0"  # and not -0.0


def test_a_core_whose_time_went_back_has_no_load_once() -> None:
    meter = LoadMeter()
    meter.update(5.0, 20.0)
    assert math.isnan(meter.update(0.0, 0.1))
    assert meter.update(0.1, 0.2) == pytest.approx(100.0)


def test_the_mean_leaves_out_what_is_not_known() -> None:
    assert mean([1.0, math.nan, 3.0]) == 2.0
    assert math.isnan(mean([math.nan]))
