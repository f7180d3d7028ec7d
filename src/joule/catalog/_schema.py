"""The tables of a catalog, and the numbers in its file that say whose it is.

`APPLICATION_ID` marks a file as a Joule catalog and `VERSION` counts the schema's changes; both stand in the header of
the SQLite file, where they can be read without opening it as a database. A new catalog takes every step from nothing,
an older one those that it lacks, so that both end alike.
"""

from __future__ import annotations

__all__ = ["APPLICATION_ID", "STEPS", "VERSION"]

APPLICATION_ID = 0x4A4F554C  # "JOUL"

# AUTOINCREMENT keeps ids from being used again after a row is gone: directories of logs are named by them.
_FIRST = """
CREATE TABLE folder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_id INTEGER REFERENCES folder (id),
    name TEXT NOT NULL,
    UNIQUE (parent_id, name)
) STRICT;

CREATE TABLE stream (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder_id INTEGER NOT NULL REFERENCES folder (id),
    name TEXT NOT NULL,
    datatype TEXT NOT NULL,
    keep_us INTEGER,
    decimate INTEGER NOT NULL,
    out_of_order TEXT NOT NULL,
    description TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    UNIQUE (folder_id, name)
) STRICT;

CREATE TABLE element (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream_id INTEGER NOT NULL REFERENCES stream (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    units TEXT NOT NULL,
    plottable INTEGER NOT NULL,
    display_type TEXT NOT NULL,
    "offset" REAL NOT NULL,
    scale_factor REAL NOT NULL,
    default_min REAL,
    default_max REAL,
    UNIQUE (stream_id, position)
) STRICT;

INSERT INTO folder (parent_id, name) VALUES (NULL, '');
"""

# `removal` lists directories of logs that are to go: those of deleted streams, and of copies that are not complete.
_REMOVALS = """
ALTER TABLE folder ADD COLUMN description TEXT NOT NULL DEFAULT '';

CREATE TABLE removal (
    stream_id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    listed_us INTEGER NOT NULL
) STRICT;
"""

STEPS = (_FIRST, _REMOVALS)
"""What makes version n of the schema out of version n - 1, from none at all on."""

VERSION = len(STEPS)
