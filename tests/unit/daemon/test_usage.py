"""Processor and memory of process groups, measured between questions."""

import os

from joule.daemon._process_table import ProcessInfo
from joule.daemon._usage import UsageMeter


def table(*facts):
    return [
        ProcessInfo(pid=pid, parent=1, group=group, start_ticks=1, cpu_s=cpu_s, memory_bytes=1000)
        for pid, group, cpu_s in facts
    ]


def test_the_first_answer_counts_since_the_start():
    usage = UsageMeter().reckon({7: 100.0}, table((7, 7, 1.0), (8, 7, 1.0), (9, 9, 5.0)), 104.0)
    assert (usage[7].cpu_percent, usage[7].memory_bytes) == (50.0, 2000)


def test_later_ones_count_since_the_question_before():
    meter = UsageMeter()
    meter.reckon({7: 100.0}, table((7, 7, 1.0)), 104.0)
    assert meter.reckon({7: 100.0}, table((7, 7, 2.0)), 106.0)[7].cpu_percent == 50.0


def test_questions_in_a_hurry_get_the_same_answer():
    meter = UsageMeter()
    first = meter.reckon({7: 100.0}, table((7, 7, 1.0)), 104.0)
    assert meter.reckon({7: 100.0}, table((7, 7, 1.1)), 104.01) == first


def test_a_child_that_ended_makes_no_negative_use():
    meter = UsageMeter()
    meter.reckon({7: 100.0}, table((7, 7, 1.0), (8, 7, 9.0)), 104.0)
    assert meter.reckon({7: 100.0}, table((7, 7, 1.0)), 106.0)[7].cpu_percent == 0.0


def test_a_group_that_has_gone_has_no_use():
    assert UsageMeter().reckon({7: 100.0}, table(), 104.0) == {}


def test_this_process_can_be_measured():
    group = os.getpgrp()
    assert UsageMeter().measure({group: 0.0}, 1000.0)[group].memory_bytes > 1_000_000
