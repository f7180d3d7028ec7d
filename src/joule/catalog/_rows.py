"""Rows of the catalog's tables, as records and back.

Everything here runs inside a transaction that the caller has begun, so that what is read together fits together.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import Any

from joule.catalog._records import Removal, StreamRecord
from joule.core import ElementSpec, StreamSpec

__all__ = [
    "find_stream_id",
    "insert_stream",
    "list_removal",
    "make_folder",
    "read_folders",
    "read_removals",
    "read_streams",
    "reserve_stream_ids",
    "take_stream_id",
    "update_stream",
]

_MAX_ID = 2**63 - 1

_STREAMS = """
SELECT id, folder_id, name, created_us, datatype, keep_us, decimate, out_of_order, description
FROM stream WHERE id BETWEEN ? AND ?
"""
_ELEMENTS = """
SELECT stream_id, name, units, plottable, display_type, "offset", scale_factor, default_min, default_max
FROM element WHERE stream_id BETWEEN ? AND ? ORDER BY stream_id, position
"""
_FOLDER_PATHS = """
WITH RECURSIVE tree (id, path) AS (
    SELECT id, '' FROM folder WHERE parent_id IS NULL
    UNION ALL
    SELECT folder.id, tree.path || '/' || folder.name FROM folder JOIN tree ON folder.parent_id = tree.id
)
SELECT id, path FROM tree
"""
_INSERT_STREAM = """
INSERT INTO stream (id, folder_id, name, created_us, datatype, keep_us, decimate, out_of_order, description)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_STREAM = """
UPDATE stream SET datatype = ?, keep_us = ?, decimate = ?, out_of_order = ?, description = ? WHERE id = ?
"""
_INSERT_ELEMENT = """
INSERT INTO element
    (name, units, plottable, display_type, "offset", scale_factor, default_min, default_max, stream_id, position)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE_ELEMENT = """
UPDATE element SET name = ?, units = ?, plottable = ?, display_type = ?, "offset" = ?, scale_factor = ?,
    default_min = ?, default_max = ?
