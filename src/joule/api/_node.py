"""What programs can ask a node, whether a `jouled` answers or only its files are there.

Every method raises the error class that the node raised (`joule.errors`); `NodeUnreachableError` says that no `jouled`
answers, or that it went away in the middle. Nothing is retried here: who wants to wait for a node does so knowingly.
Who leaves one of the generators early closes it (`contextlib.aclosing`): its connection ends then, not at some later
time.
"""

from __future__ import annotations

import abc
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Self

from joule.api._stream_operations import StreamOperations
from joule.core import Rows

if TYPE_CHECKING:
    from types import TracebackType

    from joule.api._clock_models import ClockChange, ClockInfo
    from joule.api._log_lines import LogLine, LogQuery
    from joule.api._models import (
        FolderInfo,
        ModuleChange,
        ModuleInfo,
        ModuleUsage,
        ReloadReport,
        StreamInfo,
        VersionInfo,
    )
    from joule.log import Break

__all__ = ["Node"]


class Node(StreamOperations):
    """A node of Joule. Use it as `async with open_node(...) as node`.

    Attributes:
        where: Directory or URL, as found; for messages.
    """

    where: str

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @abc.abstractmethod
    async def close(self) -> None:
        """Let go of connections and files."""

    @abc.abstractmethod
    async def version(self) -> VersionInfo:
        """Return which node this is."""

    @abc.abstractmethod
    async def clock(self) -> ClockInfo:
        """Return how the node's clock stands to the system's.

        Raises:
            NodeUnreachableError: No `jouled` answers.
        """

    @abc.abstractmethod
    async def clock_confirm(self) -> ClockInfo:
        """Say that the node's clock is right although it went far forward; returns how it stands then.

        From then on rows are removed for their age again.

        Raises:
            NodeUnreachableError: No `jouled` answers.
        """

    @abc.abstractmethod
    async def clock_follow(self, *, dry_run: bool = False) -> ClockChange:
        """Set the node's clock to the system's, which is right, although it goes back by that.

        All modules are stopped and started again. Rows that then lie ahead are set aside, each stream's into a stream
        of its own; none is lost.

        Args:
            dry_run: Only tell what would be done.

        Raises:
            NodeUnreachableError: No `jouled` answers.
            ModuleError: Processes of modules cannot be ended; nothing was changed.
            StreamHeldError: Somebody else than a module writes one of these streams; nothing was changed.
            LogError: Rows cannot be copied, perhaps as the disk is full; nothing was changed.
        """

    @abc.abstractmethod
    async def modules(self) -> list[ModuleInfo]:
        """Return all modules of the node, sorted by name."""

    @abc.abstractmethod
    async def module(self, name: str) -> ModuleInfo:
        """Return one module.

        Raises:
            NotFoundError: The node has no module of that name.
        """

    @abc.abstractmethod
    async def module_logs(self, name: str, lines: int = 100, query: LogQuery | None = None) -> list[str]:
        """Return the newest lines of a module's output, oldest first, each stamped with its time.

        Args:
            name: Of a module; `jouled` for the daemon's own log.
            lines: How many at most.
            query: Which; None for any.

        Raises:
            NotFoundError: The node has no module of that name.
        """

    @abc.abstractmethod
    def follow_module_logs(self, name: str, lines: int = 10, query: LogQuery | None = None) -> AsyncGenerator[str]:
        """Yield the newest `lines` lines of a module's output, then each new line as it is written, without end.

        Args:
            name: See `module_logs`.
            lines: See `module_logs`.
            query: Which lines, stored and new ones, without an `until_us`; None for any.

        Raises:
            NotFoundError: The node has no module of that name.
            NodeUnreachableError: The node went away.
        """

    @abc.abstractmethod
    async def logs(self, lines: int = 100, query: LogQuery | None = None) -> list[LogLine]:
        """Return the newest lines of all modules and of `jouled` in the order of their times; see `module_logs`."""

    @abc.abstractmethod
    def follow_logs(self, lines: int = 10, query: LogQuery | None = None) -> AsyncGenerator[LogLine]:
        """Yield the newest `lines` lines of all, then each new one of any; see `follow_module_logs`.

        Raises:
            NodeUnreachableError: The node went away.
        """

    @abc.abstractmethod
    async def module_usage(self, name: str) -> ModuleUsage:
        """Return what a module has used over the last day, minute by minute.

        Raises:
            NotFoundError: The node has no module of that name.
        """

    @abc.abstractmethod
    async def module_start(self, name: str) -> ModuleChange:
        """Start a module that is stopped, failed or backing off; what counted against it is forgotten.

        Returns when its process has opened its pipes, or it is clear that it does not. It is started to its end also
        when whoever asked goes away, as are `module_stop` and `module_restart`.

        Raises:
            NotFoundError: The node has no module of that name.
            ConfigurationError: Its configuration has a fault.
            ModuleError: An old process of it cannot be ended.
        """

    @abc.abstractmethod
    async def module_stop(self, name: str) -> ModuleChange:
        """Stop a module until it is started again, or until the next start of `jouled`.

        Raises:
            NotFoundError: The node has no module of that name.
            ModuleError: A process of it cannot be ended.
        """

    @abc.abstractmethod
    async def module_restart(self, name: str) -> ModuleChange:
        """Stop a module, if it runs, and start it as `module_start` does.

        Raises:
            NotFoundError: The node has no module of that name.
            ConfigurationError: Its configuration has a fault.
            ModuleError: A process of it cannot be ended.
        """

    @abc.abstractmethod
    async def reload(self) -> ReloadReport:
        """Let the node read all its files again, and touch only the modules that they have changed.

        Raises:
            ConfigurationError: `main.conf` has a fault; nothing was changed.
            NodeError: The node is stopping, or its disk refused.
        """

    @abc.abstractmethod
    async def streams(self) -> list[StreamInfo]:
        """Return all streams of the node, sorted by path."""

    @abc.abstractmethod
    async def stream(self, stream: str | int) -> StreamInfo:
        """Return one stream, by path or id.

        Raises:
            NotFoundError: The node has no such stream.
        """

    @abc.abstractmethod
    async def folders(self) -> FolderInfo:
        """Return the root folder with all that is below it."""

    @abc.abstractmethod
    def read_data(
        self, stream: str | int, start_us: int | None = None, end_us: int | None = None
    ) -> AsyncGenerator[Rows | Break]:
        """Yield stored rows in blocks of about 1 MB at most, and a `Break` between two intervals.

        Args:
            stream: Path or id.
            start_us: First timestamp, inclusive; None begins with the oldest stored row.
            end_us: Last timestamp, exclusive; None ends with the newest row stored when reading gets there.

        Yields:
            Structured rows of the stream's layout, shape (n,), n > 0; or a `Break`, never first or last.

        Raises:
            NotFoundError: The node has no such stream.
            NodeUnreachableError: The answer broke off; what was yielded is right, but not all.
        """

    @abc.abstractmethod
    def follow_data(self, stream: str | int) -> AsyncGenerator[Rows | Break]:
        """Yield rows and breaks as they are stored from now on, without end.

        Raises:
            NotFoundError: The node has no such stream.
            NodeUnreachableError: No `jouled` answers, or it went away.
        """
