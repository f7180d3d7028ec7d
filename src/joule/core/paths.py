"""Paths of streams: `/folder/.../name`, as every era wrote them.

A path is absolute and has a component or more; the last names the stream, the others its folders. Components may hold
blanks and any script, but no colon, which begins an inline layout in a module's configuration.
"""

from __future__ import annotations

from joule.errors import BadPathError

__all__ = ["check_stream_path", "is_below", "join_stream_path", "split_stream_path"]

_MAX_CHARACTERS = 1024
_MAX_NAME_BYTES = 255
_MAX_DEPTH = 100  # trees of folders are walked by recursion


def check_stream_path(path: str) -> str:
    """Return `path` unchanged when it can name a stream.

    Raises:
        BadPathError: It is not absolute, has an empty component or one named `.` or `..`, or holds what paths may not.
    """
    reason = _fault(path)
    if reason:
        raise BadPathError(path, reason)
    return path


def is_below(path: str, folder: str) -> bool:
    """Return whether a stream or folder lies in a folder, or in one below it; not whether it is that folder."""
    return path != folder and path.startswith(folder.rstrip("/") + "/")


def split_stream_path(path: str) -> tuple[str, str]:
    """Return the folder (`/` for the root) and the name of the stream at `path`."""
    folder, _, name = path.rpartition("/")
    return folder or "/", name


def join_stream_path(folder: str, name: str) -> str:
    """Return the path of the stream `name` in `folder`, checked like `check_stream_path` does."""
    if "/" in name:
        raise BadPathError(name, "the name of a stream holds no /")
    return check_stream_path(f"{folder.rstrip('/')}/{name}")


def _fault(path: str) -> str | None:
    if not path.startswith("/"):
        return "it does not begin with /"
    if len(path) > _MAX_CHARACTERS:
        return f"it has {len(path)} characters, and {_MAX_CHARACTERS} are allowed"
    names = path[1:].split("/")
    if len(names) > _MAX_DEPTH:
        return f"it has {len(names)} parts, and {_MAX_DEPTH} are allowed"
    for name in names:
        reason = _component_fault(name)
        if reason:
            return reason
    return None


def _component_fault(name: str) -> str | None:
    if not name:
        return "one of its names is empty"
    if name in (".", ".."):
        return f"{name!r} is no name"
    if name != name.strip():
        return f"the name {name!r} begins or ends with a blank"
    if ":" in name:
        return f"the name {name!r} holds a colon, which begins a layout"
    if not name.isprintable():
        return f"the name {name!r} holds a character that cannot be printed"
    if len(name.encode()) > _MAX_NAME_BYTES:
        return f"a name has more than {_MAX_NAME_BYTES} bytes"
    return None
