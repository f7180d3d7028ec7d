"""What a node is made of, as programs of the newest era hold it: folders, events, annotations, modules, proxies.

Plain values with the arguments that such programs give; changing one changes nothing in a node. (Streams are in
`joule.core.data_stream`, since modules have them too.)
"""

from __future__ import annotations

import dataclasses
from typing import Any

from joule.core.data_stream import DataStream

__all__ = [
    "Annotation",
    "DataStreamInfo",
    "Event",
    "EventStream",
    "EventStreamInfo",
    "Folder",
    "Module",
    "ModuleStatistics",
    "Proxy",
]


@dataclasses.dataclass
class DataStreamInfo:
    """What a data stream holds.

    Attributes:
        start: Timestamp of its first row, us; None when it is empty.
        end: Of its last row, us.
        rows: How many there are.
        bytes: Their size on disk.
        total_time: The sum of its intervals, us.
    """

    start: int | None
    end: int | None
    rows: int
    bytes: int = 0
    total_time: int = 0


@dataclasses.dataclass
class EventStreamInfo:
    """What an event stream holds.

    Attributes:
        start: Of its first event, us; None when it is empty.
        end: Of its last event, us.
        event_count: How many there are.
        bytes: Their size on disk.
        total_time: From `start` to `end`, us.
    """

    start: int | None
    end: int | None
    event_count: int
    bytes: int = 0
    total_time: int = 0


@dataclasses.dataclass
class Event:
    """Something that has a time and fields of its own. Two are equal when times and content are.

    Attributes:
        start_time: Unix us.
        end_time: Unix us, later than the start; None for one that has no end (yet).
        content: Its fields by name.
        id: Its number in the node; None for one that no node has.
        event_stream_id: Its stream's number, likewise.
        node_uuid: The node that it comes from, where that is known.

    Raises:
        ValueError: It does not end after it starts.
    """

    start_time: int
    end_time: int | None = None
    content: dict[str, Any] = dataclasses.field(default_factory=dict)
    id: int | None = dataclasses.field(default=None, compare=False)
    event_stream_id: int | None = dataclasses.field(default=None, compare=False)
    node_uuid: str | None = dataclasses.field(default=None, compare=False)

    def __post_init__(self) -> None:
        self.start_time = int(self.start_time)  # modules take times out of rows, as NumPy's integers
        self.end_time = None if self.end_time is None else int(self.end_time)
        if self.end_time is not None and self.end_time <= self.start_time:
            raise ValueError(
                f"an event ends after it starts, not at {self.end_time} when it starts at {self.start_time}; leave "
                "end_time out for one that has no end"
            )
        self.content = dict(self.content or {})  # None, as other eras have it, is no field


@dataclasses.dataclass
class EventStream:
    """A stream of events.

    Attributes:
        name: Last part of its path.
        description: For people.
        chunk_duration: How much time one piece of its storage spans, as text such as `1d`; empty for the node's choice.
        chunk_duration_us: The same in us, where that is given.
        keep_us: How long events are kept, us; -1 for all.
        event_fields: Kind of each field by name: `string`, `numeric` or `category:["a", "b"]`.
        id: Its number in the node; None for one that no node has.
    """

    name: str = ""
    description: str = ""
    chunk_duration: str = ""
    chunk_duration_us: int | None = None
    keep_us: int = -1
    event_fields: dict[str, str] = dataclasses.field(default_factory=dict)
    id: int | None = dataclasses.field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        self.event_fields = dict(self.event_fields or {})


@dataclasses.dataclass
class Folder:
    """A folder of streams.

    Attributes:
        name: Last part of its path.
        description: For people.
        children: Folders in it.
        data_streams: Data streams in it.
        event_streams: Event streams in it.
        id: Its number in the node; None for one that no node has.
        locked: Whether something of the node depends on what is in it.
    """

    name: str = ""
    description: str = ""
    children: list[Folder] = dataclasses.field(default_factory=list)
    data_streams: list[DataStream] = dataclasses.field(default_factory=list)
    event_streams: list[EventStream] = dataclasses.field(default_factory=list)
    id: int | None = dataclasses.field(default=None, kw_only=True, compare=False)
    locked: bool = dataclasses.field(default=False, kw_only=True)


@dataclasses.dataclass
class Annotation:
    """A note that a person attaches to a point or span of time of a stream.

    Attributes:
        title: In a word or two.
        start: Unix us.
        content: The note.
        end: Unix us; None for a point of time.
        id: Its number in the node; None for one that no node has.
        stream_id: Its stream's number, likewise.
    """

    title: str = ""
    start: int | None = None
    content: str | None = ""
    end: int | None = None
    id: int | None = dataclasses.field(default=None, compare=False)
    stream_id: int | None = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass
class ModuleStatistics:
    """What a module's process uses.

    Attributes:
        pid: Its number; None while it does not run.
        create_time: When it was started, Unix s.
        cpu_percent: Of one core.
        memory_percent: Of the machine's memory.
    """

    pid: int | None = None
    create_time: float | None = None
    cpu_percent: float | None = None
    memory_percent: float | None = None


@dataclasses.dataclass
class Module:
    """A module of a node.

    Attributes:
        name: From its configuration.
        description: For people.
        is_app: It serves web pages.
        inputs: Stream path by pipe name.
        outputs: Likewise.
        statistics: What its process uses, where that was asked for.
        id: Its number in the node.
    """

    name: str = ""
    description: str = ""
    is_app: bool = False
    inputs: dict[str, str] = dataclasses.field(default_factory=dict)
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)
    statistics: ModuleStatistics | None = None
    id: int | None = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass
class Proxy:
    """Another web server that a node hands requests on to.

    Attributes:
        id: Its number in the node.
        name: From its configuration.
        proxied_url: Where it is.
    """

    id: int | None = dataclasses.field(default=None, compare=False)
    name: str = ""
    proxied_url: str = ""
