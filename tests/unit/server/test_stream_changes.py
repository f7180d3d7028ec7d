"""The routes that change streams and folders, with our client's bodies and with upstream's."""

from __future__ import annotations

import json

import aiohttp
import pytest

from joule.api import CopyProgress, catalog_path, describe_stream
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.core import ElementSpec, StreamSpec
from joule.daemon._log_removal import LogRemover
from joule.daemon._node import ManagedNode
from joule.daemon._preparation import prepare
from joule.daemon._stream_changes import StreamChanges
from joule.daemon._stream_usage import StreamUsage
from joule.errors import (
    BadAttributeError,
    DiskFullError,
    FolderNotEmptyError,
    LayoutMismatchError,
    NameTakenError,
    NotFoundError,
)

SPEC = StreamSpec(
    path="/a/new stream",
    datatype="int16",
    elements=(ElementSpec(name="x", units="V"), ElementSpec(name="y", default_max=5.0)),
    keep_us=7,
    out_of_order="drop",
    description="new",
)


class NoModules:
    def kept_launches(self):
        return []


@pytest.fixture
def catalog(fake, tmp_path):
    init_node(tmp_path / "node")
    setup = load_node(tmp_path / "node")
    data = setup.config.data_directory
    with Catalog.open(catalog_path(data)) as catalog:
        usage = StreamUsage(
            ManagedNode(setup, prepare(setup, catalog, tmp_path / "run"), catalog, NoModules(), tmp_path / "run")
        )

        async def stream(key):
            return describe_stream(catalog.stream(key), data)

        fake.stream = stream
        fake.changes = StreamChanges(catalog, data, usage, LogRemover(catalog, data))
        yield catalog


@pytest.fixture
async def send(served):
    """Send a body as text; returns the status and the answer."""
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(served))) as session:

        async def send(method, path, body=None):
            text = body if isinstance(body, str) else json.dumps(body)
            async with session.request(method, "http://node" + path, data=text) as answer:
                return answer.status, await answer.json()

        yield send


async def test_a_stream_is_made_as_it_was_described(client, catalog):
    made = await client.stream_create(SPEC)
    assert catalog.stream(made.id).spec == SPEC
    with pytest.raises(NameTakenError, match="there is a stream '/a/new stream' already"):
        await client.stream_create(SPEC)


async def test_a_stream_is_changed_moved_and_deleted(client, catalog):
    made = await client.stream_create(SPEC)
    await client.stream_update(made.id, {"keep_us": None, "elements": {"x": {"name": "volts"}}})
    assert catalog.stream(made.id).spec.elements[0].name == "volts"
    assert (await client.stream_update("/a/new stream", {"name": "s"})).path == "/a/s"
    assert (await client.stream_move("/a/s", "/b/c")).path == "/b/c/s"
    assert (await client.stream_delete(made.id)).path == "/b/c/s"
    with pytest.raises(NotFoundError):
        await client.stream_delete(made.id)


async def test_a_folder_is_changed_moved_and_deleted(client, catalog):
    await client.stream_create(SPEC)
    assert (await client.folder_update("/a", {"name": "b", "description": "d"})).path == "/b"
    assert (await client.folder_move("/b", "/c")).path == "/c/b"
    assert catalog.folder("/c/b").description == "d"
    with pytest.raises(FolderNotEmptyError, match="1 stream"):
        await client.folder_delete("/c/b")
    assert (await client.folder_delete(catalog.folder("/c").id, recursive=True)).streams == 1
    assert catalog.streams() == []


async def test_bodies_of_upstreams_clients_are_understood(send, catalog):
    element = {"index": 0, "units": "W", "plottable": True, "display_type": "CONTINUOUS", "offset": 0.0}
    element |= {"id": None, "name": "p", "scale_factor": 1.0, "default_max": None, "default_min": None}
    stream = {"id": None, "name": "s", "description": "", "datatype": "FLOAT32", "keep_us": -1, "decimate": True}
    stream |= {"is_configured": False, "locked": False, "elements": [element], "layout": "float32_1"}
    status, made = await send("POST", "/stream.json", {"stream": stream, "dest_path": "/up"})
    assert (status, made["path"], made["keep_us"]) == (200, "/up/s", None)
    folder = catalog.folder("/up").id
    stream = {**stream, "keep_us": 9}
    assert (await send("PUT", "/stream.json", {"id": made["id"], "stream": stream}))[0] == 200
    assert catalog.stream("/up/s").spec.keep_us == 9
    status, moved = await send("PUT", "/stream/move.json", {"src_id": made["id"], "dest_id": folder})
    assert (status, moved["path"]) == (200, "/up/s")
    status, moved = await send("PUT", "/folder/move.json", {"src_path": "/up", "dest_path": "/x"})
    assert (status, moved["path"]) == (200, "/x/up")


