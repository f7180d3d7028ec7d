"""The filters with a window are exact: at every window, in every chunking, across breaks and kills, NaN included."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.signal import medfilt
from tests.unit.builtins.killing import Script, scripts, stored_by

from joule.builtins.mean_filter import MeanFilter
from joule.builtins.median_filter import MedianFilter
from joule.client import FIRFilterModule
from joule.client._fir_filter import convolve_valid


class Weighted(FIRFilterModule):
    """Taps that no symmetry hides."""

    def make_filter(self, parsed_args):
        return np.arange(1, parsed_args.window + 1) / 7


def weighted_sum(window):
    """One multiplication and one addition at a time, from the oldest row to the newest."""
    taps = np.arange(1, len(window) + 1) / 7
    total = window[0] * taps[-1]
    for value, tap in zip(window[1:], taps[-2::-1], strict=True):
        total = total + value * tap
    return total


def mean(window):
    """Sums of 2, 4, 8, ... neighbours, put together."""

    def total(part):
        half = len(part) // 2
        return part[0] if len(part) == 1 else total(part[:half]) + total(part[half:])

    sums, start = None, 0
    for bit in range(len(window).bit_length()):
        if len(window) & 1 << bit:
            block = total(window[start : start + (1 << bit)])
            sums = block if sums is None else sums + block
            start += 1 << bit
    return sums / len(window)


def median(window):
    if np.isnan(window).any():
        return np.nan
    middle = len(window) // 2
    ordered = sorted(window)
    found = ordered[middle] if len(window) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return found + 0.0


FILTERS = {"fir": (Weighted, weighted_sum), "mean": (MeanFilter, mean), "median": (MedianFilter, median)}


def expected(script, window, function):
    """Every window of every interval for itself, stamped with the row at `window // 2`."""
    found = []
    with np.errstate(all="ignore"):
        for rows in script.intervals():
            results = [
                [
                    rows[start + window // 2, 0],
                    *(function(rows[start : start + window, 1 + element]) for element in range(script.width)),
                ]
                for start in range(len(rows) - window + 1)
            ]
            if results:
                found.append(np.array(results))
    return [np.where(np.isnan(rows), np.nan, rows) for rows in found]


@pytest.mark.parametrize("name", FILTERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts(), window=st.integers(1, 9), kills=st.lists(st.integers(0, 40), max_size=4))
def test_what_is_stored_is_each_window_s_own_result_bit_for_bit(tmp_path_factory, name, script, window, kills):
    module, function = FILTERS[name]
    stored = stored_by(
        module,
        {"window": window},
        {"input": script},
        directory=tmp_path_factory.mktemp("node"),
        kills=kills,
        width=script.width,
    )
    assert [rows.tobytes() for rows in stored] == [rows.tobytes() for rows in expected(script, window, function)]


@given(st.integers(1, 40), st.integers(0, 30), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_a_sum_has_the_same_bits_whether_it_is_taken_by_window_or_by_tap(window, extra, width, seed):
    random = np.random.default_rng(seed)
    values = random.normal(size=(window + extra, width)) * 10.0 ** random.integers(-8, 8)
    taps = random.normal(size=window)
    whole = convolve_valid(np.tile(values, (40, 1)), taps)[: extra + 1]
    alone = [convolve_valid(values[start : start + window], taps)[0] for start in range(extra + 1)]
    assert whole.tobytes() == np.array(alone).tobytes()


@pytest.mark.parametrize("window", [1, 3, 7, 21])
def test_odd_medians_are_those_of_scipy_without_its_edges(tmp_path, window):
    values = np.random.default_rng(window).normal(size=100)
    script = Script([np.column_stack((np.arange(100), values))])
    (stored,) = stored_by(MedianFilter, {"window": window}, {"input": script}, directory=tmp_path)
    edge = window // 2
    np.testing.assert_array_equal(stored[:, 1], medfilt(values, window)[edge : 100 - edge])
