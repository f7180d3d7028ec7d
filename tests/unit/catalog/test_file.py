"""The catalog's file: readable beside a writer and on read-only directories, recognised before it is touched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from joule.catalog import Catalog
from joule.catalog._schema import VERSION
from joule.core import ElementSpec, StreamSpec
from joule.errors import CatalogError, DamagedCatalogError, ForeignCatalogError

NOBODY = 65534


def spec(path: str) -> StreamSpec:
    return StreamSpec(path=path, datatype="int8", elements=(ElementSpec(name="x"),))


def paths(catalog: Catalog) -> list[str]:
    return [record.spec.path for record in catalog.streams()]


def content(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "catalog.sqlite"
    with Catalog.open(path) as catalog:
        catalog.ensure_stream(spec("/a"))
    return path


def test_a_reader_sees_what_a_running_writer_commits(path):
    with Catalog.open(path) as writer:
        writer.ensure_stream(spec("/b"))
        with Catalog.open(path, read_only=True) as reader:
            assert paths(reader) == ["/a", "/b"]
            with writer.transaction():
                writer.ensure_stream(spec("/c"))
                assert paths(reader) == ["/a", "/b"]
            assert paths(reader) == ["/a", "/b", "/c"]


def test_a_reader_without_a_writer_leaves_the_directory_as_it_was(path, tmp_path):
    before = content(tmp_path)
    with Catalog.open(path, read_only=True) as reader:
        assert paths(reader) == ["/a"]
    assert content(tmp_path) == before
    assert list(before) == ["catalog.sqlite"]


def test_a_reader_opened_before_the_writer_stays_whole(path):
    with Catalog.open(path, read_only=True) as reader:
        with Catalog.open(path) as writer:
            for n in range(300):
                writer.ensure_stream(spec(f"/many/{n}"))
        assert paths(reader) == ["/a"]


@pytest.mark.parametrize("with_writer", [False, True])
def test_a_reader_cannot_write(path, with_writer):
    with Catalog.open(path) as writer:
        if with_writer:
            writer.ensure_stream(spec("/b"))
        else:
            writer.close()
        with Catalog.open(path, read_only=True) as reader, pytest.raises(CatalogError, match="readonly"):
            reader.ensure_stream(spec("/c"))


def test_what_a_killed_writer_committed_is_there(path):
    script = (
        "import os, sys; from joule.catalog import Catalog; from joule.core import *\n"
        "catalog = Catalog.open(sys.argv[1])\n"
        "catalog.ensure_stream(StreamSpec(path='/b', datatype='int8', elements=(ElementSpec(name='x'),)))\n"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)]).returncode == -9
    with Catalog.open(path, read_only=True) as reader:
        assert paths(reader) == ["/a", "/b"]
    with Catalog.open(path) as writer:
        assert paths(writer) == ["/a", "/b"]


READ_AS_NOBODY = """
import os, sys
from joule.catalog import Catalog
from joule.catalog._schema import VERSION
if os.geteuid() == 0:
    os.setuid(65534)
assert not os.access(os.path.dirname(sys.argv[1]), os.W_OK)
with Catalog.open(sys.argv[1], read_only=True) as catalog:
    print(*(record.spec.path for record in catalog.streams()))
"""


@pytest.fixture
def read_only_copy():
    """Return a function that copies catalog files into a directory that its reader may not write."""
    directory = Path(tempfile.mkdtemp(prefix="joule-test-"))

    def copy(*files: Path) -> Path:
        for file in files:
            shutil.copy(file, directory)
            (directory / file.name).chmod(0o444)
        directory.chmod(0o555)
        return directory / files[0].name

    yield copy
    directory.chmod(0o755)
    shutil.rmtree(directory)


@pytest.mark.parametrize("suffixes", [[], ["-wal", "-shm"], ["-wal"]])
def test_a_read_only_directory_is_read_with_and_without_what_a_killed_writer_left(path, read_only_copy, suffixes):
    with Catalog.open(path) as writer:
        if suffixes:
            writer.ensure_stream(spec("/b"))
        copied = read_only_copy(path, *(path.with_name(path.name + suffix) for suffix in suffixes))
    run = subprocess.run([sys.executable, "-c", READ_AS_NOBODY, str(copied)], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("/a /b\n" if suffixes else "/a\n", "")


def test_no_catalog_to_read_is_said_so_and_none_is_made(tmp_path):
    with pytest.raises(CatalogError, match="there is no catalog"):
        Catalog.open(tmp_path / "catalog.sqlite", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_a_crash_left_empty_becomes_a_catalog(tmp_path):
    path = tmp_path / "catalog.sqlite"
    path.touch()
    (tmp_path / "catalog.sqlite.new").write_text("the rest of a crash")
    with Catalog.open(path) as catalog:
        assert paths(catalog) == []


def foreign_text(path: Path) -> None:
    path.write_text("notes of a user, " * 20)


def foreign_short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def foreign_database(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE mine (x)")
    database.close()


def newer(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(60)
        file.write(struct.pack(">I", VERSION + 1))


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("damage", "error", "word"),
    [
        (foreign_text, ForeignCatalogError, "no SQLite file"),
        (foreign_short, ForeignCatalogError, "no SQLite file"),
        (foreign_database, ForeignCatalogError, "another program"),
        (newer, ForeignCatalogError, f"its format is {VERSION + 1}"),
        (directory, ForeignCatalogError, "no regular file"),
        (fifo, ForeignCatalogError, "no regular file"),
        (truncated, DamagedCatalogError, "malformed"),
        (overwritten, DamagedCatalogError, "malformed|error code"),
    ],
)
def test_a_file_that_is_no_sound_catalog_is_named_and_left_alone(path, damage, error, word, read_only):
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(error, match=word) as caught:
        Catalog.open(path, read_only=read_only)
    assert str(path) in caught.value.message
    assert "left untouched" in caught.value.message
    assert (path.read_bytes() if path.is_file() else None) == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_place_that_cannot_hold_a_catalog_is_named():
    with pytest.raises(CatalogError, match="/proc/joule-of-the-test"):
        Catalog.open(Path("/proc/joule-of-the-test/catalog.sqlite"))


def test_a_catalog_that_was_closed_is_no_damaged_one(path):
    catalog = Catalog.open(path)
    catalog.close()
    catalog.close()
    with pytest.raises(sqlite3.ProgrammingError):
        catalog.streams()
