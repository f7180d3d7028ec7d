"""Finding a node by name, directory or URL, and reading one of which only the files are there."""

import asyncio
import contextlib
import dataclasses
import json
import os

import numpy as np
import pytest

from joule.api import _stored, catalog_path, log_directory, open_node
from joule.api._http_node import HttpNode
from joule.api._offline_node import OfflineNode
from joule.catalog import Catalog
from joule.config import default_node_directory, init_node
from joule.core import ElementSpec, StreamSpec, time_now
from joule.errors import BadRequestError, ConfigurationError, JouleError, NodeUnreachableError, NotFoundError
from joule.log import BREAK, LogWriter, ProcessLock, _runtime, find_runtime_directory

SPEC = StreamSpec(path="/a/b", datatype="float64", elements=(ElementSpec(name="x"),))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A user with nothing."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.delenv("JOULE_NODE", raising=False)
    return tmp_path / "home"


@pytest.fixture
def node(tmp_path):
    """The directory of a node that has run: one stream, two intervals."""
    directory = tmp_path / "node"
    init_node(directory)
    data = directory / "data"
    with Catalog.open(catalog_path(data)) as catalog:
        record = catalog.ensure_stream(SPEC)
    writer = LogWriter(log_directory(data, record.id), SPEC.layout, stream=SPEC.path, holder="test")
    for start in (10, 20):
        rows = np.zeros(3, SPEC.layout.dtype)
        rows["timestamp"] = np.arange(start, start + 3)
        writer.store(rows)
        writer.mark_break()
    writer.close()
    return directory


def names(home, table):
    path = home / "config" / "joule" / "nodes.json"
    path.parent.mkdir(parents=True)
    path.write_text(table if isinstance(table, str) else json.dumps(table))


async def test_streams_and_rows_are_read_without_a_daemon(node):
    async with open_node(str(node)) as opened:
        assert isinstance(opened, OfflineNode)
        (stream,) = await opened.streams()
        assert (stream.path, stream.rows, stream.intervals, stream.writer, stream.active) == ("/a/b", 6, 2, None, False)
        assert (await opened.stream("/a/b")).id == (await opened.stream(stream.id)).id == stream.id
        assert [folder.path for folder in (await opened.folders()).folders] == ["/a"]
        first, between, second = [block async for block in opened.read_data("/a/b")]
        assert between is BREAK
        assert list(first["timestamp"]) + list(second["timestamp"]) == [10, 11, 12, 20, 21, 22]
        (part,) = [block async for block in opened.read_data(stream.id, start_us=11, end_us=12)]
        assert list(part["timestamp"]) == [11]
        assert (await opened.version()).pid is None


async def test_reading_touches_nothing(node):
    def state():
        return {path: path.stat().st_mtime_ns for path in (node, *node.rglob("*"))}

    before = state()
    async with open_node(str(node)) as opened:
        await opened.streams()
        assert [block async for block in opened.read_data("/a/b")]
    assert state() == before


async def test_what_only_a_daemon_knows_says_how_to_start_one(node):
    async with open_node(str(node)) as opened:
        clock = (opened.clock(), opened.clock_confirm(), opened.clock_follow())
        for question in (opened.modules(), opened.module("m"), *clock):
            with pytest.raises(NodeUnreachableError, match="jouled --config"):
                await question
        for blocks in (opened.follow_data, opened.follow_module_logs):
            with pytest.raises(NodeUnreachableError, match="jouled --config"):
                await anext(blocks("x"))
        with pytest.raises(NodeUnreachableError, match="jouled --config"):
            await anext(opened.follow_logs())


async def test_what_was_printed_can_be_read_without_a_daemon(node):
    logs = node / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "a%2Fb.log").write_text("[2026-01-01T00:00:02.000+00:00] two\n")
    (logs / "jouled.log").write_text("2026-01-01T00:00:01+0000 INFO    one\n")
    async with open_node(str(node)) as opened:
        assert await opened.module_logs("a/b") == ["[2026-01-01T00:00:02.000+00:00] two"]
        assert [line.module for line in await opened.logs()] == ["jouled", "a/b"]
        with pytest.raises(NotFoundError, match="did you mean 'a/b'"):
            await opened.module_logs("a/c")


async def test_a_daemon_that_cannot_be_asked_is_not_said_to_be_missing(node):
    with contextlib.closing(ProcessLock(node / "data" / "node.lock", "jouled")):
        async with open_node(str(node)) as opened:
            with pytest.raises(NodeUnreachableError, match="cannot be asked"):
                await opened.modules()


