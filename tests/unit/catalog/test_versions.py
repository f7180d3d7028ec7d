"""A catalog of an older Joule: opened, brought up to date whole, and read where nobody may write it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest

from joule.catalog import Catalog, _file
from joule.catalog._schema import STEPS, VERSION
from joule.core import ElementSpec, StreamSpec

SPEC = StreamSpec(path="/a/b", datatype="float32", elements=(ElementSpec(name="x", units="V"),), keep_us=5)

# As version 1 wrote it, frozen here: what the code does today must not change it.
VERSION_1 = """
BEGIN;
CREATE TABLE folder (id INTEGER PRIMARY KEY AUTOINCREMENT, parent_id INTEGER REFERENCES folder (id),
    name TEXT NOT NULL, UNIQUE (parent_id, name)) STRICT;
CREATE TABLE stream (id INTEGER PRIMARY KEY AUTOINCREMENT, folder_id INTEGER NOT NULL REFERENCES folder (id),
    name TEXT NOT NULL, datatype TEXT NOT NULL, keep_us INTEGER, decimate INTEGER NOT NULL,
    out_of_order TEXT NOT NULL, description TEXT NOT NULL, created_us INTEGER NOT NULL,
    UNIQUE (folder_id, name)) STRICT;
CREATE TABLE element (id INTEGER PRIMARY KEY AUTOINCREMENT, stream_id INTEGER NOT NULL REFERENCES stream (id),
    position INTEGER NOT NULL, name TEXT NOT NULL, units TEXT NOT NULL, plottable INTEGER NOT NULL,
    display_type TEXT NOT NULL, "offset" REAL NOT NULL, scale_factor REAL NOT NULL, default_min REAL,
    default_max REAL, UNIQUE (stream_id, position)) STRICT;
INSERT INTO folder (parent_id, name) VALUES (NULL, ''), (1, 'a');
INSERT INTO stream VALUES (7, 2, 'b', 'float32', 5, 1, 'raise', '', 12345);
INSERT INTO element VALUES (1, 7, 0, 'x', 'V', 1, 'continuous', 0.0, 1.0, NULL, NULL);
PRAGMA application_id = 0x4A4F554C;
PRAGMA user_version = 1;
COMMIT;
PRAGMA journal_mode = WAL;
"""


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "data" / "catalog.sqlite"
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.executescript(VERSION_1)
    return path


def version(path):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


def tables(path):
    """The columns of each table, as SQLite understood them."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f"PRAGMA table_info({name})").fetchall() for name in names}


def test_a_catalog_of_version_1_keeps_its_streams_and_gets_the_new_tables(old, tmp_path):
    with Catalog.open(old) as catalog:
        record = catalog.stream("/a/b")
        assert (record.id, record.created_us, record.spec) == (7, 12345, SPEC)
        assert catalog.describe_folder("/a", "a house").description == "a house"
        catalog.delete_stream("/a/b")
        assert [removal.stream_id for removal in catalog.removals()] == [7]
    assert version(old) == VERSION
    Catalog.open(tmp_path / "new.sqlite").close()
    assert tables(old) == tables(tmp_path / "new.sqlite")


def test_a_reader_of_an_old_catalog_leaves_it_as_it_was(old):
    before = old.read_bytes()
    with Catalog.open(old, read_only=True) as catalog:
        assert catalog.stream(7).spec == SPEC
        assert catalog.folder("/a").description == ""
    assert old.read_bytes() == before
    assert [file.name for file in old.parent.iterdir()] == [old.name]


def test_a_reader_joins_an_older_joule_that_is_still_running(old):
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as running:
        running.execute("INSERT INTO folder (parent_id, name) VALUES (1, 'written')")
        with Catalog.open(old, read_only=True) as catalog:
            assert [folder.name for folder in catalog.folders().folders] == ["a", "written"]
        assert running.execute("PRAGMA user_version").fetchone()[0] == 1


def test_steps_that_fail_leave_the_old_version_whole(old, monkeypatch, tmp_path):
    copy = tmp_path / "copy.sqlite"
    shutil.copy(old, copy)
    monkeypatch.setattr(_file, "STEPS", (*STEPS[:-1], STEPS[-1] + "CREATE TABLE folder (id INTEGER);"))
    with pytest.raises(Exception, match="already exists"):
        Catalog.open(old)
    assert version(old) == 1
    assert tables(old) == tables(copy)
