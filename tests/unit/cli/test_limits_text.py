import dataclasses

from joule.cli._limits_text import limits_text, recent_ends_text
from joule.config import Limits


def test_limits_are_one_line():
    limits = Limits(
        timeout_us=30_000_000,
        max_memory_bytes=800_000_000,
        max_cpu_percent=80.0,
        nice=5,
        max_restarts=3,
    )
    assert limits_text(dataclasses.asdict(limits)) == (
        "a row every 30s, memory 800 MB, CPU 80 %, 500 processes, niceness +5, failed at 3 ends within 10min, "
        "then tried once in that time"
    )
    assert limits_text(dataclasses.asdict(Limits(on_failed="stop"))).endswith(
        "failed at 10 ends within 10min, then left so"
    )
    none = dataclasses.replace(Limits(), max_restarts=None, max_processes=None)
    assert limits_text(dataclasses.asdict(none)) == "never failed"
    assert limits_text({}) == ""


def test_recent_ends_are_told_with_their_window():
    assert recent_ends_text(3, dataclasses.asdict(Limits())) == "3 within 10min"
    assert recent_ends_text(0, dataclasses.asdict(Limits())) == ""
