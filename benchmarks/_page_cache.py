"""What `write()` to the page cache does on this disk now: the ceiling of anything that stores."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

__all__ = ["SEGMENT_BYTES", "warm_memory", "write_rate"]

SEGMENT_BYTES = 64 * 2**20
"""Of the files written, as in the log."""


def write_rate(directory: Path, chunk_bytes: int, volume_bytes: int) -> float:
    """Write fresh files with plain system calls and remove them; return bytes per second."""
    chunk = np.ones(chunk_bytes, np.uint8)
    per_file = SEGMENT_BYTES // chunk_bytes
    files = -(-volume_bytes // (per_file * chunk_bytes))
    paths = [directory / f"plain-{number}" for number in range(files)]
    began_s = time.monotonic()
    for path in paths:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for number in range(per_file):
            os.pwrite(fd, chunk, number * chunk_bytes)
        os.close(fd)
    took_s = time.monotonic() - began_s
    for path in paths:
        path.unlink()
    return files * per_file * chunk_bytes / took_s


def warm_memory(directory: Path, volume_bytes: int) -> None:
    """Write and remove as much as the next measurement will, so that the memory for it is there.

    A virtual machine hands free memory back to its host, and gets it again page by page at several times the cost of
    the page itself. Without this, whoever stores measures how long the machine was idle before.
    """
    write_rate(directory, 2**20, volume_bytes)
