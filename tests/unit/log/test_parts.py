"""Heads, breaks, locks, bells, the runtime directory: each by itself."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from joule.core import Layout
from joule.errors import DamagedLogError, ForeignFileError, LogError
from joule.log import Bell, Head, LogReader, ProcessLock, create_log, lock_holder, read_identity, runtime_directory
from joule.log._bells import Ringer
from joule.log._breaks import BREAKS_NAME, BreakFile
from joule.log._head import HEAD_NAME, HeadFile

LAYOUT = Layout("float64", 3)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    create_log(tmp_path / "log", LAYOUT, "/a/raw")
    return tmp_path / "log"


def test_a_published_head_is_loaded_as_it_was(log):
    head = Head(
        end=2**40, breaks=7, last_us=-5, segment=2**39, stored=3, refused=1, repeated=2, ahead=1, is_closed=False
    )
    HeadFile(log, write=True).publish(head)
    assert HeadFile(log).load() == head


@pytest.mark.parametrize("offset", range(0, 128, 5))
def test_every_changed_byte_of_a_head_is_noticed(log, offset):
    data = bytearray((log / HEAD_NAME).read_bytes())
    data[offset] ^= 0x10
    (log / HEAD_NAME).write_bytes(data)
    with pytest.raises((DamagedLogError, ForeignFileError), match=HEAD_NAME):
        HeadFile(log).load()


def test_a_head_of_a_newer_version_is_named_with_its_version(log):
    data = bytearray((log / HEAD_NAME).read_bytes())
    data[8] = 2
    (log / HEAD_NAME).write_bytes(data)
    with pytest.raises(ForeignFileError, match="version 2"):
        HeadFile(log).load()


def test_breaks_are_kept_by_number(log):
    breaks = BreakFile(log, write=True)
    breaks.put(0, 5)
    breaks.put(1, 2**40)
    assert (BreakFile(log).row(1), BreakFile(log).rows(2).tolist()) == (2**40, [5, 2**40])
    with pytest.raises(DamagedLogError, match="ends before break 2"):
        breaks.row(2)


def test_a_foreign_file_of_breaks_is_named(log):
    (log / BREAKS_NAME).write_bytes(b"something else altogether")
    with pytest.raises(ForeignFileError, match=BREAKS_NAME):
        LogReader(log)


@pytest.mark.parametrize(
    ("text", "error", "word"),
    [
        ("{", DamagedLogError, "no JSON"),
        ("[]", ForeignFileError, "does not describe"),
        ('{"format": "joule stream log", "version": 99}', ForeignFileError, "version 99"),
        ('{"format": "joule stream log", "version": 1}', DamagedLogError, "lacks"),
        ('{"format": "joule stream log", "version": 1, "stream": "/a", "layout": "x"}', DamagedLogError, "x"),
    ],
)
def test_a_description_that_is_none_is_named_and_left_alone(log, text, error, word):
    (log / "log.json").write_text(text)
    with pytest.raises(error, match=word) as caught:
        read_identity(log)
    assert "log.json" in str(caught.value)
    assert (log / "log.json").read_text() == text


def test_a_missing_part_of_a_log_is_named(log):
    (log / HEAD_NAME).unlink()
    with pytest.raises(DamagedLogError, match="head: it is missing"):
        LogReader(log)


def test_a_directory_without_a_log_is_named(tmp_path):
    with pytest.raises(LogError, match="no stream log"):
        LogReader(tmp_path)


def test_rows_without_their_description_are_never_taken_for_an_empty_log(log):
    from joule.log import LogWriter

    LogWriter(log, LAYOUT, stream="/a/raw", holder="x").close()
    (log / "log.json").unlink()
    with pytest.raises(ForeignFileError, match="holds rows"):
        create_log(log, LAYOUT, "/a/raw")


# Locks


def test_a_lock_excludes_its_own_process_and_others_and_says_who_has_it(tmp_path):
    path = tmp_path / "lock"
    lock = ProcessLock(path, "the test")
    with pytest.raises(BlockingIOError, match="this process"):
        ProcessLock(path, "again")
    program = (
        "import sys; from pathlib import Path; from joule.log import ProcessLock, lock_holder\n"
        "print(lock_holder(Path(sys.argv[1])))\n"
        "try: ProcessLock(Path(sys.argv[1]), 'other')\n"
        "except BlockingIOError as error: print(error.args[1])"
    )
    answer = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == [f"the test, process {os.getpid()}"] * 2
    lock.close()
    assert lock_holder(path) is None
    ProcessLock(path, "next").close()


def test_asking_who_holds_a_lock_does_not_release_it(tmp_path):
    path = tmp_path / "lock"
    lock = ProcessLock(path, "the test")
    assert lock_holder(path) == f"this process ({os.getpid()})"
    program = (
        "import sys; from pathlib import Path; from joule.log import ProcessLock\nProcessLock(Path(sys.argv[1]), 'x')"
    )
    answer = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert "BlockingIOError" in answer.stderr
    lock.close()


def test_a_lock_ends_with_its_process_also_when_a_forked_child_lives_on(tmp_path):
    path = tmp_path / "lock"
    program = (
        "import os, sys, time; from pathlib import Path; from joule.log import ProcessLock\n"
        "ProcessLock(Path(sys.argv[1]), 'x')\n"
        "if os.fork() == 0:\n"
        "    sys.stdin.read(); os._exit(0)\n"
        "os._exit(0)"
    )
    with subprocess.Popen([sys.executable, "-c", program, path], stdin=subprocess.PIPE) as process:
        process.wait()
        ProcessLock(path, "next").close()


# Bells


def is_rung(bell: Bell) -> bool:
    return bool(select.select([bell.fd], [], [], 0)[0])


def test_a_bell_rings_until_it_is_answered(tmp_path):
    bell, ringer = Bell(tmp_path), Ringer(tmp_path)
    bell.ask()
    assert not is_rung(bell)
    ringer.ring()
    assert is_rung(bell)
    bell.answer()
    assert not is_rung(bell)
    bell.ask()
    ringer.ring()
    assert is_rung(bell)
    bell.close()
    ringer.close()


def test_a_bell_rings_only_after_its_reader_asked_and_once(tmp_path):
    bell, ringer = Bell(tmp_path), Ringer(tmp_path)
    bell.ask()
    ringer.ring()
    bell.answer()
    ringer.ring()
    assert not is_rung(bell)
    bell.close()
    ringer.close()


def test_a_reader_that_asked_before_the_writer_came_is_rung(tmp_path):
    bell = Bell(tmp_path)
    bell.ask()
    ringer = Ringer(tmp_path)
    ringer.ring()
    assert is_rung(bell)
    bell.close()
    ringer.close()


def test_a_bell_hung_up_later_is_found_and_one_taken_down_is_left(tmp_path):
    first, ringer = Bell(tmp_path), Ringer(tmp_path)
    first.ask()
    ringer.ring()
    second = Bell(tmp_path)
    second.ask()
    ringer.ring()
    assert is_rung(second)
    first.close()
    second.answer()
    second.ask()
    ringer.ring()
    assert is_rung(second)
    second.close()
    ringer.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [""]


def test_a_bell_that_nobody_answers_blocks_no_writer(tmp_path):
    bell, ringer = Bell(tmp_path), Ringer(tmp_path)
    for _ in range(70_000):
        bell.ask()
        ringer.ring()
    assert is_rung(bell)
    bell.close()
    ringer.close()


def test_bells_of_dead_readers_are_removed(tmp_path):
    dead, ringer = Bell(tmp_path), Ringer(tmp_path)
    dead.ask()
    ringer.ring()
    os.close(dead.fd)
    dead.ask()
    ringer.ring()
    assert not list(tmp_path.glob("*.fifo"))
    never_opened = tmp_path / "1-2.fifo"
    os.mkfifo(never_opened)
    alive = Bell(tmp_path)
    alive.ask()
    ringer.ring()
    assert list(tmp_path.glob("*.fifo")) == [alive._path]
    alive.close()
    ringer.close()


def test_a_file_that_is_no_fifo_is_not_written_to(tmp_path):
    victim = tmp_path / "notes.fifo"
    victim.write_text("keep")
    bell, ringer = Bell(tmp_path), Ringer(tmp_path)
    bell.ask()
    ringer.ring()
    assert victim.read_text() == "keep"
    bell.close()
    ringer.close()


@pytest.fixture
def no_descriptors():
    """A switch: no further file can be opened by this process while it is on."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    @contextlib.contextmanager
    def switch():
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    return switch