WHERE stream_id = ? AND position = ?
"""


def read_streams(database: sqlite3.Connection, stream_id: int | None = None) -> list[StreamRecord]:
    """Return all streams, or the one of an id (none when there is no such stream)."""
    if stream_id is not None and not 0 < stream_id <= _MAX_ID:
        return []
    bounds = (1, _MAX_ID) if stream_id is None else (stream_id, stream_id)
    rows = database.execute(_STREAMS, bounds).fetchall()
    paths = dict(database.execute(_FOLDER_PATHS).fetchall()) if rows else {}
    elements = defaultdict(list)
    for owner, *facts in database.execute(_ELEMENTS, bounds):
        elements[owner].append(_element(*facts))
    return [_record(row, paths, tuple(elements[row[0]])) for row in rows]


def _record(row: tuple[Any, ...], paths: dict[int, str], elements: tuple[ElementSpec, ...]) -> StreamRecord:
    stream_id, folder_id, name, created_us, datatype, keep_us, decimate, out_of_order, description = row
    spec = StreamSpec(
        path=f"{paths[folder_id]}/{name}",
        datatype=datatype,
        elements=elements,
        keep_us=keep_us,
        decimate=bool(decimate),
        out_of_order=out_of_order,
        description=description,
    )
    return StreamRecord(id=stream_id, spec=spec, created_us=created_us)


def _element(
    name: str,
    units: str,
    plottable: int,
    display_type: Any,
    offset: float,
    scale_factor: float,
    default_min: float | None,
    default_max: float | None,
) -> ElementSpec:
    return ElementSpec(
        name=name,
        units=units,
        plottable=bool(plottable),
        display_type=display_type,
        offset=offset,
        scale_factor=scale_factor,
        default_min=default_min,
        default_max=default_max,
    )


def read_folders(database: sqlite3.Connection) -> list[tuple[int, int | None, str, str]]:
    """Return (id, id of the folder above, name, description) of all folders, by name; the root has none above."""
    return database.execute("SELECT id, parent_id, name, description FROM folder ORDER BY name").fetchall()


def find_stream_id(database: sqlite3.Connection, path: str) -> int | None:
    """Return the id of the stream at a path."""
    folder_id: int | None = _root(database)
    *folders, name = path.split("/")[1:] or [""]
    for folder in folders:
        row = database.execute("SELECT id FROM folder WHERE parent_id = ? AND name = ?", (folder_id, folder)).fetchone()
        if row is None:
            return None
        (folder_id,) = row
    row = database.execute("SELECT id FROM stream WHERE folder_id = ? AND name = ?", (folder_id, name)).fetchone()
    return None if row is None else int(row[0])


def make_folder(database: sqlite3.Connection, path: str) -> int:
    """Return the id of a folder, made with those above it when it is not there."""
    folder_id = _root(database)
    for name in filter(None, path.split("/")):
        database.execute("INSERT OR IGNORE INTO folder (parent_id, name) VALUES (?, ?)", (folder_id, name))
        row = database.execute("SELECT id FROM folder WHERE parent_id = ? AND name = ?", (folder_id, name)).fetchone()
        folder_id = int(row[0])
    return folder_id


def insert_stream(database: sqlite3.Connection, spec: StreamSpec, created_us: int, stream_id: int | None = None) -> int:
    """Add a stream with its elements and folders, under the next id or a given one; return its id."""
    folder_id = make_folder(database, spec.folder)
    cursor = database.execute(_INSERT_STREAM, (stream_id, folder_id, spec.name, created_us, *_stream_values(spec)))
    assert cursor.lastrowid is not None  # set by every INSERT
    database.executemany(_INSERT_ELEMENT, _element_rows(cursor.lastrowid, spec))
    return cursor.lastrowid


def reserve_stream_ids(database: sqlite3.Connection, highest: int) -> None:
    """Let the ids that are given from now on be greater than `highest`."""
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stream'").fetchone()
    if row is None:
        database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('stream', ?)", (highest,))
    elif row[0] < highest:
        database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'stream'", (highest,))


def take_stream_id(database: sqlite3.Connection) -> int:
    """Return an id that no stream ever had, and that none will be given."""
    row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stream'").fetchone()
    stream_id = 1 if row is None else int(row[0]) + 1
    reserve_stream_ids(database, stream_id)
    return stream_id


def list_removal(database: sqlite3.Connection, stream_id: int, path: str, now_us: int) -> None:
    """Remove a stream, if there is one of that id, and list its log to be removed."""
    database.execute("DELETE FROM element WHERE stream_id = ?", (stream_id,))
    database.execute("DELETE FROM stream WHERE id = ?", (stream_id,))
    database.execute("INSERT INTO removal (stream_id, path, listed_us) VALUES (?, ?, ?)", (stream_id, path, now_us))


def read_removals(database: sqlite3.Connection) -> list[Removal]:
    """Return the logs that are listed to be removed."""
    rows = database.execute("SELECT stream_id, path FROM removal ORDER BY stream_id")
    return [Removal(stream_id=stream_id, path=path) for stream_id, path in rows]


def update_stream(database: sqlite3.Connection, stream_id: int, spec: StreamSpec) -> None:
    """Write the attributes of a stream and of its elements, whose number is the same."""
    database.execute(_UPDATE_STREAM, (*_stream_values(spec), stream_id))
    database.executemany(_UPDATE_ELEMENT, _element_rows(stream_id, spec))


def _root(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT id FROM folder WHERE parent_id IS NULL").fetchone()[0])


def _stream_values(spec: StreamSpec) -> tuple[Any, ...]:
    return spec.datatype, spec.keep_us, spec.decimate, spec.out_of_order, spec.description


def _element_rows(stream_id: int, spec: StreamSpec) -> list[tuple[Any, ...]]:
    return [
        (
            element.name,
            element.units,
            element.plottable,
            element.display_type,
            element.offset,
            element.scale_factor,
            element.default_min,
            element.default_max,
            stream_id,
            position,
        )
        for position, element in enumerate(spec.elements)
    ]
