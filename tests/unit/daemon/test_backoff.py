"""When a module is started again (contract 0.15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.daemon._backoff import HEALTHY_S, failures_after, restart_delay_s


@pytest.mark.parametrize(("failures", "longest_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)])
def test_delays_double_to_half_a_minute(failures, longest_s):
    assert restart_delay_s(failures, 0.0) == longest_s


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_jitter_shortens_by_at_most_a_fifth(failures, chance):
    longest_s = restart_delay_s(failures, 0.0)
    assert 0.8 * longest_s <= restart_delay_s(failures, chance) <= longest_s <= 30.0


def test_the_first_restart_comes_within_a_second():
    assert restart_delay_s(failures_after(0, 0.0), 0.0) <= 1.0


def test_ends_in_a_row_add_up():
    assert failures_after(failures_after(0, 1.0), HEALTHY_S - 0.1) == 2


def test_a_healthy_minute_resets_them():
    assert failures_after(17, HEALTHY_S) == 1
