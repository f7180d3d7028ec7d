"""All modules of a node: ends what an earlier `jouled` left, starts them in order, stops them together.

Start: producers before consumers, as the configuration orders them; nobody waits for anybody, since a consumer whose
producer is not there yet waits for rows by itself.

Stop: all at once. A consumer that ends before its producer leaves rows behind its cursor, and goes on exactly there at
the next start, so an order would cost time and gain nothing. SIGTERM, then `GRACE_S`, then SIGKILL to everything that a
module has started. `hurry` ends the grace.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Self

from joule.daemon._ending import Targets, end_processes
from joule.daemon._keeper import Launch, ModuleKeeper
from joule.daemon._records import ModuleRecords
from joule.daemon._states import ModuleStatus
from joule.daemon._tasks import BackgroundTasks

__all__ = ["Supervisor", "end_leftovers"]

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
        self._keepers = {launch.name: ModuleKeeper(launch, records, tasks) for launch in launches}
        self._tasks = tasks
        self._hurry = hurry
        self._work: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._work = [
            self._tasks.start(f"supervision of module {name}", keeper.run) for name, keeper in self._keepers.items()
        ]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

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

    async def stop(self) -> None:
        """Stop all modules; when this returns, none of their processes is left."""
        keepers = list(self._keepers.values())
        groups = frozenset[int]().union(*(keeper.request_stop() for keeper in keepers))
        marks = frozenset(keeper.launch.mark for keeper in keepers)
        left = await end_processes(Targets(groups=groups, marks=marks), hurry=self._hurry)
        if left:
            _log.error("%d processes of modules cannot be ended", left)
        for keeper in keepers:
            keeper.confirm_ended()
        # A keeper that failed at this very moment sits in its delay: there is nothing left that it could start.
        if self._work:
            await asyncio.wait(self._work, timeout=5.0)
