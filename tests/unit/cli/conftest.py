"""A node that exists only in memory, and `joule` run against it."""

import contextlib
import dataclasses

import numpy as np
import pytest
from click.testing import CliRunner

from joule.api import (
    ChangeInfo,
    ClockChange,
    ClockInfo,
    CopyProgress,
    FolderInfo,
    LogLine,
    ModuleChange,
    ModuleInfo,
    ModuleUsage,
    Node,
    ReloadReport,
    StreamInfo,
    VersionInfo,
)
from joule.cli._root import joule
from joule.cli._session import Session
from joule.core import ElementSpec, Layout
from joule.errors import NotFoundError

BREAK = object()  # whatever is no block of rows is a break


def rows_of(layout, *rows):
    """Rows of a layout from (timestamp, value, ...) tuples."""
    parsed = Layout.parse(layout)
    return np.array([(row[0], row[1] if parsed.width == 1 else row[1:]) for row in rows], parsed.dtype)


@dataclasses.dataclass
class FakeNode(Node):
    where: str = "/fake"
    known_modules: list = dataclasses.field(default_factory=list)
    known_streams: list = dataclasses.field(default_factory=list)
    lines: dict = dataclasses.field(default_factory=dict)
    blocks: dict = dataclasses.field(default_factory=dict)
    unchanged: tuple = ()
    clock_change: ClockChange = ClockChange(done=False, back_us=0, now_us=2_000_000)
    known_clock: ClockInfo = ClockInfo(state="following", node_us=2_000_000, system_us=2_000_000)
    report: ReloadReport = ReloadReport()
    asked: list = dataclasses.field(default_factory=list)
    samples: tuple = ()
    searches: list = dataclasses.field(default_factory=list)
    failure: Exception | None = None
    opened: list = dataclasses.field(default_factory=list)
    closed: int = 0
    refusal: Exception | None = None
    warnings: tuple = ()
    history: list = dataclasses.field(default_factory=list)
    pid: int | None = None

    @contextlib.asynccontextmanager
    async def open(self, where):
        self.opened.append(where)
        if self.failure is not None:
            raise self.failure
        async with self:
            yield self

    async def close(self):
        self.closed += 1

    async def version(self):
        return VersionInfo(
            version="0", name="fake", directory=self.where, pid=self.pid, clock_note=self.known_clock.note
        )

    async def clock(self):
        return self.known_clock

    async def clock_confirm(self):
        self.known_clock = dataclasses.replace(self.known_clock, unconfirmed_us=0, note="")
        return self.known_clock

    async def clock_follow(self, *, dry_run=False):
        self.asked.append(("clock_follow", dry_run))
        return dataclasses.replace(self.clock_change, done=not dry_run)

    async def modules(self):
        return self.known_modules

    async def module(self, name):
        return self._named(self.known_modules, "name", name)

    async def module_logs(self, name, lines=100, query=None):
        self.searches.append((name, lines, query))
        await self.module(name)
        return self.lines.get(name, [])[-lines:] if lines else []

    async def follow_module_logs(self, name, lines=10, query=None):
        for line in await self.module_logs(name, lines, query):
            yield line

    async def module_usage(self, name):
        await self.module(name)
        return ModuleUsage(name=name, samples=self.samples)

    async def logs(self, lines=100, query=None):
        self.searches.append((None, lines, query))
        return [LogLine(module=name, line=line) for name, found in self.lines.items() for line in found]

    async def follow_logs(self, lines=10, query=None):
        for line in await self.logs(lines, query):
            yield line

    async def module_start(self, name):
        return await self._change("start", name, changed=name not in self.unchanged)

    async def module_stop(self, name):
        return await self._change("stop", name, changed=name not in self.unchanged)

    async def module_restart(self, name):
        return await self._change("restart", name, changed=True)

    async def reload(self):
        return self.report

    async def _change(self, verb, name, *, changed):
        self.asked.append((verb, name))
        return ModuleChange(changed=changed, module=await self.module(name))

    async def streams(self):
        return self.known_streams

    async def stream(self, stream):
        return self._named(self.known_streams, "id" if isinstance(stream, int) else "path", stream)

    async def folders(self):
        return FolderInfo(path="/", name="")

    async def folder(self, folder):
        if folder == "/":
            return await self.folders()
        return FolderInfo(path=folder, name=folder.rpartition("/")[2], id=3, streams=tuple(self.known_streams))

    async def stream_provenance(self, stream):
        await self.stream(stream)
        return self.history

    async def stream_create(self, spec):
        self._do("stream_create", spec)
        return StreamInfo(id=9, path=spec.path, layout=str(spec.layout), elements=spec.elements)

    async def stream_update(self, stream, changes):
        return self._do("stream_update", stream, changes)

    async def stream_move(self, stream, folder):
        return self._do("stream_move", stream, folder)

    async def stream_delete(self, stream):
        return self._do("stream_delete", stream)

    async def folder_update(self, folder, changes):
        return self._do("folder_update", folder, changes)

    async def folder_move(self, folder, parent):
        return self._do("folder_move", folder, parent)

    async def folder_copy(self, folder, destination, start_us=None, end_us=None):
        self._do("folder_copy", folder, destination, start_us, end_us)
        for rows in (0, 5, 10):
            yield CopyProgress(streams=2, rows=rows, total_rows=10)

    async def folder_delete(self, folder, *, recursive=False):
        return self._do("folder_delete", folder, recursive)

    def _do(self, *request):
        """Note what was asked for; what comes of it is what the test has put into `refusal` and `warnings`."""
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal
        return ChangeInfo(path="/now/here", id=3, streams=2, warnings=self.warnings)

    async def read_data(self, stream, start_us=None, end_us=None):
        self.asked.append((stream, start_us, end_us))
        for block in self.blocks.get((await self.stream(stream)).path, []):
            yield block

    async def follow_data(self, stream):
        self.asked.append((stream, "live"))
        for block in self.blocks.get((await self.stream(stream)).path, []):
            yield block

    @staticmethod
    def _named(infos, field, value):
        for info in infos:
            if getattr(info, field) == value:
                return info
        raise NotFoundError(f"there is no {value!r}; did you mean something else?")


@pytest.fixture
def node():
    return FakeNode(
        known_modules=[
            ModuleInfo(
                name="sensor",
                description="reads the sensor",
                state="running",
                reason="started",
                pid=42,
                uptime_s=3725.4,
                restarts=2,
                exit_code=-9,
                outputs={"output": "/house/power"},
                cpu_percent=1.25,
                memory_bytes=34_500_000,
            ),
            ModuleInfo(
                name="mean", description="", state="failed", reason="no such program", inputs={"input": "/house/power"}
            ),
        ],
        known_streams=[
            StreamInfo(
                id=1,
                path="/house/power",
                layout="float32_2",
                elements=(ElementSpec(name="volts", units="V"), ElementSpec(name="amps", plottable=False)),
                keep_us=7 * 86_400_000_000,
                rows=3,
                size_bytes=1_500_000,
                first_us=1_000_000,
                last_us=3_000_000,
                intervals=2,
                writer="sensor",
                age_us=2_500_000,
                active=True,
                rate_hz=1.25,
            ),
            StreamInfo(id=2, path="/house/water", layout="int64_1", elements=(ElementSpec(name="litres"),)),
        ],
    )


@pytest.fixture
def run(node):
    """Run `joule` with arguments against the fake node; gives click's result."""

    def run(*args, **environment):
        return CliRunner().invoke(joule, args, obj=Session(opener=node.open), prog_name="joule", env=environment)

    return run
