"""A node in memory over real logs, served on a real unix socket."""

import contextlib
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from joule.api import (
    ClockChange,
    ClockInfo,
    FolderInfo,
    ModuleChange,
    ModuleInfo,
    ModuleUsage,
    ReloadReport,
    RowsAside,
    StreamInfo,
    UsageSample,
    VersionInfo,
)
from joule.api._http_node import HttpNode
from joule.core import ElementSpec, Layout
from joule.errors import ModuleError, NotFoundError
from joule.log import LogWriter, read_identity
from joule.server import create_app, serve_unix

LAYOUT = Layout("float32", 2)


def rows(start, count):
    array = np.zeros(count, LAYOUT.dtype)
    array["timestamp"] = np.arange(start, start + count)
    array["data"] = array["timestamp"][:, None] * [1, 2]
    return array


class FakeNode:
    """Fulfils NodeView: one module, one stream `/a/b` with id 7."""

    def __init__(self, directory: Path) -> None:
        self.run_directory = directory / "run"
        self.log = directory / "streams" / "7"
        self.output = directory / "reader.log"
        self.run_directory.mkdir()
        self.writer = None
        self.unconfirmed_us = 7

    def open_writer(self):
        bells = self.run_directory / "bells" / read_identity(self.log).log_id if self.log.exists() else None
        return LogWriter(self.log, LAYOUT, stream="/a/b", holder="test", bells=bells)

    def version(self):
        return VersionInfo(version="1", name="fake", directory="/x", pid=5)

    def clock(self):
        return ClockInfo(state="own", node_us=5, system_us=2, unconfirmed_us=self.unconfirmed_us, note="look")

    def clock_confirm(self):
        self.unconfirmed_us = 0
        return self.clock()

    async def clock_follow(self, *, dry_run):
        aside = RowsAside(stream="/a/b", aside="/a/b-ahead", rows=3, first_us=7, last_us=9)
        return ClockChange(done=not dry_run, back_us=4, now_us=5, streams=(aside,), modules=("reader",))

    def modules(self):
        return [self.module("reader")]

    def module(self, name):
        if name == "broken":
            raise RuntimeError("a secret")
        if name != "reader":
            raise NotFoundError(f"there is no module {name!r}", module=name)
        return ModuleInfo(name=name, description="reads", state="running", reason="it runs", inputs={"a": "/a/b"})

    async def start_module(self, name):
        return ModuleChange(changed=True, module=self.module(name))

    async def stop_module(self, name):
        self.module(name)
        raise ModuleError("a process of 'reader' cannot be ended", modules=[name])

    async def reload(self):
        return ReloadReport(started=("a", "b"), unchanged=3, faults=("bad.conf:3: no",))

    async def restart_module(self, name):
        return ModuleChange(changed=False, module=self.module(name))

    def module_log(self, name):
        self.module(name)
        return self.output

    def module_usage(self, name):
        self.module(name)
        sample = UsageSample(time_us=60_000_000, cpu_percent=1.5, memory_bytes=10**7, processes=2)
        return ModuleUsage(name=name, samples=(sample,))

    def logs(self):
        return {"reader": self.output, "jouled": self.output.with_name("jouled.log")}

    async def streams(self):
        return [await self.stream(7)]

    async def stream(self, stream):
        if stream not in (7, "/a/b"):
            raise NotFoundError(f"there is no stream {stream!r}", stream=stream)
        return StreamInfo(
            id=7, path="/a/b", layout=str(LAYOUT), elements=(ElementSpec(name="x"), ElementSpec(name="y"))
        )

    async def folders(self):
        inner = FolderInfo(path="/a", name="a", streams=(await self.stream(7),))
        return FolderInfo(path="/", name="", folders=(inner,))

    def stream_log(self, stream):
        if stream not in (7, "/a/b"):
            raise NotFoundError(f"there is no stream {stream!r}", stream=stream)
        return self.log


@pytest.fixture
def make_rows():
    return rows


@pytest.fixture
def fake(tmp_path):
    (tmp_path / "streams").mkdir()
    return FakeNode(tmp_path)


@pytest.fixture
async def served(fake, tmp_path):
    """The path of the socket that serves `fake`."""
    path = tmp_path / "api.sock"
    async with serve_unix(create_app(fake), path):
        yield path


@pytest.fixture
async def client(served):
    async with HttpNode("the fake node", socket=served, remedy="start it") as node:
        yield node


@pytest.fixture
async def raw(served):
    """Ask for a path, without the client's help; returns the status, the headers and the JSON body."""

    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(served))))

        async def get(path, method="GET"):
            async with session.request(method, "http://node" + path) as answer:
                return answer.status, answer.headers, await answer.json()

        yield get