def test_a_writer_without_descriptors_leaves_bells_hanging_and_rings_them_once_it_has_some(tmp_path, no_descriptors):
    bells, ringer = [Bell(tmp_path), Bell(tmp_path)], Ringer(tmp_path)
    for bell in bells:
        bell.ask()
    with no_descriptors():
        ringer.ring()
    assert len(list(tmp_path.glob("*.fifo"))) == 2
    bells[0].ask()
    ringer.ring()
    assert all(is_rung(bell) for bell in bells)
    for bell in bells:
        bell.close()
    ringer.close()


def test_bells_hung_up_after_their_directory_was_removed_are_found(tmp_path):
    bells = tmp_path / "bells"
    ringer = Ringer(bells)
    old = Bell(bells)
    old.ask()
    shutil.rmtree(bells)
    ringer.ring()  # nobody is there any more
    new = Bell(bells)
    new.ask()
    for _ in range(200):
        ringer.ring()
    assert is_rung(new)
    for bell in (old, new):
        bell.close()
    ringer.close()


# The runtime directory


def test_fifos_and_sockets_live_in_the_node_where_they_can(tmp_path):
    assert runtime_directory(tmp_path) == tmp_path.resolve() / "run"


def test_a_long_path_gets_a_directory_of_the_systems_own_and_every_program_finds_the_same(tmp_path, monkeypatch):
    node = tmp_path / ("long" * 20)
    node.mkdir()
    found = runtime_directory(node)
    try:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        link = tmp_path / "short"
        link.symlink_to(node)
        assert runtime_directory(link) == found
        assert found.stat().st_mode & 0o777 == 0o700
        found.chmod(0o755)
        with pytest.raises(LogError, match="yours alone"):
            runtime_directory(node)
    finally:
        found.rmdir()
