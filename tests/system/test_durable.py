"""Rows of a running node become durable, whatever happens to the syncer; and after a power cut it goes back to them.

The power is cut by letting all heads, and the record, name another boot: to whoever looks, the page cache is gone.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess

import pytest

from joule.log import BREAK, load_records, read_head, read_log
from joule.log._head import HeadFile
from joule.log._record import RecordFiles

pytestmark = pytest.mark.timeout(60)

READER = """
    import asyncio
    import joule

    class Reader(joule.ReaderModule):
        async def run(self, parsed_args, output):
            while not self.stop_requested:
                await output.write([[joule.time_now(), 1]])
                await asyncio.sleep(0.005)

    Reader().start()
"""
RAW = "output = /test/raw:float64[a]"
OTHER_BOOT = bytes(range(24))


def stream(kit):
    return kit.ask("stream", "/test/raw")


def syncer_of(kit):
    pids = [pid for pid, command in kit.processes() if "joule.log._syncer_process" in command]
    return pids[0] if len(pids) == 1 else None


@pytest.fixture
def jouled(kit):
    kit.add("reader", READER, outputs=RAW)
    main = kit.directory / "main.conf"
    main.write_text(main.read_text() + "\nSyncInterval = 100ms\n")
    return kit.start()


def test_stored_rows_become_durable_and_all_are_when_the_node_was_stopped(kit, jouled):
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 20, "durable rows")
    assert stream(kit).durable_us is not None
    assert jouled.stop() == 0
    info = stream(kit)
    assert info.durable_rows == info.stored_rows > 20
    assert info.problem is None
    assert syncer_of(kit) is None


def test_files_of_the_user_in_the_directory_where_jouled_runs_are_no_libraries(kit, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    kit.add("reader", READER, outputs=RAW)
    kit.start()
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 0, "durable rows")


def test_a_killed_syncer_is_started_again_and_costs_nothing_but_time(kit, jouled):
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 0, "durable rows")
    first = syncer_of(kit)
    os.kill(first, signal.SIGKILL)
    kit.wait(lambda: syncer_of(kit) not in (first, None), "another syncer")
    stored = stream(kit).stored_rows
    kit.wait(lambda: stream(kit).durable_rows > stored, "durable rows again")
    assert "the syncer failed" in jouled.said()
    assert stream(kit).refused_rows == 0


def test_a_stuck_syncer_keeps_no_writer_from_storing_and_does_not_keep_jouled_for_ever(kit, jouled):
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 0, "durable rows")
    os.kill(syncer_of(kit), signal.SIGSTOP)
    before = stream(kit)
    kit.wait(lambda: stream(kit).stored_rows > before.stored_rows + 50, "rows")
    assert stream(kit).durable_rows < stream(kit).stored_rows
    (log,) = (kit.directory / "data" / "streams").iterdir()
    jouled.process.send_signal(signal.SIGTERM)
    kit.wait(lambda: read_head(log).is_closed, "the end of the reader")
    assert jouled.stop() == 0  # a second signal shortens the wait
    assert "cut short" in jouled.said()
    assert syncer_of(kit) is None


def test_a_syncer_that_somebody_else_has_stopped_does_its_last_round_all_the_same(kit, jouled):
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 0, "durable rows")
    os.kill(syncer_of(kit), signal.SIGTERM)
    kit.wait(lambda: syncer_of(kit) is None, "its end")
    assert jouled.stop() == 0
    info = stream(kit)
    assert info.durable_rows == info.stored_rows > 0


@pytest.mark.needs("strace")
def test_a_disk_that_fails_to_sync_a_log_is_told_and_rows_go_on_being_stored(kit, jouled, under_strace):
    """The kernel's own call fails, once: what comes after it succeeds, and counts for nothing."""
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 0, "durable rows")
    under_strace(syncer_of(kit), "fsync:error=EIO:when=1")
    kit.wait(lambda: stream(kit).problem, "a problem")
    before = stream(kit)
    assert "Input/output error" in before.problem
    kit.wait(lambda: stream(kit).stored_rows > before.stored_rows + 20, "rows")
    assert stream(kit).durable_rows == before.durable_rows
    assert "is not durable from row" in jouled.said()


@pytest.fixture
def under_strace():
    """Have calls of a process fail."""
    with contextlib.ExitStack() as stack:

        def inject(pid, what):
            tracer = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={what}", "-p", str(pid)],
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(tracer.stderr.close)
            stack.callback(tracer.wait)
            stack.callback(tracer.terminate)

        yield inject


def cut_power(data):
    for directory in (data / "streams").iterdir():
        head_file = HeadFile(directory, write=True)
        head = head_file.load()
        head_file.publish(dataclasses.replace(head, boot=OTHER_BOOT))
        head_file.close()
    files = RecordFiles(data)
    for record in reversed(load_records(data)):
        files.write(dataclasses.replace(record, boot=OTHER_BOOT))
    files.close()


def test_after_a_power_cut_the_durable_rows_are_there_and_the_rest_is_told(kit, jouled):
    data = kit.directory / "data"
    kit.wait(lambda: (stream(kit).durable_rows or 0) > 20, "durable rows")
    os.kill(syncer_of(kit), signal.SIGSTOP)  # so that there are rows that are not durable
    (point,) = load_records(data)[0].logs.values()
    log = data / "streams" / point.name
    kit.wait(lambda: read_head(log).stored > point.head.stored + 20, "rows")
    jouled.process.send_signal(signal.SIGTERM)
    kit.wait(lambda: read_head(log).is_closed, "the end of the reader")
    jouled.stop()
    cut_power(data)

    offline = stream(kit)
    assert f"only its first {point.head.stored} rows are certain" in offline.problem
    last = kit.start()
    assert f"after a power cut {point.head.stored} rows are there" in last.said()
    assert stream(kit).lost_rows > 20
    assert stream(kit).problem is None
    kit.wait(lambda: stream(kit).stored_rows > point.head.stored, "new rows")
    blocks = list(read_log(log))
    assert blocks[-2] is BREAK
    assert sum(len(block) for block in blocks[:-2] if block is not BREAK) == point.head.stored
