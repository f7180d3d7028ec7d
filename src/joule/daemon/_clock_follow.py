"""The one way in which a node's clock goes back: a person says that the system's clock is right.

All modules are stopped meanwhile. Rows with timestamps that then lie ahead would keep everything else out of their
streams until that time has come, so they are set aside: each such stream's into a stream of its own, where they can be
read as before. All of these are complete before a row leaves the stream in which it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from joule.api import ClockChange, RowsAside, log_directory
from joule.catalog import Catalog, StreamRecord
from joule.core import StreamSpec, format_time
from joule.daemon._clock import ClockKeeper
from joule.daemon._log_removal import LogRemover
from joule.daemon._node import ManagedNode
from joule.errors import LogError, StreamHeldError
from joule.log import copy_later_rows, cut_later_rows, inspect_log, later_rows

__all__ = ["ClockFollowing"]

_LAST_US = 2**63 - 1

_log = logging.getLogger(__name__)


class ClockFollowing:
    """Sets a node's clock to the system's.

    Args:
        node: Its modules are stopped for that, and started again.
        clock: The node's clock.
        catalog: Open for writing; used in the event loop's thread.
        remover: Removes the logs of copies that did not come to their end.
    """

    def __init__(self, node: ManagedNode, clock: ClockKeeper, catalog: Catalog, remover: LogRemover) -> None:
        self._node = node
        self._clock = clock
        self._catalog = catalog
        self._remover = remover
        self._data_directory: Path = node.setup.config.data_directory

    async def preview(self) -> ClockChange:
        """Return what `follow` would do now."""
        now_us, limit_us = self._limit()
        return self._describe(now_us, await self._later(now_us, limit_us), done=False)

    async def follow(self) -> ClockChange:
        """Set the node's clock to the system's, with all rows that then lie ahead set aside.

        Where the clocks agree, only rows that are further ahead than they may be are set aside; without such rows
        nothing is done. When it fails, the clock goes on as it did and no row has left its stream; copies that were
        made are removed.

        Raises:
            ModuleError: Processes of modules cannot be ended.
            StreamHeldError: Somebody else than a module writes one of the streams.
            LogError: Rows cannot be copied; the disk may be full.
        """
        change = await self.preview()
        if not (change.back_us or change.streams):
            return change
        done = await self._node.while_stopped("the node's clock is set back", self._follow)
        return dataclasses.replace(done, modules=change.modules)

    async def _follow(self) -> ClockChange:
        now_us, limit_us = self._limit()
        asides = await self._later(now_us, limit_us)
        change = self._describe(now_us, asides, done=True)
        await self._copy(asides, now_us, limit_us)
        for aside in asides:
            directory = log_directory(self._data_directory, aside.record.id)
            with _told(aside, "its copy is whole, and the clock goes on as it did: type 'joule clock follow' again"):
                await asyncio.to_thread(cut_later_rows, directory, aside.record.spec.path, limit_us)
            _log.warning(
                "stream %s: %d rows with timestamps ahead of the clock are now in %s",
                aside.record.spec.path,
                aside.rows,
                aside.path,
            )
        if change.back_us:
            self._clock.follow()
        return change

    def _limit(self) -> tuple[int, int]:
        """Return the node's time afterwards, and the last timestamp that a row may have then."""
        now_us = self._clock.system_us()
        if self._clock.is_ahead():
            return now_us, now_us
        max_ahead_us = self._node.setup.config.max_ahead_us
        return now_us, _LAST_US if max_ahead_us is None else min(_LAST_US, now_us + max_ahead_us)

    async def _later(self, now_us: int, limit_us: int) -> list[_Aside]:
        """Return the streams that modules write, and that hold rows later than a time."""
        found = []
        records = self._catalog.streams()
        taken = {record.spec.path for record in records}
        written = {pipe.stream for module in self._node.modules.values() for pipe in module.outputs.values()}
        for record in (record for record in records if record.spec.path in written):
            directory = log_directory(self._data_directory, record.id)
            try:
                rows, first_us, last_us = await asyncio.to_thread(later_rows, directory, limit_us)
            except (LogError, OSError) as error:  # nobody can write it either
                _log.warning("stream %s cannot be looked at: %s", record.spec.path, error)
                continue
            if rows:
                path = _free_path(record.spec.path, now_us, taken)
                taken.add(path)
                found.append(_Aside(record=record, path=path, rows=rows, first_us=first_us, last_us=last_us))
        return found

    async def _copy(self, asides: Sequence[_Aside], now_us: int, limit_us: int) -> None:
        """Copy the rows of all streams; all copies are there afterwards, or none."""
        specs: dict[int, StreamSpec] = {}
        try:
            for aside in asides:
                source = log_directory(self._data_directory, aside.record.id)
                with _told(aside, "nothing was changed"):
                    writer = (await asyncio.to_thread(inspect_log, source)).writer
                if writer is not None:
                    raise StreamHeldError(aside.record.spec.path, f"written by {writer}", "end that first")
                stream_id = self._catalog.begin_stream(aside.path)
                self._remover.in_work.add(stream_id)
                specs[stream_id] = aside.spec(now_us)
                target = log_directory(self._data_directory, stream_id)
                with _told(aside, "nothing was changed"):
                    await asyncio.to_thread(copy_later_rows, source, target, aside.path, limit_us)
            self._catalog.complete_streams(specs)
        finally:
            self._remover.in_work -= specs.keys()
            self._remover.wake()

    def _describe(self, now_us: int, asides: Sequence[_Aside], *, done: bool) -> ClockChange:
        return ClockChange(
            done=done,
            back_us=max(0, self._clock.node_us() - self._clock.system_us()) if self._clock.is_ahead() else 0,
            now_us=now_us,
            streams=tuple(aside.describe() for aside in asides),
            modules=tuple(sorted(self._node.supervisor.kept_names())),
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Aside:
    """The rows of a stream that are to be set aside.

    Attributes:
        record: The stream.
        path: Where they go.
        rows: How many there are.
        first_us: Timestamp of the first of them.
        last_us: Timestamp of the last.
    """

    record: StreamRecord
    path: str
    rows: int
    first_us: int
    last_us: int

    def spec(self, now_us: int) -> StreamSpec:
        """Return the stream that they become: kept until somebody deletes it."""
        text = f"Rows of {self.record.spec.path} that were ahead of the clock, set aside on {format_time(now_us)}"
        return dataclasses.replace(self.record.spec, path=self.path, keep_us=None, description=text)

    def describe(self) -> RowsAside:
        """Return what people are told."""
        return RowsAside(
            stream=self.record.spec.path,
            aside=self.path,
            rows=self.rows,
            first_us=self.first_us,
            last_us=self.last_us,
        )


@contextlib.contextmanager
def _told(aside: _Aside, outcome: str) -> Iterator[None]:
    """Let trouble with the rows of a stream say what that means for the rest."""
    path = aside.record.spec.path
    try:
        yield
    except OSError as error:
        why = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        raise LogError(f"rows of stream {path!r} cannot be set aside: {why}; {outcome}", stream=path) from error
    except LogError as error:
        text = f"rows of stream {path!r} cannot be set aside: {error.message}; {outcome}"
        raise LogError(text, stream=path) from error


def _free_path(path: str, now_us: int, taken: set[str]) -> str:
    """Return a path beside a stream's that no stream has."""
    wanted = f"{path}-ahead-{format_time(now_us)[:10]}"
    number = 1
    found = wanted
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    return found
