"""Folders copied under a node: whole, with rows and breaks, or not at all."""

import asyncio
import contextlib

import numpy as np
import pytest

from joule.api import catalog_path, log_directory
from joule.catalog import Catalog
from joule.core import ElementSpec, StreamSpec
from joule.daemon import _copying
from joule.daemon._copying import FolderCopies
from joule.daemon._log_removal import LogRemover, draft_directory
from joule.daemon._unknown_logs import find_unknown_logs
from joule.errors import BadMoveError, BadPathError, DiskFullError, LogError, NameTakenError, NotFoundError
from joule.log import BREAK, LogWriter, inspect_provenance, read_log


def spec(path, **fields):
    return StreamSpec(path=path, datatype="int16", elements=(ElementSpec(name="x", units="V"),), **fields)


class Node:
    def __init__(self, data, catalog):
        self.data = data
        self.catalog = catalog
        self.remover = LogRemover(catalog, data)
        self.copies = FolderCopies(catalog, data, self.remover)

    def add(self, path, *intervals, **fields):
        """Make a stream with intervals of rows, each a range of timestamps."""
        record = self.catalog.ensure_stream(spec(path, **fields))
        writer = LogWriter(self.log(path), record.spec.layout, stream=path, holder="a test")
        for interval in intervals:
            rows = np.zeros(len(interval), writer.layout.dtype)
            rows["timestamp"] = interval
            rows["data"] = np.asarray(interval) * 2
            writer.store(rows)
            writer.mark_break()
        writer.close()

    def log(self, path):
        return log_directory(self.data, self.catalog.stream(path).id)

    def rows(self, path):
        """Intervals of (timestamp, value)."""
        intervals = [[]]
        for block in read_log(self.log(path)):
            if block is BREAK:
                intervals.append([])
            else:
                intervals[-1] += zip(block["timestamp"].tolist(), block["data"].tolist(), strict=True)
        return intervals

    async def copy(self, source, destination, start_us=None, end_us=None):
        return [progress async for progress in self.copies.copy_folder(source, destination, start_us, end_us)]

    @property
    def paths(self):
        return [record.spec.path for record in self.catalog.streams()]

    @property
    def directories(self):
        return sorted(entry.name for entry in (self.data / "streams").iterdir())


@pytest.fixture
def node(tmp_path):
    with Catalog.open(catalog_path(tmp_path)) as catalog:
        node = Node(tmp_path, catalog)
        node.add("/house/power/mains", range(10, 13), range(20, 24), keep_us=7, description="the mains")
        node.add("/house/water")
        node.add("/lab/noise", range(5))
        catalog.describe_folder("/house", "my house")
        yield node


async def removed(node, tasks, until):
    tasks.start("removal", node.remover.run)
    await until(lambda: not node.catalog.removals())


async def test_a_copy_has_all_streams_attributes_rows_and_breaks(node):
    progress = await node.copy("/house", "/old/2026")
    assert (progress[0].rows, progress[-1].rows, progress[-1].total_rows, progress[-1].streams) == (0, 7, 7, 2)
    copy = node.catalog.stream("/old/2026/power/mains")
    assert copy.spec == spec("/old/2026/power/mains", keep_us=7, description="the mains")
    assert node.rows("/old/2026/power/mains") == node.rows("/house/power/mains")
    assert len(node.rows("/old/2026/power/mains")) == 2
    assert node.rows("/old/2026/water") == [[]]
    assert node.catalog.folder("/old/2026").description == "my house"
    assert node.catalog.removals() == []
    assert node.directories == ["1", "2", "3", "4", "5"]


async def test_a_copy_of_a_span_of_time_has_just_its_rows(node):
    await node.copy("/house", "/old", 12, 22)
    assert node.rows("/old/power/mains") == [[(12, 24)], [(20, 40), (21, 42)]]


async def test_a_copy_says_where_its_rows_are_from(node):
    await node.copy("/house", "/old", 12, None)
    (part,) = inspect_provenance(node.log("/old/power/mains"))
    assert (part.origin.kind, part.origin.name, part.rows) == ("copy", "/house/power/mains", 5)
    assert part.origin.command == "joule folder copy, of stream 1, from 12"


