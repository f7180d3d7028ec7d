"""What a round makes durable, and what it never claims: failing syncs, full disks, streams that keep nothing."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import errno
import logging
import time
from pathlib import Path

import pytest

from joule.core import Layout
from joule.errors import ForeignFileError
from joule.log import (
    DISK,
    DiskFiles,
    LogWriter,
    NodeRecord,
    Syncer,
    create_log,
    cursor_path,
    ensure_cursors,
    load_records,
    newest_record,
    read_identity,
)
from joule.log._head import Head
from joule.log._record import LogPoint, RecordFiles, record_paths
from joule.log._syncer_process import _Rounds, pause_s

from .memory_files import MemoryFiles

LAYOUT = Layout("int64", 1)


class Node:
    """Logs below one directory, in memory."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.files = MemoryFiles()
        self.files.make_directory(self.data)
        self.writers: dict[int, LogWriter] = {}

    def log(self, number: int) -> Path:
        directory = self.data / "streams" / str(number)
        directory.mkdir(parents=True, exist_ok=True)  # for the lock
        return directory

    def store(self, number: int, times: list[int], **options) -> None:
        if number not in self.writers:
            settings = {"stream": f"/{number}", "holder": "the test", "files": self.files, **options}
            self.writers[number] = LogWriter(self.log(number), LAYOUT, **settings)
        import numpy as np

        rows = np.zeros(len(times), LAYOUT.dtype)
        rows["timestamp"] = times
        self.writers[number].store(rows)

    def durable(self, number: int) -> int:
        log_id = read_identity(self.log(number), self.files).log_id
        return load_records(self.data, self.files)[0].logs[log_id].head.stored

    def fault(self, number: int) -> str:
        log_id = read_identity(self.log(number), self.files).log_id
        return load_records(self.data, self.files)[0].logs[log_id].fault


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path)
    yield node
    for writer in node.writers.values():
        writer.close()


def test_what_is_stored_when_a_round_begins_is_durable_when_it_ends(node):
    node.store(1, [1, 2, 3])
    node.store(2, [1])
    with Syncer(node.data, node.files) as syncer:
        assert syncer.round()
        assert (node.durable(1), node.durable(2)) == (3, 1)
        node.store(1, [4])
        assert syncer.round()
    assert (node.durable(1), node.durable(2)) == (4, 1)


def test_a_node_at_rest_does_not_wake_its_disk(node):
    node.store(1, [1, 2, 3])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        syncs, written = node.files.syncs, node.files.written_bytes
        assert [syncer.round() for _ in range(5)] == [False] * 5
    assert (node.files.syncs, node.files.written_bytes) == (syncs, written)


def test_only_the_logs_that_have_moved_are_synced(node):
    for number in range(1, 21):
        node.store(number, [1])
    with Syncer(node.data, node.files) as syncer:
        for times in ([2], [3]):  # then both files of records are there
            node.store(7, times)
            syncer.round()
        node.store(7, [4])
        before = node.files.syncs
        syncer.round()
        assert node.files.syncs == before + 2  # its segment, and the record


def test_a_stream_that_keeps_nothing_is_never_synced_nor_worth_a_record(node):
    node.store(1, [1], is_transient=True)
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        before = node.files.syncs
        node.store(1, [2, 3])
        assert not syncer.round()
        assert node.files.syncs == before


def test_a_stream_that_kept_nothing_is_synced_whole_when_it_begins_to_keep_its_rows(node):
    node.store(1, [1, 2], is_transient=True, segment_us=1)
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        node.writers.pop(1).close()
        node.store(1, [3], segment_us=1)
        syncer.round()
    names = node.files._names[str(node.log(1))]
    assert [names[name].pending for name in names if name.endswith(".rows")] == [[], []]
    assert node.durable(1) == 3


def test_that_the_disk_does_not_answer_is_said_while_it_does_not(caplog):
    answers = concurrent.futures.Future()
    answers.set_running_or_notify_cancel()

    class Tells(logging.Handler):
        def emit(self, record):
            answers.set_result(True)  # so the round ends only when it was told of

    logger = logging.getLogger("joule.syncer")
    logger.addHandler(tells := Tells())
    try:
        assert _Rounds(lambda: answers, slow_s=0.01).next()
    finally:
        logger.removeHandler(tells)
    assert "does not answer" in caplog.text


