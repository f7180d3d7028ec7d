"""What a recovery does with single cases that a node at work seldom meets."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from joule.core import Layout
from joule.log import (
    BREAK,
    LogWriter,
    Syncer,
    copy_later_rows,
    create_log,
    inspect_durability,
    inspect_log,
    load_records,
    newest_record,
    read_head,
    read_log,
    recover_node,
)
from joule.log._segments import HEADER_BYTES, segment_path

from .memory_files import MemoryFiles

LAYOUT = Layout("int64", 1)


def rows(times):
    made = np.zeros(len(times), LAYOUT.dtype)
    made["timestamp"] = made["data"] = times
    return made


@pytest.fixture
def data(tmp_path):
    for number in (1, 2):
        (tmp_path / "data" / "streams" / str(number)).mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def files(data):
    files = MemoryFiles()
    files.make_directory(data)
    recover_node(data, files)
    return files


def log(data, number=1):
    return data / "streams" / str(number)


def store(data, files, times, number=1, is_orderly=False, **options):
    writer = LogWriter(log(data, number), LAYOUT, stream=f"/{number}", holder="t", files=files, **options)
    writer.store(rows(times))
    if not is_orderly:
        writer._process = 0
    writer.close()


def sync(data, files):
    with Syncer(data, files) as syncer:
        syncer.round()


def contents(data, files, number=1, at=None):
    found = []
    for block in read_log(log(data, number), files=files, at=at):
        found += ["break"] if block is BREAK else block["timestamp"].tolist()
    return found


def rebooted(files, seed=None):
    """All that was written is there, as after an orderly shutdown; or what a power cut leaves."""
    if seed is not None:
        return files.crashed(seed)
    return MemoryFiles(files._boot + 1, files._names)


def test_without_a_new_boot_nothing_happens(data, files):
    store(data, files, [1, 2])
    assert recover_node(data, files) == []
    assert contents(data, files) == [1, 2]


def test_an_orderly_stop_costs_nothing_not_even_an_index(data, files):
    store(data, files, [1, 2], is_orderly=True)
    sync(data, files)
    for seed in range(20):
        after = rebooted(files, seed)
        assert recover_node(data, after) == []
        assert read_head(log(data), after).end == 2
        assert contents(data, after) == [1, 2]


def test_rows_behind_the_record_are_dropped_and_counted_and_a_break_stands_for_them(data, files):
    store(data, files, [1, 2])
    sync(data, files)
    store(data, files, [3, 4, 5])
    after = rebooted(files)
    (recovered,) = recover_node(data, after)
    assert (recovered.stream, recovered.kept, recovered.dropped, recovered.last_us) == ("/1", 2, 3, 2)
    store(data, after, [7])
    assert contents(data, after) == [1, 2, "break", 7]
    assert inspect_log(log(data), after).lost_rows == 3
    assert read_head(log(data), after).end == 2**32 + 1


def test_a_stream_that_was_never_durable_begins_anew_behind_its_indexes(data, files):
    store(data, files, [1, 2])
    after = rebooted(files)
    recover_node(data, after)
    assert contents(data, after) == []
    assert read_head(log(data), after).end == 2**32


def test_a_stream_that_keeps_nothing_is_empty_afterwards_and_readers_get_a_break(data, files):
    store(data, files, [1, 2], is_transient=True)
    sync(data, files)
    after = rebooted(files)
    recover_node(data, after)
    assert contents(data, after) == []
    head = read_head(log(data), after)
    assert (head.breaks, head.stored) == (1, 2)
    store(data, after, [3], is_transient=True)
    assert contents(data, after) == [3]


def test_a_log_that_was_put_there_from_another_machine_is_left_as_it_is(data, files):
    other = MemoryFiles(boot=77)
    other.make_directory(data)
    store(data, other, [1, 2, 3], number=2)
    files._names[str(log(data, 2))] = dict(other._names[str(log(data, 2))])
    after = rebooted(files)
    recover_node(data, after)
    assert contents(data, after, 2) == [1, 2, 3]


def test_a_node_of_an_earlier_version_keeps_all_its_rows(data, files):
    store(data, files, [1, 2])
    for name in ("durable.0", "durable.1"):
        files._names[str(data)].pop(name, None)
    after = rebooted(files)
    assert recover_node(data, after) == []
    assert contents(data, after) == [1, 2]
    assert load_records(data, after)[0].boot == after.boot(data)


def test_rows_set_aside_are_durable_without_a_record(data, files):
    store(data, files, [1, 2, 300], is_orderly=True)
    copy_later_rows(log(data), log(data, 2), "/2", 100, files)
    for seed in range(10):
        after = rebooted(files, seed)
        recover_node(data, after)
        assert contents(data, after, 2) == [300]


def test_what_a_disk_has_lost_although_it_was_synced_is_told_and_costs_only_that(data, files):
    store(data, files, [1, 2])
    sync(data, files)
    store(data, files, [3, 4])
    sync(data, files)
    segment = files._names[str(log(data))][segment_path(log(data), 0).name]
    segment.write(HEADER_BYTES + 2 * LAYOUT.row_bytes, bytes(LAYOUT.row_bytes))
    after = rebooted(files)
    recover_node(data, after)
    assert contents(data, after) == [1, 2]  # the record before was whole


def test_where_both_records_count_rows_that_are_gone_the_others_stay(data, files):
    store(data, files, [1, 2])
    sync(data, files)
    store(data, files, [3, 4])
    sync(data, files)
    store(data, files, [5], number=2)
    sync(data, files)
    segment = files._names[str(log(data))][segment_path(log(data), 0).name]
    segment.write(HEADER_BYTES + 3 * LAYOUT.row_bytes, bytes(LAYOUT.row_bytes))
    after = rebooted(files)
    (damaged,) = (found for found in recover_node(data, after) if found.damage)
    assert "2 rows that were durable are not there" in damaged.damage
    assert contents(data, after) == [1, 2]
    assert contents(data, after, 2) == [5]


def test_a_log_whose_sync_failed_becomes_durable_again_with_a_new_boot(data, files):
    store(data, files, [1, 2])
    sync(data, files)
    store(data, files, [3])
    files.fails = {"streams/1/": errno.EIO}
    sync(data, files)
    assert "Input/output" in inspect_durability(log(data), newest_record(data, files), files).fault
    after = rebooted(files, 5)
    recover_node(data, after)
    store(data, after, [4])
    sync(data, after)
    found = inspect_durability(log(data), newest_record(data, after), after)
    assert (found.fault, found.rows) == ("", 3)
    assert contents(data, after) == [1, 2, "break", 4]


def test_before_a_recovery_readers_can_read_what_is_certain(data, files):
    store(data, files, [1, 2])
    sync(data, files)
    store(data, files, [3, 4])
    assert inspect_durability(log(data), newest_record(data, files), files).certain is None
    after = rebooted(files)
    certain = inspect_durability(log(data), newest_record(data, after), after).certain
    assert contents(data, after, at=certain) == [1, 2]


def test_a_new_log_that_nobody_has_written_is_left_alone(data, files):
    create_log(log(data), LAYOUT, "/1", files)
    after = rebooted(files)
    assert recover_node(data, after) == []
    store(data, after, [1])
    assert contents(data, after) == [1]
