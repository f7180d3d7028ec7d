"""When a module is started again (contract 0.15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.daemon._backoff import HEALTHY_S, EndHistory, failures_after, restart_delay_s


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


def note(history, now_s, ran_s=1.0, *, max_ends=3, window_s=100.0, on_failed="retry"):
    return history.note_end(
        now_s=now_s, ran_s=ran_s, max_ends=max_ends, window_s=window_s, on_failed=on_failed, chance=0.0
    )


def test_as_many_ends_within_the_window_as_allowed_are_a_failure():
    history = EndHistory()
    assert [note(history, now_s).is_failed for now_s in (0, 50, 99)] == [False, False, True]


def test_ends_that_have_left_the_window_do_not_count():
    history = EndHistory()
    assert [note(history, now_s).is_failed for now_s in (0, 50, 100, 149)] == [False, False, False, True]
    assert history.recent(149, 100.0) == 3


def test_a_failed_module_is_tried_once_in_a_window_until_it_is_healthy_again():
    history = EndHistory()
    verdicts = [note(history, now_s) for now_s in (0, 1, 2, 103, 204)]
    assert [verdict.is_failed for verdict in verdicts] == [False, False, True, True, True]
    assert [verdict.delay_s for verdict in verdicts[2:]] == [100.0, 100.0, 100.0]
    assert not note(history, 1000, ran_s=HEALTHY_S).is_failed


def test_a_failed_module_that_is_to_stay_so_has_no_next_start():
    history = EndHistory()
    for now_s in (0, 1):
        note(history, now_s, on_failed="stop")
    assert note(history, 2, on_failed="stop").delay_s is None


def test_without_a_limit_nothing_is_ever_given_up():
    history = EndHistory()
    assert not any(note(history, now_s, max_ends=None).is_failed for now_s in range(500))


def test_starts_that_give_no_process_back_off_and_never_fail():
    history = EndHistory()
    assert [history.note_no_start(0.0) for _ in range(4)] == [1, 2, 4, 8]
    assert not note(history, 0.0).is_failed