async def test_another_layout_is_refused(client, send, catalog):
    await client.stream_create(SPEC)
    body = {"path": "/a/new stream", "stream": {"datatype": "int8", "elements": [{}, {}]}}
    status, answer = await send("PUT", "/stream.json", body)
    assert (status, answer["error"]["code"]) == (409, LayoutMismatchError.code)


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("POST", "/stream.json", "{", "no JSON"),
        ("POST", "/stream.json", [], "one JSON object"),
        ("POST", "/stream.json", {"stream": {}}, "either 'dest_path' or 'dest_id'"),
        ("POST", "/stream.json", {"stream": {"name": "s"}, "dest_path": "/a"}, "needs a list of 1 to 1024"),
        ("POST", "/stream.json", {"stream": {"name": "s", "elements": [{}]}, "dest_path": "/a"}, "each needs a name"),
        (
            "POST",
            "/stream.json",
            {"stream": {"name": "s", "elements": [{"name": "x"}], "datatype": "int7"}, "dest_path": "/a"},
            "not 'int7'",
        ),
        ("PUT", "/stream.json", {"stream": {}}, "either 'path' or 'id'"),
        ("PUT", "/stream.json", {"path": "/a", "id": 1, "stream": {}}, "either 'path' or 'id'"),
        ("PUT", "/stream.json", {"id": 1.5, "stream": {}}, "'id' a number"),
        ("PUT", "/stream.json", {"id": 1, "stream": 5}, "needs the object 'stream'"),
        ("PUT", "/stream/move.json", {"src_id": 1}, "'dest_path'"),
        ("PUT", "/folder.json", {"path": "/a"}, "needs the object 'folder'"),
        ("PUT", "/folder.json", {"path": "/a", "folder": {"descriptoin": "x"}}, "there are name, description"),
        (
            "POST",
            "/stream.json",
            {"stream": {"name": "s", "elements": [{"name": "x"}], "datatype": "int8", "keep": 1}, "dest_path": "/a"},
            "did you mean 'keep_us'",
        ),
        ("DELETE", "/folder.json?path=/a&recursive=2", None, "from 0 to 1"),
        ("DELETE", "/stream.json", None, "either 'path' or 'id'"),
    ],
)
async def test_bodies_that_say_nothing_are_told_what_is_missing(send, catalog, method, path, body, word):
    status, answer = await send(method, path, body)
    assert status == 400
    assert word in answer["error"]["message"]


async def test_a_bad_value_is_the_same_error_on_both_sides(client, catalog):
    made = await client.stream_create(SPEC)
    with pytest.raises(BadAttributeError, match="'keep_us': it is a number of microseconds"):
        await client.stream_update(made.id, {"keep_us": "1w"})


async def test_a_folder_is_copied_with_its_progress(client, catalog):
    await client.stream_create(SPEC)
    progress = [progress async for progress in client.folder_copy("/a", "/b")]
    assert (progress[-1].streams, progress[-1].rows) == (1, 0)
    assert catalog.stream("/b/new stream").spec.elements == SPEC.elements
    with pytest.raises(NameTakenError):
        await anext(client.folder_copy("/a", "/b"))


async def test_a_copy_that_fails_on_its_way_is_the_same_error_on_both_sides(client, fake, catalog, monkeypatch):
    await client.stream_create(SPEC)

    async def copy_folder(*arguments):
        yield CopyProgress(streams=1, rows=0, total_rows=5)
        raise DiskFullError("/b/new stream", "/data", 3)

    monkeypatch.setattr(fake.changes, "copy_folder", copy_folder)
    copying = client.folder_copy("/a", "/b")
    assert (await anext(copying)).total_rows == 5
    with pytest.raises(DiskFullError, match="is full"):
        await anext(copying)


async def test_a_copy_with_a_bad_time_is_refused(send, catalog):
    body = {"src_path": "/a", "dest_path": "/b", "start": "noon"}
    status, answer = await send("POST", "/folder/copy", body)
    assert (status, answer["error"]["detail"]) == (400, {"parameter": "start"})
