"""What modules have used, minute by minute."""

from joule.daemon import _usage_history
from joule.daemon._limit_rules import Sample
from joule.daemon._usage_history import UsageHistory


def note(history, at_s, cpu_s, *, memory_bytes=1000, pid=7, started_s=0.0):
    sample = Sample(at_s=at_s, cpu_s=cpu_s, memory_bytes=memory_bytes, processes=2)
    history.note("m", pid, started_s, sample, time_us=int(at_s * 1e6))


def test_a_module_that_never_ran_has_no_samples():
    assert UsageHistory().samples("m") == ()


def test_each_minute_has_its_own_share_of_a_core():
    history = UsageHistory()
    note(history, 60.0, 30.0)
    note(history, 120.0, 36.0)
    assert [(sample.time_us, sample.cpu_percent) for sample in history.samples("m")] == [
        (60_000_000, 50.0),
        (120_000_000, 10.0),
    ]
    assert {(sample.memory_bytes, sample.processes) for sample in history.samples("m")} == {(1000, 2)}


def test_a_new_process_counts_from_its_start():
    history = UsageHistory()
    note(history, 60.0, 30.0)
    note(history, 120.0, 10.0, pid=8, started_s=100.0)
    assert history.samples("m")[-1].cpu_percent == 50.0


def test_time_that_ended_children_took_away_is_no_negative_use():
    history = UsageHistory()
    note(history, 60.0, 30.0)
    note(history, 120.0, 10.0)
    assert history.samples("m")[-1].cpu_percent == 0.0


def test_only_the_last_day_is_kept(monkeypatch):
    monkeypatch.setattr(_usage_history, "LENGTH", 3)
    history = UsageHistory()
    for minute in range(1, 6):
        note(history, minute * 60.0, 0.0)
        wanted = [at * 60_000_000 for at in range(max(1, minute - 2), minute + 1)]
        assert [sample.time_us for sample in history.samples("m")] == wanted


def test_the_most_memory_is_that_of_the_present_process():
    history = UsageHistory()
    note(history, 60.0, 0.0, memory_bytes=5000)
    assert history.note_memory("m", 7, 0.0, 3000) == 5000
    assert history.note_memory("m", 7, 0.0, 9000) == 9000
    assert history.note_memory("m", 8, 70.0, 3000) == 3000
