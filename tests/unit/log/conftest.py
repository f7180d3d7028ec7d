"""A log in a directory of its own, and ways to leave it as a killed process does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from joule.core import Layout, Rows
from joule.log import LogWriter

LAYOUT = Layout("int32", 2)


def rows_at(times: list[int] | range) -> Rows:
    """Rows whose values follow from their timestamps."""
    rows = np.zeros(len(times), LAYOUT.dtype)
    rows["timestamp"] = times
    rows["data"] = np.array([[t % 1000, -(t % 1000)] for t in times]).reshape(-1, 2)
    return rows


def abandon(writer: LogWriter) -> None:
    """Let go of a writer's descriptors and lock as the end of its process would, and do nothing else."""
    import os

    os.close(writer._fd)
    writer._fd = -1
    writer._head_file.close()
    writer._breaks.close()
    if writer._ringer is not None:
        writer._ringer.close()
    writer._lock.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def open_writer(directory: Path) -> Iterator[Callable[..., LogWriter]]:
    writers: list[LogWriter] = []

    def open_it(**options: object) -> LogWriter:
        settings = {"stream": "/a/raw", "holder": "the test", **options}
        writers.append(LogWriter(directory, LAYOUT, **settings))  # type: ignore[arg-type]
        return writers[-1]

    yield open_it
    for writer in writers:
        writer.close()
