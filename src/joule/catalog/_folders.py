"""The tree of folders: finding, describing, moving and removing them, with the rules that keep it a tree.

Everything here runs inside a transaction that the caller has begun, and checks before it writes.
"""

from __future__ import annotations

import difflib
import sqlite3

from joule.catalog._rows import list_removal, make_folder
from joule.core import check_stream_path, is_below, split_stream_path
from joule.errors import BadMoveError, FolderNotEmptyError, NameTakenError, NotFoundError

__all__ = ["delete_folder", "find_folder", "move_folder"]

_FOLDERS = """
WITH RECURSIVE tree (id, path) AS (
    SELECT id, '' FROM folder WHERE parent_id IS NULL
    UNION ALL
    SELECT folder.id, tree.path || '/' || folder.name FROM folder JOIN tree ON folder.parent_id = tree.id
)
SELECT path, id FROM tree
"""


def find_folder(database: sqlite3.Connection, path_or_id: str | int) -> tuple[int, str]:
    """Return the id and the path of a folder.

    Raises:
        NotFoundError: There is none; the message has the nearest path.
    """
    folders = _folders(database)
    if isinstance(path_or_id, int):
        found = [(folder_id, path) for path, folder_id in folders.items() if folder_id == path_or_id]
    else:
        path = path_or_id if path_or_id == "/" else path_or_id.removesuffix("/")
        found = [(folders[path], path)] if path in folders else []
    if found:
        return found[0]
    near = difflib.get_close_matches(str(path_or_id), folders, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else "'joule folder list' shows those that are"
    raise NotFoundError(f"there is no folder {path_or_id!r}: {remedy}", folder=path_or_id, nearest=near)


def move_folder(database: sqlite3.Connection, path_or_id: str | int, path: str) -> None:
    """Give a folder another path; folders and streams below it, ids and rows come with it.

    Raises:
        NotFoundError: There is no such folder.
        BadPathError: The new path, or one that something below would get, is none.
        BadMoveError: It is the root, or would come to lie in itself.
        NameTakenError: There is a folder of that path; folders are not merged.
    """
    folder_id, old = find_folder(database, path_or_id)
    if old == "/":
        raise BadMoveError(old, "the root stays where it is; move the folders in it")
    path = check_stream_path(path.removesuffix("/"))
    if path == old:
        return
    if is_below(path, old):
        raise BadMoveError(old, f"it cannot move to {path!r}, which lies in it; choose a path outside of it")
    folders = _folders(database)
    if path in folders:
        raise NameTakenError("folder", path)
    for below in (*folders, *_stream_paths(database)):
        if is_below(below, old):
            check_stream_path(path + below.removeprefix(old))
    parent, name = split_stream_path(path)
    parent_id = make_folder(database, parent)
    database.execute("UPDATE folder SET parent_id = ?, name = ? WHERE id = ?", (parent_id, name, folder_id))


def delete_folder(database: sqlite3.Connection, path_or_id: str | int, now_us: int, *, recursive: bool) -> None:
    """Remove a folder, with all that is below it if asked for; the logs of its streams are listed to be removed.

    Raises:
        NotFoundError: There is no such folder.
        BadMoveError: It is the root.
        FolderNotEmptyError: Something is in it, and `recursive` is False.
    """
    folder_id, path = find_folder(database, path_or_id)
    if path == "/":
        raise BadMoveError(path, "the root cannot be deleted; delete the folders in it")
    folders = {folder: below_id for folder, below_id in _folders(database).items() if is_below(folder, path)}
    streams = {stream: stream_id for stream, stream_id in _stream_paths(database).items() if is_below(stream, path)}
    if (folders or streams) and not recursive:
        raise FolderNotEmptyError(path, len(streams))
    for stream, stream_id in streams.items():
        list_removal(database, stream_id, stream, now_us)
    deepest_first = sorted(folders, key=len, reverse=True)
    ids = [(folders[folder],) for folder in deepest_first]
    database.executemany("DELETE FROM folder WHERE id = ?", [*ids, (folder_id,)])


def _folders(database: sqlite3.Connection) -> dict[str, int]:
    return {path or "/": folder_id for path, folder_id in database.execute(_FOLDERS)}


def _stream_paths(database: sqlite3.Connection) -> dict[str, int]:
    folders = {folder_id: path.rstrip("/") for path, folder_id in _folders(database).items()}
    rows = database.execute("SELECT id, folder_id, name FROM stream")
    return {f"{folders[folder_id]}/{name}": stream_id for stream_id, folder_id, name in rows}