@pytest.mark.parametrize(
    ("source", "destination", "error"),
    [
        ("/house", "/lab", NameTakenError),
        ("/house", "/house", BadMoveError),
        ("/house", "/house/power/copy", BadMoveError),
        ("/", "/all", BadMoveError),
        ("/house", "/", BadPathError),
        ("/house", "old", BadPathError),
        ("/house", "/x" * 99, BadPathError),
        ("/hose", "/old", NotFoundError),
    ],
)
async def test_a_copy_that_would_leave_no_tree_is_refused_and_leaves_nothing(node, source, destination, error):
    before = node.paths, node.directories
    with pytest.raises(error):
        await node.copy(source, destination)
    assert (node.paths, node.directories, node.catalog.removals()) == (*before, [])


async def test_a_copy_appears_when_it_is_complete_and_not_before(node):
    async with contextlib.aclosing(node.copies.copy_folder("/house", "/old", None, None)) as copying:
        async for progress in copying:
            if progress.rows < progress.total_rows:
                assert "/old/water" not in node.paths
    assert "/old/water" in node.paths


async def test_what_is_being_copied_is_not_removed_meanwhile(node, tasks, until):
    tasks.start("removal", node.remover.run)
    async for progress in node.copies.copy_folder("/house", "/old", None, None):
        if progress.rows == 7 and "/lab/noise" in node.paths:
            gone = node.catalog.delete_stream("/lab/noise").id
            node.remover.wake()
            await until(lambda gone=gone: gone not in [removal.stream_id for removal in node.catalog.removals()])
    assert node.rows("/old/power/mains") == node.rows("/house/power/mains")
    assert "3" not in node.directories


async def test_whoever_leaves_early_leaves_nothing(node, tasks, until):
    async with contextlib.aclosing(node.copies.copy_folder("/house", "/old", None, None)) as copying:
        await anext(copying)
        await anext(copying)
        assert node.copies.is_source(node.catalog.stream("/house/water").id)
    await removed(node, tasks, until)
    assert node.directories == ["1", "2", "3"]
    assert not node.copies.is_source(node.catalog.stream("/house/water").id)
    await node.copy("/house", "/old")


async def test_a_copy_that_is_cancelled_in_the_middle_of_a_stream_ends_its_thread_first(
    node, tasks, until, monkeypatch
):
    begun, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*arguments):
        for block in read_log(*arguments):
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
            yield block

    monkeypatch.setattr(_copying, "read_log", slow)
    copying = asyncio.create_task(node.copy("/house", "/old"))
    await begun.wait()
    copying.cancel()
    await asyncio.sleep(0)
    assert node.remover.in_work
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await copying
    await removed(node, tasks, until)
    assert node.directories == ["1", "2", "3"]


@pytest.mark.parametrize("error", [DiskFullError("/old/water", "/data", 0), OSError(5, "Input/output error")])
async def test_a_disk_that_refuses_costs_the_copy_and_nothing_else(node, tasks, until, monkeypatch, error):
    def refuse(self, rows):
        raise error

    monkeypatch.setattr(LogWriter, "store", refuse)
    with pytest.raises((LogError, OSError)) as raised:
        await node.copy("/house", "/old")
    assert raised.value is error
    await removed(node, tasks, until)
    assert (node.paths, node.directories) == (["/house/power/mains", "/house/water", "/lab/noise"], ["1", "2", "3"])


async def test_half_a_copy_that_a_crash_left_is_removed_and_never_taken_for_a_stream(node, tasks, until, tmp_path):
    copying = node.copies.copy_folder("/house", "/old", None, None)
    async for progress in copying:
        if progress.rows == progress.total_rows:
            break  # all rows are there, and no log has its name: jouled is killed now
    drafts = [draft_directory(log_directory(node.data, number)) for number in (4, 5)]
    assert any(draft.is_dir() for draft in drafts)
    with Catalog.open(tmp_path / "lost.sqlite") as lost:
        assert "/old/water" not in find_unknown_logs(lost, node.data).logs
    next_start = LogRemover(node.catalog, node.data)
    tasks.start("removal", next_start.run)
    await until(lambda: not node.catalog.removals())
    assert node.directories == ["1", "2", "3"]
    await copying.aclose()


async def test_a_folder_that_came_to_be_meanwhile_wins(node, tasks, until):
    with pytest.raises(NameTakenError):
        async for _ in node.copies.copy_folder("/house", "/old", None, None):
            if "/old/mine" not in node.paths:
                node.add("/old/mine")
    await removed(node, tasks, until)
    assert "/old/water" not in node.paths
    assert node.directories == ["1", "2", "3", node.log("/old/mine").name]