async def test_a_stream_that_is_written_has_a_rate_and_one_that_stands_still_has_none(node, monkeypatch):
    writer = LogWriter(log_directory(node / "data", 1), SPEC.layout, stream=SPEC.path, holder="test")
    with contextlib.closing(writer):
        rows = np.zeros(11, SPEC.layout.dtype)
        rows["timestamp"] = time_now() - 5_000_000 + 500_000 * np.arange(11)
        writer.store(rows)
        async with open_node(str(node)) as opened:
            assert (await opened.stream("/a/b")).rate_hz == 2.0
            monkeypatch.setattr(_stored, "time_now", lambda: time_now() + 11_000_000)
            assert (await opened.stream("/a/b")).rate_hz is None
    async with open_node(str(node)) as opened:
        assert (await opened.stream("/a/b")).rate_hz is None


async def test_a_log_that_may_not_be_read_costs_no_other_stream(node):
    with Catalog.open(catalog_path(node / "data")) as catalog:
        other = catalog.ensure_stream(dataclasses.replace(SPEC, path="/a/other"))
    log_directory(node / "data", other.id).write_text("a file")
    async with open_node(str(node)) as opened:
        found = {stream.path: stream for stream in await opened.streams()}
    assert found["/a/b"].rows == 6
    assert str(log_directory(node / "data", other.id)) in found["/a/other"].problem


@pytest.mark.parametrize("url", ["http://", "ftp://x", "file:///x", "http://[", "http://x:99999", "http://x:0"])
async def test_what_is_no_url_of_a_node_is_told(home, url):
    names(home, {"far": url})
    for where in (url, "far"):
        with pytest.raises(BadRequestError, match="is no URL of a node"):
            async with open_node(where):
                pass


async def test_a_socket_outside_of_the_directory_is_found_without_making_any(node, monkeypatch, tmp_path):
    monkeypatch.setattr(_runtime, "_SYSTEM", tmp_path)
    assert find_runtime_directory(node, "api.sock") == node / "run"
    status = node.stat()
    outside = tmp_path / f"joule-{os.getuid()}-{status.st_dev}-{status.st_ino}"
    outside.mkdir(mode=0o755)
    (outside / "api.sock").touch()
    assert find_runtime_directory(node, "api.sock") == node / "run"  # anybody could have made that one
    outside.chmod(0o700)
    assert find_runtime_directory(node, "api.sock") == outside
    assert not (node / "run").exists()


async def test_a_stream_that_is_not_there_names_a_near_one(node):
    async with open_node(str(node)) as opened:
        with pytest.raises(NotFoundError, match="'/a/b'"):
            await opened.stream("/a/bb")
        with pytest.raises(NotFoundError):
            [block async for block in opened.read_data("/zzz")]


async def test_a_reader_that_stops_in_the_middle_is_no_trouble(node):
    async with open_node(str(node)) as opened:
        blocks = opened.read_data("/a/b")
        await anext(blocks)
        await blocks.aclose()
        cancelled = asyncio.ensure_future(anext(opened.read_data("/a/b")))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])


async def test_a_node_that_never_ran_has_no_streams(tmp_path):
    init_node(tmp_path / "new")
    async with open_node(str(tmp_path / "new")) as opened:
        assert await opened.streams() == []
        assert (await opened.folders()).streams == ()
        with pytest.raises(JouleError, match="catalog"):
            await opened.stream("/a/b")


async def test_main_conf_names_its_node_too(node):
    async with open_node(str(node / "main.conf")) as opened:
        assert opened.where == str(node)


async def test_rows_are_not_looked_for_elsewhere_when_main_conf_does_not_say_where_they_are(node):
    (node / "main.conf").write_text("[Main]\nDataDirectory = ${NOT_SET_ANYWHERE}\n")
    with pytest.raises(ConfigurationError, match=r"main\.conf:2: \$\{NOT_SET_ANYWHERE\} stands for nothing"):
        async with open_node(str(node)):
            pass


async def test_names_are_looked_up(node, home):
    names(home, {"lab": str(node), "far": "http://localhost:1"})
    async with open_node("lab") as opened:
        assert opened.where == str(node)
    async with open_node("far") as opened:
        assert isinstance(opened, HttpNode)
        with pytest.raises(NodeUnreachableError):
            await opened.version()


async def test_the_environment_names_the_node(node, monkeypatch):
    monkeypatch.setenv("JOULE_NODE", str(node))
    async with open_node() as opened:
        assert opened.where == str(node)


async def test_no_name_is_the_default_node():
    init_node(default_node_directory())
    async with open_node() as opened:
        assert opened.where == str(default_node_directory())


@pytest.mark.parametrize(
    ("where", "message"),
    [("labb", "did you mean 'lab'"), ("zzz", "name a directory"), ("./absent", "no main.conf"), (None, "jouled")],
)
async def test_what_is_no_node_says_what_to_do(home, where, message):
    names(home, {"lab": "/x"})
    with pytest.raises(NotFoundError, match=message):
        async with open_node(where):
            pass


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}'])
async def test_a_damaged_list_of_names_is_named(home, text):
    names(home, text)
    with pytest.raises(ConfigurationError, match=r"nodes\.json"):
        async with open_node("lab"):
            pass
