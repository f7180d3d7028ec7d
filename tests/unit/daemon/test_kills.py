"""What is said of a process that somebody killed."""

import signal

import pytest

from joule.daemon._kills import explain_kill, oom_kills


def test_the_kernel_counts_what_it_ends_for_want_of_memory(tmp_path):
    counters = tmp_path / "vmstat"
    counters.write_text("pgfault 12\noom_kill 3\noom_killer 9\n")
    assert oom_kills(counters) == 3
    assert oom_kills(tmp_path / "absent") is None
    counters.write_text("pgfault 12\n")
    assert oom_kills(counters) is None


@pytest.mark.parametrize(
    ("code", "before", "now", "said"),
    [
        (-signal.SIGKILL, 3, 4, "perhaps for want of memory: the kernel has ended a process for that"),
        (-signal.SIGKILL, 3, 5, "perhaps for want of memory: the kernel has ended 2 processes for that"),
        (-signal.SIGKILL, 3, 3, "by somebody else"),
    ],
)
def test_a_kill_is_explained_as_far_as_it_is_known(code, before, now, said):
    assert explain_kill(code, before, now).startswith(said)


@pytest.mark.parametrize(("code", "before", "now"), [(1, 3, 4), (-signal.SIGTERM, 3, 4), (-9, None, 4), (-9, 3, None)])
def test_where_nothing_is_known_nothing_is_said(code, before, now):
    assert explain_kill(code, before, now) == ""
