"""What the demo's node is doing, looked at again and again: states, rows a second, last values.

Asks the node as any other program could. Rates come from the timestamps of the rows, not from when the node was asked:
a reader that writes once a second is as steady as one that writes each row.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import time
from collections.abc import Callable

from joule.api import ModuleInfo, Node, StreamInfo
from joule.core import Rows, flatten_rows
from joule.log import Break

__all__ = ["Glance", "StreamGlance", "Watcher"]

_RATE_SPAN_S = 3.0
_LOG_LINES = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StreamGlance:
    """A stream at one moment.

    Attributes:
        info: What the node says.
        rate_hz: Rows a second over the last seconds; 0 when none came.
        values: Of the last row, one for each element; empty when there is no row.
    """

    info: StreamInfo
    rate_hz: float
    values: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The node at one moment.

    Attributes:
        modules: All of them.
        streams: All of them.
        troubles: For each module that is not well, the last lines that it printed.
    """

    modules: tuple[ModuleInfo, ...]
    streams: tuple[StreamGlance, ...]
    troubles: dict[str, list[str]]

    def stream(self, path: str) -> StreamGlance | None:
        """Return the stream of that path, None where the node has none (yet)."""
        return next((glance for glance in self.streams if glance.info.path == path), None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Count:
    seen_s: float
    rows: int
    last_us: int


class Watcher:
    """Looks at a node, and remembers how many rows its streams had."""

    def __init__(self, node: Node, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._clock = clock
        self._counts: dict[int, collections.deque[_Count]] = {}

    async def look(self) -> Glance:
        """Return how the node is now."""
        modules = await self._node.modules()
        streams = [await self._glance(info) for info in await self._node.streams()]
        troubles = {
            module.name: await self._node.module_logs(module.name, _LOG_LINES)
            for module in modules
            if module.state in ("backing off", "failed")
        }
        return Glance(modules=tuple(modules), streams=tuple(streams), troubles=troubles)

    async def _glance(self, info: StreamInfo) -> StreamGlance:
        return StreamGlance(info=info, rate_hz=self._rate_hz(info), values=await self._last_values(info))

    def _rate_hz(self, info: StreamInfo) -> float:
        if info.last_us is None:
            return 0.0
        now_s = self._clock()
        counts = self._counts.setdefault(info.id, collections.deque())
        if not counts or info.last_us != counts[-1].last_us:
            counts.append(_Count(now_s, info.rows, info.last_us))
        # The newest count from before the span stays, as the one to compare with.
        while len(counts) > 2 and now_s - counts[1].seen_s > _RATE_SPAN_S:
            counts.popleft()
        first, last = counts[0], counts[-1]
        if now_s - last.seen_s > _RATE_SPAN_S or last.last_us <= first.last_us:
            return 0.0
        return (last.rows - first.rows) * 1e6 / (last.last_us - first.last_us)

    async def _last_values(self, info: StreamInfo) -> tuple[float, ...]:
        if info.last_us is None:
            return ()
        last: Rows | None = None
        async for block in self._node.read_data(info.id, start_us=info.last_us):
            if not isinstance(block, Break):
                last = block
        if last is None:
            return ()
        return tuple(_shown(float(value), info, i) for i, value in enumerate(flatten_rows(last[-1:])[0, 1:]))


def _shown(value: float, info: StreamInfo, element: int) -> float:
    spec = info.elements[element]
    return math.nan if math.isnan(value) else spec.scale_factor * (value - spec.offset)
