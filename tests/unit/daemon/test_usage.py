"""Processor and memory of modules, measured between questions."""

import subprocess
import sys

import pytest

from joule.daemon._process_table import ProcessInfo
from joule.daemon._tag import put_tag
from joule.daemon._usage import UsageMeter


@pytest.fixture
def launch_tagged():
    """A process in a session of its own, as a module's is, and its mark."""
    command = [sys.executable, "-I", "-S", "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        put_tag(process.pid, "1:2:m")
        process.stdout.readline()
        yield process.pid, "1:2:m"
        process.kill()


def table(*facts):
    """Processes of the module 7, by process id and processor time."""
    return {
        7: [
            ProcessInfo(pid=pid, parent=1, group=7, start_ticks=1, cpu_s=cpu_s, memory_bytes=1000)
            for pid, cpu_s in facts
        ]
    }


def test_the_first_answer_counts_since_the_start():
    usage = UsageMeter().reckon({7: 100.0}, table((7, 1.0), (8, 1.0)), 104.0)
    assert (usage[7].cpu_percent, usage[7].memory_bytes) == (50.0, 2000)


def test_later_ones_count_since_the_question_before():
    meter = UsageMeter()
    meter.reckon({7: 100.0}, table((7, 1.0)), 104.0)
    assert meter.reckon({7: 100.0}, table((7, 2.0)), 106.0)[7].cpu_percent == 50.0


def test_questions_in_a_hurry_get_the_same_answer():
    meter = UsageMeter()
    first = meter.reckon({7: 100.0}, table((7, 1.0)), 104.0)
    assert meter.reckon({7: 100.0}, table((7, 1.1)), 104.01) == first


def test_a_child_that_ended_makes_no_negative_use():
    meter = UsageMeter()
    meter.reckon({7: 100.0}, table((7, 1.0), (8, 9.0)), 104.0)
    assert meter.reckon({7: 100.0}, table((7, 1.0)), 106.0)[7].cpu_percent == 0.0


def test_a_module_that_has_gone_has_no_use():
    assert UsageMeter().reckon({7: 100.0}, table(), 104.0) == {}


def test_a_module_is_measured_with_the_processes_that_it_started(launch_tagged):
    pid, mark = launch_tagged
    assert UsageMeter().measure({mark: (pid, 0.0)}, 1000.0)[pid].memory_bytes > 1_000_000
