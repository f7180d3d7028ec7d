"""One run of rows through a log: a writer process and one or more reader processes, in a directory of their own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks._children import Child
from benchmarks.programs.chunks import LAYOUT
from joule.log import create_log

__all__ = ["new_log", "through_log"]


@contextlib.contextmanager
def new_log(directory: Path) -> Iterator[Path]:
    """Give a node's directory with an empty log in it; all of it goes afterwards."""
    node = Path(tempfile.mkdtemp(prefix="joule-bench-", dir=directory))
    try:
        create_log(node / "log", LAYOUT, "/bench/rows")
        yield node
    finally:
        shutil.rmtree(node)


def through_log(directory: Path, chunk_rows: int, rows: int, readers: int = 1) -> list[float]:
    """Return each reader's rows per second, from its first row to its last."""
    with new_log(directory) as node, contextlib.ExitStack() as stack:
        children = [stack.enter_context(Child.program("log_reader", node, rows)) for _ in range(readers)]
        for child in children:
            child.answer()
        writer = stack.enter_context(Child.program("log_writer", node, chunk_rows, rows))
        writer.answer()
        return [float(child.answer()["rows_s"]) for child in children]
