"""Streams and folders changed under a node: what is refused, what comes along, and what files still say."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest

from joule.api import catalog_path, log_directory
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.core import ElementSpec, StreamSpec
from joule.daemon._log_removal import LogRemover, doomed_directory
from joule.daemon._node import ManagedNode
from joule.daemon._preparation import prepare
from joule.daemon._stream_changes import StreamChanges
from joule.daemon._stream_usage import StreamUsage
from joule.daemon._unknown_logs import find_unknown_logs
from joule.errors import BadAttributeError, LogError, NameTakenError, NotFoundError, StreamHeldError
from joule.log import LogWriter, inspect_log, read_identity

READER = "[Main]\nname = The Reader\nexec_cmd = true\n[Outputs]\noutput = /lab/noise:float32[x]\n"
FILTER = "[Main]\nname = filter\nexec_cmd = true\n[Inputs]\ninput = /lab/noise\n[Outputs]\nout = /mean:float32[x]\n"
WATER = "[Main]\nname = water\npath = /house\ndatatype = int64\nkeep = 1w\n[Element1]\nname = litres\n"


class Node:
    """A node's catalog, logs and changes, with modules that run when the test says so."""

    def __init__(self, directory, catalog, tasks):
        self.directory = directory
        self.data = directory / "data"
        self.catalog = catalog
        self.running = set()
        self.remover = LogRemover(catalog, self.data)
        self.tasks = tasks
        preparation = self.prepare()
        self.launches = {launch.name: launch for launch in preparation.launches}
        managed = ManagedNode(load_node(directory), preparation, catalog, self, directory / "run")
        self.changes = StreamChanges(catalog, self.data, StreamUsage(managed), self.remover)

    def prepare(self):
        return prepare(load_node(self.directory), self.catalog, self.directory / "run")

    def kept_launches(self):
        return [self.launches[name] for name in self.running]

    def run(self, module):
        self.running.add(module)

    def log(self, path):
        return log_directory(self.data, self.catalog.stream(path).id)

    @contextlib.contextmanager
    def writing(self, path):
        record = self.catalog.stream(path)
        writer = LogWriter(self.log(path), record.spec.layout, stream=path, holder="a test")
        try:
            yield writer
        finally:
            writer.close()

    def store(self, path, timestamps):
        with self.writing(path) as writer:
            rows = np.zeros(len(timestamps), writer.layout.dtype)
            rows["timestamp"] = timestamps
            writer.store(rows)

    @property
    def paths(self):
        return [record.spec.path for record in self.catalog.streams()]


@pytest.fixture
def node(tmp_path, tasks):
    directory = tmp_path / "node"
    init_node(directory)
    (directory / "module_configs" / "reader.conf").write_text(READER)
    (directory / "module_configs" / "filter.conf").write_text(FILTER)
    (directory / "stream_configs" / "water.conf").write_text(WATER)
    with Catalog.open(catalog_path(directory / "data")) as catalog:
        yield Node(directory, catalog, tasks)


async def test_a_moved_stream_keeps_its_id_its_rows_and_its_attributes(node):
    node.store("/house/water", [1, 2, 3])
    before = node.catalog.stream("/house/water")
    change = await node.changes.move_stream("/house/water", "/archive/2026")
    after = node.catalog.stream("/archive/2026/water")
    assert (change.path, change.id, after.id) == ("/archive/2026/water", before.id, before.id)
    assert (after.spec.keep_us, after.spec.elements) == (before.spec.keep_us, before.spec.elements)
    assert inspect_log(node.log("/archive/2026/water")).rows == 3


async def test_a_move_names_the_files_that_still_have_the_old_path(node):
    (warning,) = (await node.changes.move_stream("/house/water", "/archive")).warnings
    assert "water.conf still names '/house/water': write '/archive/water' there" in warning
    reader, other = (await node.changes.update_stream("/lab/noise", {"name": "hum"})).warnings
    assert "filter.conf:5 still names '/lab/noise'" in other
    assert "reader.conf:5 still names '/lab/noise'" in reader


