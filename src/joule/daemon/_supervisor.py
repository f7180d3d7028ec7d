"""All modules of a node: ends what an earlier `jouled` left, starts, stops and replaces them, and ends them together.

Start: producers before consumers, as the configuration orders them, a few at a time (see `_turns`); nobody waits for
anybody's rows, since a consumer whose producer is not there yet waits for them by itself.

Stop: all that are meant at once. A consumer that ends before its producer leaves rows behind its cursor, and goes on
exactly there at the next start, so an order would cost time and gain nothing. SIGTERM, then `GRACE_S`, then SIGKILL to
everything that a module has started. `hurry` ends the grace.

Changes to one module come one after the other: whoever starts, stops or replaces it holds its lock, so there are never
two processes of it. Whoever needs several locks takes them in the order of names, so nobody waits in a circle.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Self, TypeVar

from joule.daemon._ending import Targets, end_processes
from joule.daemon._keeper import ModuleKeeper
from joule.daemon._launch import Launch
from joule.daemon._records import ModuleRecords
from joule.daemon._states import ModuleState, ModuleStatus
from joule.daemon._tasks import BackgroundTasks
from joule.daemon._turns import StartTurns
from joule.errors import ModuleError, NotFoundError

__all__ = ["Supervisor", "end_leftovers"]

_SETTLE_S = 5.0  # for a keeper whose processes have gone to say so
_LONGEST_START_S = 20.0  # behind many others that start; whoever asked is then told that it waits
_UP = (ModuleState.RUNNING, ModuleState.WAITING)

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def end_leftovers(records: ModuleRecords, node_mark: str, hurry: asyncio.Event) -> None:
    """End what a killed `jouled` of this node left running; its modules go on from their cursors afterwards.

    Args:
        records: Of the node.
        node_mark: How the marks of all its modules begin.
        hurry: Ends their grace.
    """
    targets = Targets(groups=records.living_groups(), node_mark=node_mark)
    found = targets.living()
    if found:
        _log.warning("an earlier jouled left %d processes of modules; they are ended first", len(found))
        left = await end_processes(targets, hurry=hurry)
        if left:
            _log.error("%d processes of an earlier jouled cannot be ended", left)
    records.remove_all()


class Supervisor:
    """The running modules of a node; `async with` starts and stops them.

    Args:
        launches: The modules, in the order of their start.
        records: Where their processes are recorded.
        tasks: Owns the work; must outlast the supervisor.
        hurry: Ends the grace of modules when it is set.
    """

    def __init__(
        self, launches: Sequence[Launch], records: ModuleRecords, tasks: BackgroundTasks, hurry: asyncio.Event
    ) -> None:
        self._records = records
        self._tasks = tasks
        self._hurry = hurry
        self._turns = StartTurns()
        self._keepers = {launch.name: self._new_keeper(launch) for launch in launches}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._is_closing = False

    async def __aenter__(self) -> Self:
        for name in self._keepers:
            self._begin(name)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    @property
    def is_closing(self) -> bool:
        """Whether the node is stopping: nothing is started any more."""
        return self._is_closing

    def names(self) -> list[str]:
        """Return the names of all modules that are run, or were until somebody stopped them."""
        return list(self._keepers)

    def status(self, name: str) -> ModuleStatus | None:
        """Return the state of a module; None when it is not one of those that are run."""
        keeper = self._keepers.get(name)
        return keeper.status if keeper else None

    def keeper(self, name: str) -> ModuleKeeper | None:
        """Return who keeps a module running; None when it is not one of those that are run."""
        return self._keepers.get(name)

    def keepers(self) -> list[ModuleKeeper]:
        """Return who keeps each of the modules."""
        return list(self._keepers.values())

    def is_kept(self, name: str) -> bool:
        """Return whether a module runs, or will by itself."""
        work = self._work.get(name)
        return work is not None and not work.done()

    def places(self) -> dict[str, int]:
        """Return how many modules start before each of those that wait for their turn, by name."""
        return self._turns.places()

    def kept_launches(self) -> list[Launch]:
        """Return how those modules were started that run, or will by themselves."""
        return [keeper.launch for name, keeper in self._keepers.items() if self.is_kept(name)]

    async def start(self, name: str) -> bool:
        """Start a module that does not run; what counted against it is forgotten.

        Returns when its process has opened its pipes, or it is clear that it does not.

        Returns:
            Whether there was anything to start: it did not run already.

        Raises:
            ModuleError: An old process of it cannot be ended.
            NotFoundError: There is no such module.
        """
        async with self.changing([name]):
            keeper = self._find(name)
            is_up = self.is_kept(name) and not keeper.is_stopping and keeper.status.state in _UP
            if not is_up:
                _check_ended(await self.end([name], "it is started anew"))
                keeper = self.begin_anew(keeper.launch)
        await _settled(keeper)  # also one that somebody else has just begun to start
        return not is_up

    async def stop(self, name: str, reason: str) -> bool:
        """Stop a module; when this returns, none of its processes is left, and it does not start by itself.

        Returns:
            Whether there was anything to stop.

        Raises:
            ModuleError: A process of it cannot be ended.
        """
        async with self.changing([name]):
            self._find(name)
            if not self.is_kept(name):
                return False
            _check_ended(await self.end([name], reason))
            return True

    async def restart(self, name: str, reason: str) -> None:
        """Stop a module, if it runs, and start it again; what counted against it is forgotten.

        Raises:
            ModuleError: A process of it cannot be ended; it is then not started.
        """
        async with self.changing([name]):
            keeper = self._find(name)
            _check_ended(await self.end([name], reason))
            keeper = self.begin_anew(keeper.launch)
        await _settled(keeper)

    def kept_names(self) -> list[str]:
        """Return the names of the modules that run, or will by themselves, in the order of their start."""
        return [name for name in self._keepers if self.is_kept(name)]

    async def settle(self, names: Iterable[str], timeout_s: float) -> dict[str, str]:
        """Wait until the starts of modules have come to something, for a while.

        Returns:
            Why modules do not run that have ended, or could not be started, by name.
        """
        keepers = [self._keepers[name] for name in names if name in self._keepers]
        waits = [asyncio.ensure_future(keeper.settled.wait()) for keeper in keepers]
        if waits:
            _, open_ = await asyncio.wait(waits, timeout=timeout_s)
            for wait in open_:
                wait.cancel()
        down = (ModuleState.BACKING_OFF, ModuleState.FAILED)
        return {keeper.launch.name: keeper.status.reason for keeper in keepers if keeper.status.state in down}

    async def while_stopped(self, reason: str, work: Callable[[], Awaitable[T]]) -> T:
        """Stop all modules, do something, and start those again that ran before.

        Raises:
            ModuleError: A process cannot be ended; the work is then not done.
        """
        async with self.changing(self._keepers):
            kept = self.kept_names()
            try:
                _check_ended(await self.end(kept, reason))
                return await work()
            finally:
                for name in kept:
                    if not self.is_kept(name):
                        self.begin_anew(self._keepers[name].launch)

    async def close(self) -> None:
        """Stop all modules; when this returns, none of their processes is left."""
        self._is_closing = True
        reason = "it was stopped with its node"
        free = [name for name in self._keepers if not self._locks[name].locked()]
        await self.end(free, reason)
        # Whoever is changing a module at the moment is let finish. It starts nothing any more.
        async with self.changing(self._keepers):
            await self.end(self._keepers, reason)

    @contextlib.asynccontextmanager
    async def changing(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Keep everybody else from changing some modules as long as the context lasts."""
        async with contextlib.AsyncExitStack() as stack:
            for name in sorted(set(names)):
                await stack.enter_async_context(self._locks[name])
            yield

    async def end(self, names: Iterable[str], reason: str) -> list[str]:
        """Stop modules together, within `changing`; those that do not run stay as they are.

        Returns:
            Those with processes that cannot be ended.
        """
        kept = {name: self._keepers[name] for name in names if self.is_kept(name)}
        if not kept:
            return []
        groups = frozenset[int]().union(*(keeper.request_stop(reason) for keeper in kept.values()))
        marks = frozenset(keeper.launch.mark for keeper in kept.values())
        await end_processes(Targets(groups=groups, marks=marks), hurry=self._hurry)
        for keeper in kept.values():
            keeper.confirm_ended()
        await asyncio.wait([self._work[name] for name in kept], timeout=_SETTLE_S)
        stuck = [name for name in kept if not self._work[name].done() and not await self._give_up(name)]
        for name in stuck:
            _log.error("module %s: a process of it cannot be ended", name)
        return stuck

    def begin_anew(self, launch: Launch) -> ModuleKeeper:
        """Start a module, within `changing`; no process of it is there."""
        before = self._keepers.get(launch.name)
        keeper = self._keepers[launch.name] = self._new_keeper(launch, before.status if before else None)
        self._begin(launch.name)
        return keeper

    def adjust(self, launch: Launch) -> None:
        """Let a module go on as `launch` says, which holds for its process, or for none."""
        self._keepers[launch.name].adjust(launch)

    def forget(self, name: str) -> None:
        """Drop a module that does not run, if it is there, within `changing`."""
        self._keepers.pop(name, None)

    def _find(self, name: str) -> ModuleKeeper:
        keeper = self._keepers.get(name)
        if keeper is None:
            raise NotFoundError(f"there is no module {name!r} any more: its file was removed", module=name)
        return keeper

    def _new_keeper(self, launch: Launch, before: ModuleStatus | None = None) -> ModuleKeeper:
        return ModuleKeeper(launch, self._records, self._tasks, self._turns, before)

    def _begin(self, name: str) -> None:
        keeper = self._keepers[name]
        if self._is_closing:
            keeper.request_stop("its node is stopping")
            keeper.note_stopped()
            return
        self._work[name] = self._tasks.start(f"supervision of module {name}", keeper.run)

    async def _give_up(self, name: str) -> bool:
        """End the supervision of a module that did not stop when asked to; False when a process of it still lives."""
        keeper = self._keepers[name]
        if keeper.status.pid is not None:
            return False
        # It failed at this very moment and sits in its delay: there is nothing left that it could start.
        self._work[name].cancel()
        await asyncio.wait([self._work[name]])
        keeper.note_stopped()
        return True


def _check_ended(stuck: list[str]) -> None:
    if stuck:
        raise ModuleError(
            f"processes of {', '.join(map(repr, stuck))} cannot be ended: they wait in the kernel, perhaps for a disk "
            "or a device that does not answer",
            modules=stuck,
        )


async def _settled(keeper: ModuleKeeper) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(keeper.settled.wait(), _LONGEST_START_S)
