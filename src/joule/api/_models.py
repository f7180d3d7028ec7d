"""What a node tells about itself: values that a server sends and a client gets back unchanged.

Each class knows its JSON form in both directions, so that the two sides of HTTP cannot drift apart. Fields that a newer
node adds are ignored by `from_json`, so that an older client still reads its answers.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Self

from joule.core import ElementSpec

__all__ = [
    "ChangeInfo",
    "CopyProgress",
    "FolderInfo",
    "ModuleChange",
    "ModuleInfo",
    "ModuleUsage",
    "ProvenanceInfo",
    "ReloadReport",
    "StreamInfo",
    "UsageSample",
    "VersionInfo",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Wire:
    """A value with a JSON form: one object, its fields by name."""

    def to_json(self) -> dict[str, Any]:
        """Return the value as what `json.dumps` takes."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the value that `to_json` described; fields of a newer node are ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in body.items() if name in known})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo(_Wire):
    """Which node answers, and which Joule runs it.

    Attributes:
        version: Of Joule.
        name: Of the node, from its main.conf.
        directory: Where the node's files lie, on its own machine.
        pid: Process id of `jouled`; None where no `jouled` runs and the files were read.
        clock: State of the node's clock, see `ClockInfo`; None where no `jouled` runs.
        clock_note: What a person has to know about the clock; empty when all is well.
    """

    version: str
    name: str
    directory: str
    pid: int | None = None
    clock: str | None = None
    clock_note: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModuleInfo(_Wire):
    """A module as its supervisor sees it.

    Attributes:
        name: From its configuration.
        description: For people.
        state: `running`, `waiting` (not started yet), `backing off` (ended, starts again in a moment), `failed` (cannot
            be started as it is configured, or ends too often) or `stopped`.
        reason: One sentence: why it is in that state.
        pid: Of the running process, else None.
        uptime_s: How long that process has been running, else None.
        restarts: How often it was started again by itself since `jouled` started.
        exit_code: How its last process ended: the exit status, or minus the number of the signal; None before that.
        inputs: Stream path by pipe name.
        outputs: Stream path by pipe name.
        cpu_percent: Of one core, over the time since somebody last asked (at least half a second), for the process and
            its children; None while it does not run.
        memory_bytes: Resident memory of the process and its children; None while it does not run.
        peak_memory_bytes: The most of it that was seen since the process was started; None while it does not run.
        next_start_s: After how long it starts again by itself; None where it runs, or will not.
        outdated: Why it runs otherwise than its file says now; None where it does not.
        recent_ends: How often its process ended within its restart window, since somebody last started it.
        limits: What it may use, and when it counts as failed: the keys and units of `joule.config.Limits`.
        socket: Path of the unix socket where it serves its web pages; None for a module that has none.
    """

    name: str
    description: str
    state: str
    reason: str
    pid: int | None = None
    uptime_s: float | None = None
    restarts: int = 0
    exit_code: int | None = None
    inputs: dict[str, str] = dataclasses.field(default_factory=dict)
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    peak_memory_bytes: int | None = None
    next_start_s: float | None = None
    outdated: str | None = None
    recent_ends: int = 0
    limits: dict[str, int | float | str | None] = dataclasses.field(default_factory=dict)
    socket: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UsageSample:
    """What all processes of a module used together, in a minute or at its end.

    Attributes:
        time_us: The end of the minute, Unix us.
        cpu_percent: Of one core, over the minute.
        memory_bytes: Resident memory; pages that processes share count in each.
        processes: How many they were.
    """

    time_us: int
    cpu_percent: float
    memory_bytes: int
    processes: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModuleUsage(_Wire):
    """What a module has used over the last day, as long as `jouled` has been running.

    Attributes:
        name: The module's.
        samples: One for each minute in which it ran, oldest first.
    """

    name: str
    samples: tuple[UsageSample, ...] = ()

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the value that `to_json` described."""
        known = {field.name for field in dataclasses.fields(UsageSample)}
        samples = ({name: value for name, value in sample.items() if name in known} for sample in body["samples"])
        return cls(name=body["name"], samples=tuple(UsageSample(**sample) for sample in samples))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ModuleChange(_Wire):
    """What became of a request to start, stop or restart a module.

    Attributes:
        changed: Whether anything was done: a running module is not started, a stopped one not stopped.
        module: The module afterwards.
    """

    changed: bool
    module: ModuleInfo

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the change that `to_json` described."""
        return super(ModuleChange, cls).from_json({**body, "module": ModuleInfo.from_json(body["module"])})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReloadReport(_Wire):
    """What a node did when it read its files again. Names are those of modules.

    Attributes:
        started: New ones.
        stopped: Those that are no longer configured.
        restarted: Those that were to be started otherwise.
        adjusted: Those whose change needed no restart: of limits, or of a module that somebody had stopped.
        unchanged: How many were left alone.
        outdated: Those that go on as they were, since their files have faults now.
        faults: What keeps modules or streams from being used as they are configured, a sentence each.
        waiting: Keys of `main.conf` whose change waits for the next start of `jouled`.
        ended: Modules that were started and ended at once, or could not be started at all: name and reason each.
    """

    started: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()
    unchanged: int = 0
    outdated: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the report that `to_json` described."""
        return super(ReloadReport, cls).from_json(
            {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
        )

    def summary(self) -> str:
        """Return it on one line."""
        lists = {
            "started": self.started,
            "stopped": self.stopped,
            "restarted": self.restarted,
            "adjusted": self.adjusted,
            "left as they were": self.outdated,
        }
        parts = [f"{what} {', '.join(names)}" for what, names in lists.items() if names]
        faults = f"{len(self.faults)} fault{'' if len(self.faults) == 1 else 's'}"
        return "; ".join([*parts, f"{self.unchanged} unchanged, {faults}"])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo(_Wire):
    """A stream and what its log holds at the moment.

    Attributes:
        id: Number in the catalog; survives restarts, is never used again.
        path: Absolute, such as `/house/power`.
        layout: Such as `float32_8`.
        elements: The columns, in order.
        keep_us: How long rows are kept; None keeps all, 0 keeps nothing but the newest.
        decimate: Whether the archive keeps means, minima and maxima.
        description: For people.
        rows: Stored at the moment.
        size_bytes: On disk.
        first_us: Timestamp of the oldest stored row; None when there is none.
        last_us: Timestamp of the newest stored row.
        intervals: Number of stretches of rows without a break.
        writer: Who writes the stream at the moment, None when nobody does.
        age_us: The node's present minus `last_us`; None when there is no row.
        active: Whether somebody writes it at the moment.
        rate_hz: Rows a second, over the newest 10 s; None where nobody writes, or the newest row is older.
        refused_rows: Rows that `write()` refused for their timestamps, over the life of the stream.
        ahead_rows: How many of these were too far ahead of the node's clock; the others were out of order.
        repeated_rows: Rows that restarted modules wrote again, and that were dropped for that.
        stored_rows: Rows that were ever stored, over the life of the stream.
        durable_rows: How many of these a power cut cannot cost any more; None for a stream that keeps nothing.
        durable_us: When that was looked at; None where it never was.
        lost_rows: Stored rows that power cuts have cost, as far as that is known.
        problem: Why its log cannot be read, or its rows not be made durable; None where all is well.
    """

    id: int
    path: str
    layout: str
    elements: tuple[ElementSpec, ...]
    keep_us: int | None = None
    decimate: bool = True
    description: str = ""
    rows: int = 0
    size_bytes: int = 0
    first_us: int | None = None
    last_us: int | None = None
    intervals: int = 0
    writer: str | None = None
    age_us: int | None = None
    active: bool = False
    rate_hz: float | None = None
    refused_rows: int = 0
    ahead_rows: int = 0
    repeated_rows: int = 0
    stored_rows: int = 0
    durable_rows: int | None = 0
    durable_us: int | None = None
    lost_rows: int = 0
    problem: str | None = None

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the stream that `to_json` described."""
        known = {field.name for field in dataclasses.fields(ElementSpec)}
        elements = tuple(
            ElementSpec(**{name: value for name, value in element.items() if name in known})
            for element in body["elements"]
        )
        return super(StreamInfo, cls).from_json({**body, "elements": elements})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FolderInfo(_Wire):
    """A folder of streams, with all that is below it.

    Attributes:
        path: Absolute; `/` for the root.
        name: Last component of the path; empty for the root.
        folders: Below it, sorted by name.
        streams: In it, sorted by path.
        id: Number in the catalog, as for streams; 0 where it is not known.
        description: For people.
    """

    path: str
    name: str
    folders: tuple[FolderInfo, ...] = ()
    streams: tuple[StreamInfo, ...] = ()
    id: int = 0
    description: str = ""

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the folder that `to_json` described."""
        folders = tuple(FolderInfo.from_json(folder) for folder in body["folders"])
        streams = tuple(StreamInfo.from_json(stream) for stream in body["streams"])
        return super(FolderInfo, cls).from_json({**body, "folders": folders, "streams": streams})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceInfo(_Wire):
    """What wrote a stretch of a stream's rows. Texts are empty where something is not known.

    Attributes:
        kind: `module`, `copy`, or `unknown` for rows from before this was recorded.
        name: The module's name; of a copy, the path of the stream that was copied.
        command: Its command line as the configuration gives it, with secrets as `${NAME}`.
        code: Version of the code: a commit of git, or a distribution with its version.
        script: The file that was run.
        script_sha256: Of that file.
        joule: Version of the Joule that ran it.
        python: Version of its Python.
        host: Name of the machine.
        user: Name of the user.
        row: Index of the first row of the stretch.
        end: Index behind its last row.
        rows: How many of its rows are still stored.
        first_us: Timestamp of the first of them; None where none is.
        last_us: Timestamp of the last.
        since_us: When it was first started, Unix us; None where that is not known.
        starts: How often it was started, one behind the other, without a change.
        pid: Of the process of its last start; None where that is not known.
    """

    kind: str
    name: str
    command: str = ""
    code: str = ""
    script: str = ""
    script_sha256: str = ""
    joule: str = ""
    python: str = ""
    host: str = ""
    user: str = ""
    row: int
    end: int
    rows: int
    first_us: int | None = None
    last_us: int | None = None
    since_us: int | None = None
    starts: int = 0
    pid: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChangeInfo(_Wire):
    """What a change of a stream or folder came to.

    Attributes:
        path: Where it is now; where it was, if it was deleted.
        id: Of the stream or folder.
        streams: How many streams were changed, moved or deleted.
        warnings: One sentence each about what the change leaves to do, such as a file that names the old path.
    """

    path: str
    id: int
    streams: int = 1
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Self:
        """Return the change that `to_json` described."""
        return super(ChangeInfo, cls).from_json({**body, "warnings": tuple(body["warnings"])})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress(_Wire):
    """How far the copying of a folder is.

    Attributes:
        streams: How many there are to be copied.
        rows: How many were copied so far.
        total_rows: How many there are to be copied.
    """

    streams: int
    rows: int
    total_rows: int
