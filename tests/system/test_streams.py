"""Streams as objects under a real `jouled`: what modules hold, what moves, what goes, and who wrote the rows."""

import asyncio
import contextlib
import dataclasses
import platform
import re
import socket

import numpy as np
import pytest

from joule.api import catalog_path, log_directory, open_node
from joule.catalog import Catalog
from joule.core import ElementSpec, StreamSpec
from joule.errors import NodeUnreachableError, StreamHeldError
from joule.log import LogWriter

pytestmark = pytest.mark.timeout(60)  # each starts a node and waits for rows, a few times

READER = """
import asyncio
from joule import ReaderModule, time_now

class Reader(ReaderModule):
    async def run(self, parsed_args, output):
        while True:
            await output.write([[time_now(), VERSION]])
            await asyncio.sleep(0.01)

VERSION = 1.0
Reader().start()
"""


@pytest.fixture
def node(kit):
    kit.add("reader", READER, outputs="output = /lab/noise:float64[x]")
    kit.start()
    kit.wait(lambda: kit.ask("stream", "/lab/noise").rows > 5, "rows")
    return kit


def test_what_a_running_module_writes_is_held_until_it_is_stopped_and_then_moves_with_its_rows(node):
    for refused in (("stream_move", "/lab/noise", "/old"), ("stream_delete", "/lab/noise")):
        with pytest.raises(StreamHeldError, match="joule module stop reader"):
            node.ask(*refused)
    node.ask("module_stop", "reader")
    before = node.ask("stream", "/lab/noise")
    change = node.ask("stream_move", "/lab/noise", "/old")
    assert re.search(r"reader\.conf:\d+ still names '/lab/noise'", change.warnings[0])
    after = node.ask("stream", "/old/noise")
    assert (after.id, after.rows) == (before.id, before.rows)


def test_a_module_that_is_started_after_its_stream_was_moved_or_deleted_writes_a_new_one(node):
    node.ask("module_stop", "reader")
    node.ask("stream_move", "/lab/noise", "/old")
    moved = node.ask("stream", "/old/noise")
    node.ask("module_start", "reader")
    node.wait(lambda: node.ask("stream", "/lab/noise").rows > 5, "rows of a new stream")
    assert node.ask("stream", "/old/noise").rows == moved.rows
    node.ask("module_stop", "reader")
    gone = node.ask("stream_delete", "/lab/noise").id
    node.ask("module_start", "reader")
    node.wait(lambda: node.ask("stream", "/lab/noise").rows > 5, "rows of another new stream")
    assert node.ask("stream", "/lab/noise").id > gone
    node.wait(lambda: not log_directory(node.directory / "data", gone).exists(), "the removal of the log")


def test_each_row_has_the_module_command_code_and_machine_that_wrote_it(node):
    script = node.directory / "reader.py"
    (part,) = node.ask("stream_provenance", "/lab/noise")
    assert (part.kind, part.name, part.row, part.starts) == ("module", "reader", 0, 1)
    assert part.pid == node.module("reader").pid
    assert part.command.endswith(f"python {script}")
    assert (part.python, part.host) == (platform.python_version(), socket.gethostname())
    node.ask("module_restart", "reader")
    node.ask("module_stop", "reader")
    script.write_text(script.read_text().replace("1.0", "2.0"))
    node.ask("module_start", "reader")
    node.wait(lambda: node.ask("stream_provenance", "/lab/noise")[-1].rows > 5, "rows of the new code")
    old, new = node.ask("stream_provenance", "/lab/noise")
    assert (old.starts, new.starts) == (2, 1)
    assert old.script_sha256 == part.script_sha256 != new.script_sha256
    blocks = [
        block["data"] for block in node.rows("/lab/noise") if not isinstance(block, str) and hasattr(block, "dtype")
    ]
    values = [float(value) for block in blocks for value in block]
    assert values.count(1.0) == old.rows == old.end
    assert set(values[: old.rows]) == {1.0}
    assert set(values[old.rows :]) == {2.0}


def test_without_a_jouled_the_history_can_be_read_and_nothing_changed(kit):
    kit.add("reader", READER, outputs="output = /lab/noise:float64[x]")
    jouled = kit.start()
    kit.wait(lambda: kit.ask("stream", "/lab/noise").rows > 5, "rows")
    jouled.stop()
    (part,) = kit.ask("stream_provenance", "/lab/noise")
    assert part.rows == kit.ask("stream", "/lab/noise").rows
    assert kit.ask("folder", "/lab").streams[0].path == "/lab/noise"
    with pytest.raises(NodeUnreachableError, match="start it with"):
        kit.ask("stream_move", "/lab/noise", "/old")


def test_a_folder_is_copied_while_it_is_written_and_the_copy_stays_as_it_was(node):
    async def copy():
        async with open_node(str(node.directory)) as opened:
            return [progress async for progress in opened.folder_copy("/lab", "/old")][-1]

    done = asyncio.run(copy())
    copied = node.ask("stream", "/old/noise")
    assert 5 < copied.rows == done.rows
    node.wait(lambda: node.ask("stream", "/lab/noise").rows > copied.rows, "more rows")
    first, copy_first = node.rows("/lab/noise")[0], node.rows("/old/noise")[0]
    assert copy_first.tobytes() == first[: len(copy_first)].tobytes()
    assert node.ask("stream", "/old/noise").rows == copied.rows
    assert node.ask("stream_provenance", "/old/noise")[0].kind == "copy"


def test_a_killed_jouled_leaves_a_copy_whole_or_nothing_of_it_and_what_was_deleted_stays_so(kit):
    data = kit.directory / "data"
    spec = StreamSpec(path="/big/stream", datatype="float64", elements=(ElementSpec(name="x"),))
    with Catalog.open(catalog_path(data)) as catalog:
        for path in (spec.path, "/small"):
            record = catalog.ensure_stream(dataclasses.replace(spec, path=path))
            rows = np.zeros(2_000_000 if path == spec.path else 3, spec.layout.dtype)
            rows["timestamp"] = np.arange(len(rows))
            writer = LogWriter(log_directory(data, record.id), spec.layout, stream=path, holder="a test")
            writer.store(rows)
            writer.close()
    jouled = kit.start()

    async def copy_and_kill():
        async with (
            open_node(str(kit.directory)) as opened,
            contextlib.aclosing(opened.folder_copy("/big", "/copy")) as copying,
        ):
            await anext(copying)
            await opened.stream_delete("/small")
            jouled.kill()

    asyncio.run(copy_and_kill())
    kit.start()

    def directories():
        return {entry.name for entry in (data / "streams").iterdir()}

    kit.wait(lambda: directories() == {str(stream.id) for stream in kit.ask("streams")}, "the removal of what is left")
    rows = {stream.path: stream.rows for stream in kit.ask("streams")}
    assert rows.pop("/copy/stream", 2_000_000) == 2_000_000
    assert rows == {"/big/stream": 2_000_000}
