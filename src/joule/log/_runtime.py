"""Where a node's FIFOs and sockets live.

Below the node's directory where FIFOs work there and a socket's path fits; else in a directory of the system's own,
named by user and by the device and inode of the node's directory, so that every program of that user finds the same
one whatever its environment. (The system's temporary directory is meant as such: TMPDIR may differ between programs.)
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from joule.errors import LogError

__all__ = ["find_runtime_directory", "runtime_directory"]

_LONGEST_SOCKET = 107  # bytes of a unix socket's address, without the closing zero
_LONGEST_NAME = len("/web/0123456789ab.sock")
_SYSTEM = Path("/tmp")  # noqa: S108  # see above; checked for owner and mode below


def runtime_directory(node_directory: Path) -> Path:
    """Return the directory for FIFOs and sockets of a node, made if there is none.

    Raises:
        LogError: The directory that would have to be used belongs to someone else.
    """
    node = node_directory.resolve()
    inside = node / "run"
    if len(os.fsencode(inside)) + _LONGEST_NAME <= _LONGEST_SOCKET and _takes_fifos(inside):
        return inside
    outside = _outside(node)
    outside.mkdir(mode=0o700, exist_ok=True)
    found = outside.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LogError(f"{outside} must be a directory of yours alone (0700) for the node in {node}: remove it")
    return outside


def find_runtime_directory(node_directory: Path, name: str) -> Path:
    """Return the directory where a file of a node's runtime directory is, for programs that only look.

    Nothing is made or tried, so it does for anybody who may read the node, and for a copy on a read-only disk.

    Args:
        node_directory: The node's.
        name: Of the file that is looked for, such as `api.sock`.

    Returns:
        Where that file is; where it would be expected first if it is nowhere.
    """
    node = node_directory.resolve()
    inside, outside = node / "run", _outside(node)
    try:
        found = outside.lstat()
    except OSError:
        return inside
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return outside if is_ours and os.path.exists(outside / name) else inside


def _outside(node: Path) -> Path:
    status = node.stat()
    return _SYSTEM / f"joule-{os.getuid()}-{status.st_dev}-{status.st_ino}"


def _takes_fifos(directory: Path) -> bool:
    """Whether FIFOs can be made in a directory; one that cannot be written, but has been in use, counts."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        probe = directory / f".probe-{os.urandom(8).hex()}"
        os.mkfifo(probe, 0o600)
        probe.unlink()
    except OSError:
        return (directory / "api.sock").exists()
    return True
