"""Who wrote which rows: one entry for each stretch, however often it was started and whatever a crash left."""

import dataclasses
import json
import os

import numpy as np
import pytest

from joule.core import Layout
from joule.log import LogWriter, Origin, _provenance, add_origin, add_process, create_log, inspect_provenance, trim_log
from joule.log._head import HeadFile
from joule.log._segments import make_segment

LAYOUT = Layout("float32", 1)
FIRST = Origin(kind="module", name="reader", command="python3 reader.py", code="git 1a2b", host="pi")
SECOND = dataclasses.replace(FIRST, code="git 3c4d")


@pytest.fixture
def log(tmp_path):
    create_log(tmp_path / "log", LAYOUT, "/a/b")
    return tmp_path / "log"


def store(log, start, count, **options):
    writer = LogWriter(log, LAYOUT, stream="/a/b", holder="test", **options)
    rows = np.zeros(count, LAYOUT.dtype)
    rows["timestamp"] = np.arange(start, start + count)
    writer.store(rows)
    writer.close()


def told(log):
    return [
        (part.origin and part.origin.code, part.row, part.end, part.rows, part.first_us, part.last_us)
        for part in inspect_provenance(log)
    ]


def test_each_row_has_the_origin_that_was_recorded_before_it(log):
    add_origin(log, FIRST, 100)
    assert told(log) == [("git 1a2b", 0, 0, 0, None, None)]
    store(log, 10, 3)
    add_origin(log, SECOND, 200)
    store(log, 20, 2)
    assert told(log) == [("git 1a2b", 0, 3, 3, 10, 12), ("git 3c4d", 3, 5, 2, 20, 21)]
    add_process(log, 4711)
    found = [(part.since_us, part.starts, part.pid) for part in inspect_provenance(log)]
    assert found == [(100, 1, None), (200, 1, 4711)]
    assert inspect_provenance(log)[0].origin == FIRST


def test_starts_of_the_same_are_one_entry(log):
    for start in range(5):
        add_origin(log, FIRST, start)
        add_process(log, 100 + start)
        store(log, 10 * start, 2)
    (part,) = inspect_provenance(log)
    assert (part.rows, part.starts, part.since_us, part.last_us, part.pid) == (10, 5, 0, 41, 104)


def test_what_wrote_no_row_is_forgotten_when_something_else_starts(log):
    add_origin(log, FIRST, 1)
    store(log, 1, 1)
    add_origin(log, SECOND, 2)
    add_origin(log, FIRST, 3)
    store(log, 2, 1)
    assert told(log) == [("git 1a2b", 0, 2, 2, 1, 2)]


def test_rows_from_before_anything_was_recorded_are_said_to_be_so(log):
    store(log, 1, 4)
    assert told(log) == [(None, 0, 4, 4, 1, 4)]
    add_origin(log, FIRST, 5)
    store(log, 6, 1)
    assert told(log) == [(None, 0, 4, 4, 1, 4), ("git 1a2b", 4, 5, 1, 6, 6)]


def test_a_hole_at_the_end_of_a_stretch_hides_no_timestamp(log):
    add_origin(log, FIRST, 1)
    store(log, 1, 3)
    head_file = HeadFile(log, write=True)
    head = head_file.load()
    head.end = 100  # a recovery goes on behind indexes that may have been used
    head_file.publish(head)
    head_file.close()
    os.close(make_segment(log, 100, LAYOUT))
    add_origin(log, SECOND, 2)
    store(log, 10, 2)
    assert told(log) == [("git 1a2b", 0, 100, 3, 1, 3), ("git 3c4d", 100, 102, 2, 10, 11)]


def test_rows_that_were_trimmed_are_not_counted(log):
    add_origin(log, FIRST, 1)
    store(log, 0, 10, segment_us=1)
    store(log, 100, 10, segment_us=1)
    add_origin(log, SECOND, 2)
    store(log, 200, 10, segment_us=1)
    trim_log(log, before_us=150, keep_from_row=None)
    assert told(log) == [("git 1a2b", 0, 20, 0, None, None), ("git 3c4d", 20, 30, 10, 200, 209)]


@pytest.mark.parametrize(
    "rest", [b'{"row": 3, "or', b"\0\0\0\0", b"[]\n{}\n", b'{"row":1,"time_us":1,"starts":1,"origin":5}\n']
)
def test_lines_that_a_crash_left_cost_no_other(log, rest):
    add_origin(log, FIRST, 1)
    store(log, 1, 3)
    with (log / "provenance.jsonl").open("ab") as file:
        file.write(rest)
    assert told(log) == [("git 1a2b", 0, 3, 3, 1, 3)]
    add_origin(log, SECOND, 2)
    assert [part.origin for part in inspect_provenance(log)] == [FIRST, SECOND]


def test_a_newer_joules_fields_are_ignored(log):
    add_origin(log, FIRST, 1)
    path = log / "provenance.jsonl"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "origin": {**facts["origin"], "moon": "full"}}) + "\n")
    assert inspect_provenance(log)[0].origin == FIRST


def test_a_module_that_ends_all_the_time_does_not_fill_the_disk(log, monkeypatch):
    monkeypatch.setattr(_provenance, "_LARGEST_BYTES", 4096)
    for start in range(300):
        add_origin(log, FIRST, start)
        add_process(log, start)
    assert (log / "provenance.jsonl").stat().st_size < 3 * 4096
    (part,) = inspect_provenance(log)
    assert (part.starts, part.since_us) == (300, 0)


def test_the_oldest_changes_are_forgotten_when_there_are_too_many(log, monkeypatch):
    monkeypatch.setattr(_provenance, "_LARGEST_BYTES", 0)
    monkeypatch.setattr(_provenance, "_MOST_ENTRIES", 3)
    for number in range(8):
        add_origin(log, dataclasses.replace(FIRST, code=f"v{number}"), number)
        store(log, number, 1)
    assert [code for code, *_ in told(log)] == [None, "v4", "v5", "v6", "v7"]
