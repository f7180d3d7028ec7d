"""What modules and `jouled` have printed: the lines of their log files, of one or of all, asked for by text and time.

A log is a file and, with `.1` behind its name, what was before it. Lines begin with a stamp; one without, such as those
of a traceback in `jouled`'s own log, belongs to the line before it. Files are read line by line, never whole, and their
newest lines from the end.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import heapq
import itertools
import os
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

__all__ = [
    "JOULED",
    "LogLine",
    "LogMatcher",
    "LogQuery",
    "find_logs",
    "merged_lines",
    "module_log_file",
    "stored_lines",
]

JOULED = "jouled"
"""The name under which the daemon's own log is asked for; no module may have it."""
LOWEST_US = -(2**63)
_BLOCK_BYTES = 65536
_STAMP = re.compile(r"\[?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines of a log are wanted; by default all.

    Attributes:
        text: What they hold, wherever in the line; empty for anything.
        ignores_case: Upper and lower case of `text` are the same.
        since_us: Printed at this time or later, us; None from the oldest.
        until_us: Printed before this time, us; None to the newest.
    """

    text: str = ""
    ignores_case: bool = False
    since_us: int | None = None
    until_us: int | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether every line is wanted."""
        return not self.text and self.since_us is None and self.until_us is None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of one of several logs.

    Attributes:
        module: Who printed it: a module's name, or `jouled`.
        line: The line with its stamp.
    """

    module: str
    line: str


def module_log_file(log_directory: Path, module: str) -> Path:
    """Return where a module's output is kept. Names are free text: what no file name may hold is left escaped."""
    name = module.replace("%", "%25").replace("/", "%2F")
    return log_directory / f"{'%2E' + name[1:] if name.startswith('.') else name}.log"


def find_logs(log_directory: Path) -> dict[str, Path]:
    """Return the logs that there are, by module, sorted; `jouled`'s own among them."""
    modules = sorted(urllib.parse.unquote(path.name.removesuffix(".log")) for path in log_directory.glob("*.log"))
    return {module: module_log_file(log_directory, module) for module in modules}


class LogMatcher:
    """Takes a log's lines one after the other and keeps those that a query wants."""

    def __init__(self, query: LogQuery) -> None:
        self._query = query
        self._text = query.text.casefold() if query.ignores_case else query.text
        self._time_us = LOWEST_US

    def take(self, raw: bytes) -> tuple[int, str] | None:
        """Return a line's time, us, and its text; None where it is not wanted."""
        query = self._query
        line = raw.decode("utf-8", "backslashreplace")
        self._time_us = _time_us(line, self._time_us)
        if query.since_us is not None and self._time_us < query.since_us:
            return None
        if query.until_us is not None and self._time_us >= query.until_us:
            return None
        if self._text and self._text not in (line.casefold() if query.ignores_case else line):
            return None
        return self._time_us, line

    def take_all(self, lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
        """Yield time and text of those that are wanted."""
        for raw in lines:
            taken = self.take(raw)
            if taken is not None:
                yield taken


def stored_lines(path: Path, count: int, query: LogQuery = LogQuery(), end: int | None = None) -> list[str]:
    """Return the newest lines of a log that a query wants, oldest first. No file has no lines.

    Args:
        path: The log; the older file beside it counts too.
        count: How many at most.
        query: Which.
        end: Go no further than this offset of the newer file.
    """
    return [line for _, line in _newest(path, count, query, end)]


def merged_lines(
    logs: Mapping[str, Path], count: int, query: LogQuery = LogQuery(), ends: Mapping[str, int] | None = None
) -> list[LogLine]:
    """Return the newest lines of several logs in the order of their times, oldest first.

    Args:
        logs: By module.
        count: How many at most, of all together.
        query: Which.
        ends: Go no further than these offsets of the newer files, by module.
    """
    each = [
        [(time_us, module, line) for time_us, line in _newest(path, count, query, (ends or {}).get(module))]
        for module, path in logs.items()
    ]
    # By time alone: lines of one log keep their order, also where the clock went back between them.
    together = heapq.merge(*each, key=lambda entry: entry[0])
    newest = collections.deque(together, maxlen=count)
    return [LogLine(module=module, line=line) for _, module, line in newest]


def _newest(path: Path, count: int, query: LogQuery, end: int | None = None) -> Iterable[tuple[int, str]]:
    if not count:
        return ()
    with contextlib.ExitStack() as stack:
        descriptors = _open_files(path)
        for descriptor in descriptors:
            stack.callback(os.close, descriptor)
        sizes = [os.fstat(descriptor).st_size for descriptor in descriptors]
        if end is not None and sizes:
            sizes[-1] = min(sizes[-1], end)
        if query.is_for_all:
            lines: Iterable[bytes] = _last_lines(descriptors, sizes, count)
        else:
            lines = itertools.chain.from_iterable(map(_each_line, descriptors, sizes))
        return collections.deque(LogMatcher(query).take_all(lines), maxlen=count)


def _open_files(path: Path) -> list[int]:
    """Return descriptors of the older and the newer file of a log, those that there are."""
    descriptors: list[int] = []
    # The newer one first: rotated between the two, it would be missed the other way round, and is seen twice this way.
    for name in (path, path.with_name(path.name + ".1")):
        with contextlib.suppress(FileNotFoundError):
            descriptors.insert(0, os.open(name, os.O_RDONLY | os.O_CLOEXEC))
    if len(descriptors) == 2 and os.path.samestat(*map(os.fstat, descriptors)):
        os.close(descriptors.pop())
    return descriptors


def _each_line(descriptor: int, size: int) -> Iterator[bytes]:
    """Yield the lines of the first `size` bytes of a file."""
    rest, offset = b"", 0
    while offset < size and (block := os.pread(descriptor, min(_BLOCK_BYTES, size - offset), offset)):
        offset += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _last_lines(descriptors: list[int], sizes: list[int], count: int) -> list[bytes]:
    """Return the last lines of files, oldest first, without reading more of them than that takes."""
    data = b""
    for descriptor, offset in zip(reversed(descriptors), reversed(sizes), strict=True):
        while offset and data.count(b"\n") <= count:
            begin = max(0, offset - _BLOCK_BYTES)
            data = os.pread(descriptor, offset - begin, begin) + data
            offset = begin
    return data.removesuffix(b"\n").split(b"\n")[-count:] if data else []


def _time_us(line: str, otherwise_us: int) -> int:
    """Return the time of a line's stamp, us; that of the line before for a line without."""
    stamp = _STAMP.match(line)
    if stamp is None:
        return otherwise_us
    try:
        return (dt.datetime.fromisoformat(stamp[1]) - _EPOCH) // _MICROSECOND
    except ValueError:  # digits that are no time: somebody else's line
        return otherwise_us