def test_a_failed_sync_is_never_tried_again_and_nothing_behind_it_is_called_durable(node, caplog):
    node.store(1, [1, 2])
    node.store(2, [1])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        node.store(1, [3])
        node.files.fails = {"streams/1/": errno.EIO}
        syncer.round()
        node.files.fails = {}  # the next fsync succeeds, as on Linux, and proves nothing
        node.store(1, [4])
        node.store(2, [2])
        syncer.round()
        assert (node.durable(1), node.durable(2)) == (2, 2)
    with Syncer(node.data, node.files) as another:  # the syncer was killed meanwhile
        node.store(1, [5])
        node.store(2, [3])
        another.round()
    assert (node.durable(1), node.durable(2)) == (2, 3)
    assert "Input/output error" in node.fault(1)
    (told,) = (record.getMessage() for record in caplog.records)
    assert all(words in told for words in ("streams/1", "not durable from row 2 on", "check the disk"))


def test_a_failed_sync_is_remembered_until_a_record_can_tell_of_it(node):
    node.store(1, [1, 2])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        node.store(1, [3])
        node.files.fails = {"streams/1/": errno.EIO, "/durable.": errno.EIO}
        with pytest.raises(OSError):
            syncer.round()
        node.files.fails = {}
        assert syncer.round()
        assert not syncer.round()
    assert node.durable(1) == 2
    assert "Input/output error" in node.fault(1)


def test_rows_go_on_being_stored_where_the_disk_refuses_to_sync(node):
    node.files.fails = {"streams/1/head": errno.EIO}
    create_log_without_faults(node)
    node.store(1, [1, 2])
    node.store(1, [3])
    assert node.writers[1].head.stored == 3


def create_log_without_faults(node):
    fails, node.files.fails = node.files.fails, {}
    create_log(node.log(1), LAYOUT, "/1", node.files)
    node.files.fails = fails


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_record_that_cannot_be_written_leaves_what_was_durable_and_is_tried_again(node, error):
    node.store(1, [1])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        node.store(1, [2])
        node.files.fails = {"/durable.": error}
        for _ in range(3):
            with pytest.raises(OSError):
                syncer.round()
        assert [record.sequence for record in load_records(node.data, node.files)][-1] == 1
        assert syncer.record.sequence == 1
        node.files.fails = {}
        syncer.round()
    assert node.durable(1) == 2


def test_cursors_are_recorded_with_the_logs_that_they_belong_to(node):
    node.store(1, [1, 2, 3])
    node.store(2, [1])
    ensure_cursors(cursor_path(node.data, "f"), "f", {"in": node.log(1)}, {"out": node.log(2)}, node.files)
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
    (record,) = load_records(node.data, node.files)
    ids = [read_identity(node.log(number), node.files).log_id for number in (1, 2)]
    assert record.cursors["f.cursor"].inputs == {"in": (ids[0], 3, 0)}
    assert record.cursors["f.cursor"].outputs == {"out": (ids[1], 1)}


def test_sinks_are_looked_at_before_sources(node):
    for number in (1, 2, 3):
        node.store(number, [1])
    ensure_cursors(cursor_path(node.data, "a"), "a", {"in": node.log(1)}, {"out": node.log(2)}, node.files)
    ensure_cursors(cursor_path(node.data, "b"), "b", {"in": node.log(2)}, {"out": node.log(3)}, node.files)
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        looked = [syncer._directories[log_id] for log_id in syncer._order]
    assert looked == ["3", "2", "1"]


def test_a_cursor_file_that_was_replaced_is_followed(node):
    node.store(1, [1, 2])
    path = cursor_path(node.data, "f")
    ensure_cursors(path, "f", {"in": node.log(1)}, {}, node.files)
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        ensure_cursors(path, "f", {"in": node.log(1), "more": node.log(1)}, {}, node.files)
        assert syncer.round()
        assert set(syncer.record.cursors["f.cursor"].inputs) == {"in", "more"}
        node.files.remove(path)
        assert syncer.round()
        assert syncer.record.cursors == {}


def test_a_log_that_cannot_be_opened_for_a_moment_stays_as_durable_as_it_was(node):
    node.store(1, [1, 2])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
    entries = node.files._names[str(node.log(1))]
    description = entries.pop("log.json")
    node.store(2, [1])
    with Syncer(node.data, node.files) as syncer:
        assert syncer.round()
    entries["log.json"] = description
    assert (node.durable(1), node.durable(2)) == (2, 1)


