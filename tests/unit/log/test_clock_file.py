"""The file of a node's clock: what one process writes, others go by; what is no clock is left alone."""

from __future__ import annotations

import mmap
import subprocess
import sys
import time

import pytest

from joule.core import ClockLaw, time_now
from joule.errors import ForeignFileError, LogError
from joule.log import ClockFile, ClockMemory, following_clock

BOOT = bytes(range(16))


def law_from(node_us, sequence=1):
    return ClockLaw.start(BOOT, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000, node_us, sequence)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clock"


@pytest.fixture
def file(path):
    file = ClockFile(path)
    yield file
    file.close()


def test_a_new_file_has_neither_law_nor_memory(file):
    assert (file.law, file.memory) == (None, None)


def test_what_was_written_is_there_for_the_next_writer(file, path):
    law, memory = law_from(5), ClockMemory(floor_us=-7, unconfirmed_us=2**40)
    file.publish(law)
    file.remember(memory)
    file.close()
    again = ClockFile(path)
    assert (again.law, again.memory) == (law, memory)
    again.close()


def test_another_process_goes_by_it_also_by_a_law_that_comes_later(file, path):
    file.publish(law_from(10**15))
    code = (
        "import sys; from pathlib import Path; from joule import time_now; from joule.log import following_clock\n"
        f"with following_clock(Path({str(path)!r})):\n"
        "    for line in sys.stdin: print(time_now(), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:

        def ask():
            other.stdin.write("?\n")
            other.stdin.flush()
            return int(other.stdout.readline())

        with following_clock(path):
            before = time_now()
            assert before <= ask() <= time_now()
            file.publish(law_from(2 * 10**15, sequence=2))
            assert time_now() >= 2 * 10**15
            assert 2 * 10**15 <= ask() <= time_now()
        other.stdin.close()


def test_afterwards_the_system_s_clock_counts_again(file, path):
    file.publish(law_from(5))
    with following_clock(path):
        assert time_now() < 10**12
    assert abs(time_now() - time.time_ns() // 1000) < 10**6


def test_a_file_system_without_mappings_costs_a_system_call_and_no_more(file, path, monkeypatch):
    class Unmappable(mmap.mmap):
        def __new__(cls, *args, **options):
            raise OSError(19, "No such device")

    monkeypatch.setattr("joule.log._clock_file.mmap.mmap", Unmappable)
    file.publish(law_from(10**15))
    with following_clock(path):
        assert 10**15 <= time_now() < 2 * 10**15
        file.publish(law_from(2 * 10**15, sequence=2))
        assert time_now() >= 2 * 10**15


@pytest.mark.parametrize("content", [b"", b"short", bytes(4096)])
def test_a_file_without_a_law_is_told_to_who_wants_to_go_by_it(path, content):
    path.write_bytes(content)
    with pytest.raises(LogError, match="holds no clock"), following_clock(path):
        pass


def test_a_foreign_file_is_named_and_left_alone(path):
    path.write_text("what a person wrote")
    with pytest.raises(ForeignFileError, match="no clock of a node"):
        ClockFile(path)
    assert path.read_text() == "what a person wrote"


@pytest.mark.parametrize("offset", [8, 512 + 8])
def test_a_file_of_a_newer_version_is_named_and_left_alone(file, path, offset):
    file.publish(law_from(5))
    file.remember(ClockMemory(floor_us=1))
    file.close()
    data = bytearray(path.read_bytes())
    data[offset] = 2
    path.write_bytes(data)
    with pytest.raises(ForeignFileError, match="version 2"):
        ClockFile(path)
    assert path.read_bytes() == data


def test_a_damaged_law_leaves_the_memory(file, path):
    file.publish(law_from(5))
    file.remember(ClockMemory(floor_us=77))
    file.close()
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(data)
    again = ClockFile(path)
    assert (again.law, again.memory) == (None, ClockMemory(floor_us=77))
    again.close()
