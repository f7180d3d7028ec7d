"""Honours `keep`: removes whole segments of logs whose rows are all too old, and that every cursor has passed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from joule.api import log_directory
from joule.catalog import Catalog, StreamRecord
from joule.errors import LogError
from joule.log import cursor_path, lowest_rows, read_identity, trim_log

__all__ = ["trim_for_ever", "trim_streams"]

_PERIOD_S = 10.0  # a tenth of the shortest sensible keep; costs a directory listing for each stream that has one

_log = logging.getLogger(__name__)


async def trim_for_ever(catalog: Catalog, data_directory: Path, present: Callable[[], int]) -> None:
    """Trim every stream again and again. A thread does the file work.

    Args:
        catalog: Of the node.
        data_directory: Where its logs are.
        present: Gives the time that counts, us.
    """
    told = ""
    while True:
        limited = [record for record in catalog.streams() if record.spec.keep_us is not None]
        if limited:
            try:
                await asyncio.to_thread(trim_streams, limited, data_directory, present())
            except (LogError, OSError) as error:
                if told != str(error):  # once, not every ten seconds
                    _log.error("no stream is trimmed, somebody may still need its rows: %s", error)
                told = str(error)
            else:
                told = ""
        await asyncio.sleep(_PERIOD_S)


def trim_streams(records: Sequence[StreamRecord], data_directory: Path, now_us: int) -> int:
    """Trim streams once; a log that cannot be trimmed is logged and costs no other.

    Returns:
        How many rows were removed.

    Raises:
        LogError, OSError: A cursor file cannot be read: then nothing may be removed, since somebody may need it.
    """
    lowest = lowest_rows(cursor_path(data_directory, "x").parent)
    return sum(_trim(record, data_directory, lowest, now_us) for record in records)


def _trim(record: StreamRecord, data_directory: Path, lowest: dict[str, int], now_us: int) -> int:
    keep_us = record.spec.keep_us
    assert keep_us is not None
    directory = log_directory(data_directory, record.id)
    try:
        keep_from_row = lowest.get(read_identity(directory).log_id)
        removed = trim_log(
            directory,
            before_us=now_us - keep_us if keep_us else None,
            keep_from_row=keep_from_row,
            # A stream that keeps nothing still has its newest two, so that live readers find what they come for.
            keep_segments=1 if keep_us else 2,
        )
    except (LogError, OSError) as error:
        _log.warning("stream %s cannot be trimmed: %s", record.spec.path, error)
        return 0
    if removed:
        _log.debug("stream %s: removed %d rows older than its keep", record.spec.path, removed)
    return removed
