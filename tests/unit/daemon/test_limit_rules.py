"""When a module uses more than its file allows."""

import pytest

from joule.config import Limits
from joule.daemon._limit_rules import CpuRule, Sample, memory_cause, processes_cause
from joule.daemon._process_table import ProcessInfo


def sample(at_s=0.0, cpu_s=0.0, memory_bytes=0, processes=1):
    return Sample(at_s=at_s, cpu_s=cpu_s, memory_bytes=memory_bytes, processes=processes)


def cpu_causes(limits, *samples):
    rule = CpuRule()
    return [rule.cause(limits, sample(at_s, cpu_s)) for at_s, cpu_s in samples]


def test_a_sample_is_the_sum_over_the_processes_of_a_module():
    facts = {"parent": 1, "group": 7, "start_ticks": 1}
    members = [ProcessInfo(pid=pid, cpu_s=0.5, memory_bytes=1000, **facts) for pid in (7, 8)]
    assert Sample.of(members, 3.0) == sample(3.0, 1.0, 2000, 2)


@pytest.mark.parametrize(("count", "is_ended"), [(500, False), (501, True)])
def test_a_module_may_have_as_many_processes_as_its_limit(count, is_ended):
    cause = processes_cause(Limits(max_processes=500), sample(processes=count))
    assert cause == ("it has 501 processes, more than max_processes = 500" if is_ended else None)


def test_memory_above_the_limit_is_named_with_the_limit():
    cause = memory_cause(Limits(max_memory_bytes=800_000_000), sample(memory_bytes=812_000_000), lambda: 0)
    assert cause == "its memory of 812 MB is above max_memory = 800 MB"


def test_pages_that_processes_share_count_once():
    limits, use = Limits(max_memory_bytes=500), sample(memory_bytes=4000, processes=8)
    assert memory_cause(limits, use, lambda: 500) is None
    assert memory_cause(limits, use, lambda: 600) == "its memory of 600 B is above max_memory = 500 B"


def test_memory_within_the_limit_is_not_measured_again():
    assert memory_cause(Limits(max_memory_bytes=500), sample(memory_bytes=500, processes=2), pytest.fail) is None


def test_without_limits_nothing_is_too_much():
    free = Limits(max_processes=None)
    use = sample(at_s=99.0, cpu_s=1e9, memory_bytes=10**15, processes=10**6)
    assert processes_cause(free, use) is None
    assert memory_cause(free, use, pytest.fail) is None
    assert cpu_causes(free, (0, 0), (99, 1e9)) == [None, None]


def test_a_core_is_counted_over_half_a_minute():
    causes = cpu_causes(Limits(max_cpu_percent=80), (0, 0), (10, 10), (20, 20), (30, 29))
    assert causes == [None, None, None, "it used 97 % of a core over 30 s, more than max_cpu = 80 %"]


def test_a_burst_that_is_shorter_is_no_hog():
    assert not any(cpu_causes(Limits(max_cpu_percent=80), (0, 0), (10, 0), (20, 20), (30, 24), (40, 24), (50, 24)))


def test_old_use_is_forgotten():
    causes = cpu_causes(Limits(max_cpu_percent=80), (0, 0), (60, 10), (70, 20), (80, 30), (90, 40))
    assert causes[:4] == [None] * 4
    assert "100 % of a core over 30 s" in causes[4]


def test_time_that_ended_children_took_out_of_the_sum_is_no_use():
    assert not any(cpu_causes(Limits(max_cpu_percent=1), (0, 500), (40, 3)))
