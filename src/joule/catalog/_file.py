"""Opening a catalog's file: made whole or not at all, recognised before it is touched, readable everywhere.

A file that is damaged, foreign or newer is named and left as it is: its header is read as bytes before SQLite sees it.
One of an older schema is brought up to date by its writer, in one transaction; readers do that to their copy of it.
A reader leaves no file behind. While a daemon runs, its write-ahead log lies beside the catalog and a reader joins in;
without one the file is taken as it is at that moment, which works on a read-only directory too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from joule.catalog._schema import APPLICATION_ID, STEPS, VERSION
from joule.errors import CatalogError, DamagedCatalogError, ForeignCatalogError

__all__ = ["connect", "translated_errors"]

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_BUSY_TIMEOUT_S = 5.0


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Return a connection to the catalog at `path`, which a writer makes when it is not there.

    Raises:
        ForeignCatalogError: The file is not a catalog, or a newer Joule's.
        DamagedCatalogError: It is a catalog that SQLite cannot read.
        CatalogError: It cannot be opened for another reason, such as permissions.
    """
    with translated_errors(path):
        if not _has_header(path):
            if read_only:
                raise CatalogError(f"there is no catalog {path}: has the node been started?", path=str(path))
            _create(path)
        return _open_snapshot_or_live(path) if read_only else _open_writable(path)


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into those of the catalog."""
    try:
        yield
    except sqlite3.OperationalError as error:  # also a DatabaseError, but of the machine, not of the file's content
        raise _operational(path, error) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # its subclasses are for wrong use of SQLite, not for damage
            raise
        raise DamagedCatalogError(str(path), str(error)) from error
    except OSError as error:
        raise CatalogError(
            f"the catalog {path} cannot be used: {error.strerror or error}; check the disk and the permissions",
            path=str(path),
        ) from error


def _operational(path: Path, error: sqlite3.OperationalError) -> CatalogError:
    return CatalogError(
        f"the catalog {path} cannot be used: {error}; check that the disk is there, has room and may be written",
        path=str(path),
    )


def _has_header(path: Path) -> bool:
    """Whether a catalog of this version lies there; False for none, and for an empty file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ForeignCatalogError(str(path), "it is no regular file")
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return False
    if not header:
        return False
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise ForeignCatalogError(str(path), "it is no SQLite file, or its beginning was overwritten")
    version, application = struct.unpack_from(">I4xI", header, 60)
    if application != APPLICATION_ID:
        raise ForeignCatalogError(str(path), "another program wrote it")
    _check_version(version, path)
    return True


def _check_version(version: int, path: Path) -> None:
    if version > VERSION:
        raise ForeignCatalogError(str(path), f"its format is {version}, and this Joule reads up to {VERSION}")


def _create(path: Path) -> None:
    """Make an empty catalog under another name and move it into place, so that a crash leaves none or a whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _bring_up_to_date(database, path)
        database.execute("PRAGMA journal_mode = WAL")
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _bring_up_to_date(database: sqlite3.Connection, path: Path) -> None:
    """Take the steps that a schema lacks, all of them or none."""
    # Not the number in the header: that of the newest transaction may still be in the write-ahead log.
    version = _version(database)
    _check_version(version, path)
    if version < VERSION:
        steps = "".join(STEPS[version:])
        database.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;")


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _open_writable(path: Path) -> sqlite3.Connection:
    database = _sqlite(path, "rw")
    try:
        _check_pages(database, path)
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA synchronous = FULL")
        _bring_up_to_date(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _check_pages(database: sqlite3.Connection, path: Path) -> None:
    fault = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise DamagedCatalogError(str(path), str(fault).splitlines()[-1])


def _open_snapshot_or_live(path: Path) -> sqlite3.Connection:
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or not wal.stat().st_size:
        # No daemon has it open. The copy in memory stays whole if one starts now; `immutable` leaves no files behind.
        return _snapshot(path, "ro&immutable=1")
    try:
        database = _checked(_sqlite(path, "ro"))
        if _version(database) == VERSION:
            return database
        with contextlib.closing(database):
            return _copied(database, path)
    except sqlite3.OperationalError:
        # A read-only directory with a write-ahead log that a killed daemon left: SQLite must write to read it.
        with tempfile.TemporaryDirectory(prefix="joule-catalog-") as scratch:
            copy = Path(scratch) / path.name
            shutil.copyfile(path, copy)
            shutil.copyfile(wal, copy.with_name(wal.name))
            return _snapshot(copy, "rw")


def _snapshot(path: Path, mode: str) -> sqlite3.Connection:
    with contextlib.closing(_checked(_sqlite(path, mode))) as source:
        return _copied(source, path)


def _copied(source: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Return a copy in memory, of the present schema."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    try:
        source.backup(memory)
        _bring_up_to_date(memory, path)
        memory.execute("PRAGMA query_only = ON")
    except BaseException:
        memory.close()
        raise
    return memory


def _checked(database: sqlite3.Connection) -> sqlite3.Connection:
    """Return the connection after a first read, which is when SQLite really opens the file."""
    try:
        database.execute("SELECT count(*) FROM stream").fetchone()
    except BaseException:
        database.close()
        raise
    return database


def _sqlite(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S)
