"""The modules of a running node, as its files and its people want them: what changes while `jouled` runs.

Whatever somebody asks for is done to its end, also when whoever asked goes away meanwhile.
"""

from __future__ import annotations

import asyncio
import difflib
import shlex
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from joule.config import ModuleConfig, NodeSetup
from joule.daemon._preparation import Preparation
from joule.daemon._states import ModuleState, ModuleStatus
from joule.daemon._supervisor import Supervisor
from joule.errors import ConfigurationError, NotFoundError

__all__ = ["ManagedNode"]

T = TypeVar("T")


class ManagedNode:
    """A node's configuration in effect, and its modules; `async with` stops these, and lets changes come to their end.

    Attributes:
        setup: What the node's files said when they were last read.
        modules: How each module that is run is configured, by name.
        problems: Why a module is not run, by its name.
        supervisor: Runs the others.
    """

    def __init__(self, setup: NodeSetup, preparation: Preparation, supervisor: Supervisor) -> None:
        self.setup = setup
        self.modules: dict[str, ModuleConfig] = {module.name: module for module in setup.modules}
        self.problems = dict(preparation.problems)
        self.supervisor = supervisor
        self._changes: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.supervisor.close()  # first: a change that waits for a start would wait in vain
        if self._changes:
            await asyncio.wait(self._changes)

    def names(self) -> list[str]:
        """Return the names of all modules, also of those that cannot be started, sorted."""
        return sorted({*self.modules, *self.problems})

    def status(self, name: str) -> ModuleStatus:
        """Return the state of a module.

        Raises:
            NotFoundError: There is none of that name; the message has the nearest.
        """
        self.check_name(name)
        return self.supervisor.status(name) or ModuleStatus(state=ModuleState.FAILED, reason=self.problems[name])

    def check_name(self, name: str) -> None:
        """Refuse the name of no module.

        Raises:
            NotFoundError: There is none of that name; the message has the nearest.
        """
        known = self.names()
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "'joule module list' shows those that are"
            raise NotFoundError(f"there is no module {name!r}: {remedy}", module=name, nearest=near)

    async def start_module(self, name: str) -> bool:
        """Start a module; see `Supervisor.start`.

        Raises:
            NotFoundError: There is none of that name.
            ConfigurationError: Its configuration has a fault.
            ModuleError: An old process of it cannot be ended.
        """
        self._check_can_start(name)
        return await self._see_through(self.supervisor.start(name))

    async def stop_module(self, name: str) -> bool:
        """Stop a module; see `Supervisor.stop`.

        Raises:
            NotFoundError: There is none of that name.
            ModuleError: A process of it cannot be ended.
        """
        self.check_name(name)
        if name in self.problems:
            return False
        reason = f"it was stopped by joule module stop; 'joule module start {shlex.quote(name)}' starts it"
        return await self._see_through(self.supervisor.stop(name, reason))

    async def restart_module(self, name: str) -> None:
        """Stop a module, if it runs, and start it again; see `Supervisor.restart`.

        Raises:
            NotFoundError: There is none of that name.
            ConfigurationError: Its configuration has a fault.
            ModuleError: A process of it cannot be ended; it is then not started.
        """
        self._check_can_start(name)
        await self._see_through(self.supervisor.restart(name, "it is started anew"))

    def _check_can_start(self, name: str) -> None:
        self.check_name(name)
        if name in self.problems:
            raise ConfigurationError(
                f"module {name!r} cannot be started: {self.problems[name]}; correct that, then 'joule reload'",
                module=name,
            )

    async def _see_through(self, change: Coroutine[Any, Any, T]) -> T:
        """Let a change come to its end even when whoever waits for it is cancelled."""
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)
