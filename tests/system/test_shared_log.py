"""Several processes read a log while it is written, rolled and trimmed at full speed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from joule.core import Layout
from joule.log import (
    CursorFile,
    InputPosition,
    LogWriter,
    create_log,
    cursor_path,
    ensure_cursors,
    lowest_rows,
    trim_log,
)

LAYOUT = Layout("int64", 2)
ROUNDS_S = 1.5
LAST_US = 2**62

# Reads to the last row. With a cursor it must see every row; without one, rows may have been trimmed before it came to
# them. Whatever it sees must be whole and in order, and a break comes before every row whose value is divisible by 50.
# It never looks again by itself: a wake-up that is lost would leave it waiting for ever.
READER = f"""
import asyncio, sys
from pathlib import Path
import numpy as np
from joule.log import CursorFile, InputPosition, inspect_log, read_log
from joule.pipes import LogInput
from joule.pipes import _log_input

_log_input.RECHECK_S = 1e6

async def main(log, run, cursor_path):
    cursor = CursorFile(Path(cursor_path)) if cursor_path else None
    pipe = LogInput("in", Path(log), Path(run), column=False)
    last, after_break, count = -1, True, 0
    while last < {LAST_US}:
        rows = await pipe.read()
        times = rows["timestamp"]
        assert (rows["data"][:, 0] == times).all() and (rows["data"][:, 1] == ~times).all(), "a torn row"
        if len(times):
            assert times[0] > last and (np.diff(times) > 0).all(), "rows out of order"
            if cursor:
                whole = np.append(last, times)
                assert (np.diff(whole)[whole[1:] < {LAST_US}] == 1).all(), "a row is missing"
                starts = np.flatnonzero(times % 50 == 0)
                assert (starts == 0).all() and (not len(starts) or after_break), "a break is missing"
            last = times[-1]
            after_break = False
        after_break = after_break or pipe.end_of_interval
        count += len(times)
        pipe.consume_all()
        if cursor:
            cursor.commit([InputPosition(pipe.read_side.row, pipe.read_side.breaks)], [])
        elif count % 7 == 0:
            summary = inspect_log(Path(log))
            for block in read_log(Path(log), start_us=summary.first_us, end_us=summary.last_us):
                break
    await pipe.close()

asyncio.run(main(*sys.argv[1:]))
"""


def rows_from(first: int, count: int) -> np.ndarray:
    rows = np.empty(count, LAYOUT.dtype)
    rows["timestamp"] = np.arange(first, first + count)
    rows["data"] = np.stack([rows["timestamp"], ~rows["timestamp"]], axis=1)
    return rows


@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", range(2))
def test_processes_that_share_a_rolling_and_trimmed_log_see_whole_rows_in_order(tmp_path: Path, seed: int) -> None:
    log = tmp_path / "log"
    bells = tmp_path / "bells" / create_log(log, LAYOUT, "/a").log_id
    cursor = cursor_path(tmp_path, "m")
    ensure_cursors(cursor, "m", {"in": log}, {})
    readers = [
        subprocess.Popen([sys.executable, "-c", READER, str(log), str(tmp_path), path], stderr=subprocess.PIPE)
        for path in (str(cursor), "", "")
    ]
    chance = random.Random(seed)
    options = {"stream": "/a", "holder": "the test", "bells": bells, "segment_bytes": 64 + 24 * 40}
    writer = LogWriter(log, LAYOUT, **options)  # type: ignore[arg-type]
    try:
        row = 0
        ends_s = time.monotonic() + ROUNDS_S
        while time.monotonic() < ends_s:
            count = min(chance.choice((1, 1, 3, 20, 50)), 50 - row % 50)
            if row % 50 == 0:
                writer.mark_break()
            writer.store(rows_from(row, count))
            row += count
            if chance.random() < 0.05:
                (lowest,) = lowest_rows(cursor.parent).values()
                trim_log(log, before_us=LAST_US, keep_from_row=lowest)
            if chance.random() < 0.01:  # readers catch up, go to sleep, and must be woken
                time.sleep(0.003)
            if chance.random() < 0.002:
                writer.close()
                writer = LogWriter(log, LAYOUT, **options)  # type: ignore[arg-type]
        writer.mark_break()
        last = rows_from(row, 1)
        last["timestamp"] = LAST_US
        last["data"] = [[LAST_US, ~LAST_US]]
        writer.store(last)
        for reader in readers:
            assert (reader.wait(30), reader.stderr.read().decode()) == (0, "")  # type: ignore[union-attr]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
            reader.stderr.close()  # type: ignore[union-attr]
        writer.close()
    assert CursorFile(cursor).inputs["in"] == InputPosition(row + 1, CursorFile(cursor).inputs["in"].breaks)
    assert row > 2000