@pytest.mark.parametrize(
    ("module", "use", "remedy"),
    [("The Reader", "written", "joule module stop 'The Reader'"), ("filter", "read", "joule module stop filter")],
)
async def test_what_a_module_uses_is_not_moved_renamed_or_deleted(node, module, use, remedy):
    node.run(module)
    attempts = [
        lambda: node.changes.move_stream("/lab/noise", "/x"),
        lambda: node.changes.update_stream("/lab/noise", {"name": "hum", "description": "new"}),
        lambda: node.changes.delete_stream("/lab/noise"),
        lambda: node.changes.move_folder("/lab", "/x"),
        lambda: node.changes.update_folder("/lab", {"name": "y", "description": "new"}),
        lambda: node.changes.delete_folder("/lab", recursive=True),
    ]
    for attempt in attempts:
        with pytest.raises(StreamHeldError, match=f"is {use} by module '{module}': stop that first: {remedy}") as held:
            await attempt()
        assert held.value.detail == {"stream": "/lab/noise", "module": module}
    assert node.paths == ["/house/water", "/lab/noise", "/mean"]
    assert node.catalog.stream("/lab/noise").spec.description == ""
    assert node.catalog.folder("/lab").description == ""


async def test_what_no_module_uses_can_be_moved(node):
    assert (await node.changes.move_folder("/lab", "/old")).path == "/old/lab"


async def test_what_a_program_outside_writes_is_held_too(node):
    with node.writing("/house/water"), pytest.raises(StreamHeldError, match="written by this process"):
        await node.changes.delete_stream("/house/water")
    assert "/house/water" in node.paths


async def test_attributes_change_while_a_module_runs_and_a_stream_file_is_said_to_win(node):
    node.run("The Reader")
    change = await node.changes.update_stream("/lab/noise", {"keep_us": 7, "elements": {"x": {"units": "V"}}})
    assert change.warnings == ()
    (warning,) = (await node.changes.update_stream("/house/water", {"keep_us": None})).warnings
    assert "water.conf defines this stream, and its values return" in warning
    node.prepare()
    spec = node.catalog.stream("/lab/noise").spec
    assert (spec.keep_us, spec.elements[0].units) == (7, "V")
    assert node.catalog.stream("/house/water").spec.keep_us == 7 * 86_400_000_000


async def test_a_change_with_one_bad_value_changes_nothing(node):
    await node.changes.create_stream(dataclasses.replace(node.catalog.stream("/lab/noise").spec, path="/lab/other"))
    with pytest.raises(BadAttributeError):
        await node.changes.update_stream("/house/water", {"description": "x", "decimate": "no"})
    with pytest.raises(NameTakenError):
        await node.changes.update_stream("/lab/noise", {"description": "x", "name": "other"})
    assert {record.spec.description for record in node.catalog.streams()} == {""}


async def test_a_made_stream_has_an_empty_log_and_can_be_written(node):
    spec = StreamSpec(path="/new/one", datatype="float64", elements=(ElementSpec(name="x"),))
    made = await node.changes.create_stream(spec)
    assert (made.path, made.rows, made.problem) == ("/new/one", 0, None)
    node.store("/new/one", [1])
    with pytest.raises(NameTakenError):
        await node.changes.create_stream(spec)
    assert node.catalog.removals() == []
    assert inspect_log(node.log("/new/one")).rows == 1


async def test_a_stream_whose_log_cannot_be_made_is_not_there_and_can_be_made_again(node, until):
    obstacle = log_directory(node.data, 1 + max(record.id for record in node.catalog.streams()))
    obstacle.write_text("mine")
    spec = StreamSpec(path="/new/one", datatype="float64", elements=(ElementSpec(name="x"),))
    with pytest.raises(LogError, match=f"'/new/one' cannot be made: {obstacle}"):
        await node.changes.create_stream(spec)
    assert "/new/one" not in node.paths
    node.tasks.start("removal", node.remover.run)
    await until(lambda: not node.catalog.removals())
    assert obstacle.read_text() == "mine"
    assert (await node.changes.create_stream(spec)).problem is None