def test_the_log_of_a_deleted_stream_leaves_the_record(node):
    node.store(1, [1])
    node.store(2, [1])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        del node.files._names[str(node.log(1))]
        assert syncer.round()
        assert [point.name for point in syncer.record.logs.values()] == ["2"]


def test_nobody_who_looks_is_told_of_a_record_that_is_not_synced(node):
    node.store(1, [1])
    with Syncer(node.data, node.files) as syncer:
        syncer.round()
        node.store(1, [2])
        node.files.fails = {"/durable.": errno.EIO}  # it is written, and its sync does not return in good order
        with pytest.raises(OSError):
            syncer.round()
    assert node.durable(1) == 2  # a reader of the page cache sees it
    assert newest_record(node.data, node.files).sequence == 1
    node.files.fails = {}
    with Syncer(node.data, node.files) as another:  # and a syncer that finds it writes it again
        assert another.round()
    assert newest_record(node.data, node.files).sequence == 2
    assert [record.sequence for record in load_records(node.data, node.files)] == [2, 1]


@pytest.mark.parametrize("cut", range(0, 150, 7))
def test_a_record_cut_off_anywhere_leaves_the_one_before(tmp_path, cut):
    files = RecordFiles(tmp_path)
    point = LogPoint(name="1", head=Head(end=5, stored=5))
    for sequence in (1, 2):
        files.write(NodeRecord(sequence=sequence, boot=b"b" * 24, logs={f"log {n}": point for n in range(3)}))
    files.close()
    newest = record_paths(tmp_path)[0]
    assert newest.stat().st_size > 150
    newest.write_bytes(newest.read_bytes()[:cut])
    (record,) = load_records(tmp_path)
    assert record.sequence == 1


@pytest.mark.parametrize("content", [b"something else", b"JOULEDUR\x09\0\0\0" + bytes(50)])
def test_a_foreign_record_is_named_and_left_alone(tmp_path, content):
    path = record_paths(tmp_path)[1]
    path.write_bytes(content.ljust(64, b"x"))
    with pytest.raises(ForeignFileError, match=r"durable\.1"):
        load_records(tmp_path)
    assert path.read_bytes() == content.ljust(64, b"x")


def test_looking_at_many_quiet_streams_takes_little(tmp_path):
    for number in range(200):
        create_log(tmp_path / "streams" / str(number), LAYOUT, f"/{number}", NoSync())
    with Syncer(tmp_path, NoSync()) as syncer:
        syncer.round()
        times = []
        for _ in range(10):
            began_s = time.process_time()
            assert not syncer.round()
            times.append(time.process_time() - began_s)
    assert min(times) < 0.02  # some 2 ms; a thousand are to take less than 10 on a quiet machine


class NoSync(DiskFiles):
    def sync(self, fd):
        return


def test_pauses_are_as_configured_and_looking_never_takes_more_than_a_twentieth():
    assert pause_s(1.0, 0.002) == 1.0
    assert pause_s(0.0, 0.0001) == 0.01
    assert pause_s(0.0, 0.01) == pytest.approx(0.2)


def test_row_indexes_are_reserved_before_the_first_is_used(node):
    node.store(1, [1])
    head = node.files._names[str(node.log(1))]["head"]
    assert dataclasses.replace(node.writers[1].head, end=0, stored=0, last_us=-(2**63)).pack() == head.durable


def test_a_writer_that_follows_a_killed_one_needs_no_sync(node):
    node.store(1, [1])
    writer = node.writers.pop(1)
    writer._process = 0  # killed: it publishes nothing more
    writer.close()
    before = node.files.syncs
    node.store(1, [2])
    assert node.files.syncs == before


def test_a_log_of_an_earlier_version_opens_and_is_reserved(tmp_path):
    log = tmp_path / "log"
    create_log(log, LAYOUT, "/a")
    data = Head(end=0).pack()  # names no boot, reserves nothing
    (log / "head").write_bytes(data)
    writer = LogWriter(log, LAYOUT, stream="/a", holder="t")
    assert writer.head.reserved == 2**32
    assert writer.head.boot == DISK.boot(log)
    writer.close()