async def test_a_deleted_stream_and_its_log_are_gone_and_only_those(node, until):
    node.store("/lab/noise", [1])
    doomed, others = node.log("/lab/noise"), [node.log("/mean"), node.log("/house/water")]
    node.tasks.start("removal", node.remover.run)
    reader, _ = (await node.changes.delete_stream("/lab/noise")).warnings
    assert "still names '/lab/noise': remove or correct that" in reader
    await until(lambda: not node.catalog.removals())
    assert not doomed.exists()
    assert not doomed_directory(doomed).exists()
    assert all(other.is_dir() for other in others)


async def test_a_stream_that_was_deleted_before_a_crash_does_not_come_back(node, until):
    node.store("/lab/noise", [1])
    old = node.log("/lab/noise")
    await node.changes.delete_stream("/lab/noise")  # nobody removes its log: jouled is killed now
    assert read_identity(old).stream == "/lab/noise"
    assert "/lab/noise" not in find_unknown_logs(node.catalog, node.data).logs
    node.prepare()
    assert node.log("/lab/noise") != old
    assert inspect_log(node.log("/lab/noise")).rows == 0
    node.tasks.start("removal", LogRemover(node.catalog, node.data).run)
    await until(lambda: not node.catalog.removals())
    assert not old.exists()


@pytest.mark.parametrize("died_behind", ["the new name", "some files"])
async def test_a_removal_that_was_cut_off_goes_on(node, until, died_behind):
    node.store("/lab/noise", [1])
    old = node.log("/lab/noise")
    await node.changes.delete_stream("/lab/noise")
    old.rename(doomed_directory(old))
    if died_behind == "some files":
        (doomed_directory(old) / "log.json").unlink()
    node.tasks.start("removal", LogRemover(node.catalog, node.data).run)
    await until(lambda: not node.catalog.removals())
    assert not doomed_directory(old).exists()


async def test_a_log_that_cannot_be_removed_is_named_and_tried_again(node, until, caplog):
    old = node.log("/lab/noise")
    (old / "mine").mkdir()
    await node.changes.delete_stream("/lab/noise")
    node.tasks.start("removal", node.remover.run)
    await until(lambda: "/lab/noise cannot be removed" in caplog.text)
    (doomed_directory(old) / "mine").rmdir()
    node.remover.wake()
    await until(lambda: not node.catalog.removals())


async def test_a_moved_stream_is_found_at_its_new_path_when_the_catalog_is_lost(node):
    node.store("/lab/noise", [1, 2])
    await node.changes.move_folder("/lab", "/old")
    with Catalog.open(node.directory / "another.sqlite") as lost:
        unknown = find_unknown_logs(lost, node.data)
        assert set(unknown.logs) == {"/old/lab/noise", "/mean", "/house/water"}
        number, _ = unknown.logs["/old/lab/noise"]
    assert number == node.catalog.stream("/old/lab/noise").id


async def test_a_move_that_a_crash_cut_off_is_told_to_the_log_at_the_next_start(node):
    node.catalog.move_stream("/mean", "/lab/mean")  # jouled is killed before the log is told
    (node.directory / "module_configs" / "filter.conf").write_text(FILTER.replace("/mean:", "/lab/mean:"))
    assert read_identity(node.log("/lab/mean")).stream == "/mean"
    node.prepare()
    assert read_identity(node.log("/lab/mean")).stream == "/lab/mean"


async def test_a_folder_is_described_and_renamed_in_one_change(node):
    change = await node.changes.update_folder("/lab", {"description": "the lab", "name": "workshop"})
    assert (change.path, change.streams) == ("/workshop", 1)
    assert node.catalog.folder("/workshop").description == "the lab"
    assert len(change.warnings) == 2


async def test_what_is_not_there_is_said_so(node):
    with pytest.raises(NotFoundError, match="did you mean '/house/water'"):
        await node.changes.delete_stream("/house/watr")
    with pytest.raises(NotFoundError, match="did you mean '/house'"):
        await node.changes.delete_folder("/hous", recursive=True)
