"""The modules of a running node, as its files and its people want them: what changes while `jouled` runs.

Whatever somebody asks for is done to its end, also when whoever asked goes away meanwhile.
"""

from __future__ import annotations

import asyncio
import dataclasses
import difflib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Self, TypeVar

from joule.api import ReloadReport, log_directory
from joule.catalog import Catalog
from joule.config import ModuleConfig, NodeSetup, load_node
from joule.daemon._launch import Launch
from joule.daemon._preparation import Preparation, forget_cursors, make_cursors, plan
from joule.daemon._reload import Difference, compare, keep_fixed, names_in_doubt, summarize
from joule.daemon._states import ModuleState, ModuleStatus, module_command
from joule.daemon._supervisor import Supervisor
from joule.errors import ConfigurationError, JouleError, NodeError, NotFoundError

__all__ = ["ManagedNode"]

T = TypeVar("T")

_SETTLE_S = 5.0  # whoever reloads wants to know whether what was started stays up, and not to wait for all of many

_log = logging.getLogger(__name__)


class ManagedNode:
    """A node's configuration in effect, and its modules; `async with` stops these, and lets changes come to their end.

    Attributes:
        setup: What the node's files said when they were last read.
        modules: How each module that is run is configured, by name.
        problems: Why a module is not run, by its name.
        outdated: Why a module runs otherwise than its file says now, by its name.
        supervisor: Runs the others.
    """

    def __init__(
        self,
        setup: NodeSetup,
        preparation: Preparation,
        catalog: Catalog,
        supervisor: Supervisor,
        run_directory: Path,
    ) -> None:
        self.setup = setup
        self.modules: dict[str, ModuleConfig] = {module.name: module for module in setup.modules}
        self.problems = dict(preparation.problems)
        self.outdated: dict[str, str] = {}
        self.supervisor = supervisor
        self._catalog = catalog
        self._run_directory = run_directory
        self._reloading = asyncio.Lock()
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
        _log.info("module %s: is to be started", name)
        await self._follow_streams(name)
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
        reason = f"it was stopped by joule module stop; {module_command('start', name)} starts it"
        _log.info("module %s: is to be stopped", name)
        return await self._see_through(self.supervisor.stop(name, reason))

    async def restart_module(self, name: str) -> None:
        """Stop a module, if it runs, and start it again; see `Supervisor.restart`.

        Raises:
            NotFoundError: There is none of that name.
            ConfigurationError: Its configuration has a fault.
            ModuleError: A process of it cannot be ended; it is then not started.
        """
        self._check_can_start(name)
        _log.info("module %s: is to be stopped and started again", name)
        await self._follow_streams(name)
        await self._see_through(self.supervisor.restart(name, "it is started anew"))

    async def while_stopped(self, reason: str, work: Callable[[], Awaitable[T]]) -> T:
        """Stop all modules, do something, and start those again that ran; see `Supervisor.while_stopped`.

        Raises:
            ModuleError: A process cannot be ended; the work is then not done.
        """
        return await self._see_through(self._while_stopped(reason, work))

    async def _while_stopped(self, reason: str, work: Callable[[], Awaitable[T]]) -> T:
        async with self._reloading:  # no file may start a module meanwhile
            return await self.supervisor.while_stopped(reason, work)

    async def reload(self) -> ReloadReport:
        """Read all files of the node again, and touch only what they have changed.

        Streams and their attributes first; then modules: those that are gone and those that are to be started
        otherwise are stopped together, all cursors are made, and only then is anything started. A module that
        somebody stopped stays so. What has a fault now goes on as it is.

        Raises:
            ConfigurationError: `main.conf` has a fault; nothing was changed.
            NodeError: The node is stopping.
            CatalogError, OSError: The catalog or the disk refused; no module was touched.
        """
        return await self._see_through(self._reload())

    async def _reload(self) -> ReloadReport:
        async with self._reloading:
            if self.supervisor.is_closing:
                raise NodeError("the node is stopping: it reads no files any more")
            setup = await asyncio.to_thread(load_node, self.setup.config.main_file)
            _check_main(setup)
            config, waiting = keep_fixed(self.setup.config, setup.config)
            setup = dataclasses.replace(setup, config=config)
            before = {keeper.launch.name: keeper.launch for keeper in self.supervisor.keepers()}
            planned = plan(setup, self._catalog, self._run_directory, self._logs_in_use())
            in_doubt = names_in_doubt(self.modules, setup)
            difference = compare(before, planned, in_doubt)
            faults = await self._apply(setup, planned, difference)
            own = {*setup.broken_modules, *in_doubt}  # the faults of their files say it already
            others = tuple(f"module {name}: {why}" for name, why in faults.items() if name not in own)
            stopped = {name for name in difference.changed if not self.supervisor.is_kept(name)}
            report = summarize(difference, faults, stopped)
            down = await self.supervisor.settle((*report.started, *report.restarted), _SETTLE_S)
            report = dataclasses.replace(
                report,
                outdated=tuple(self.outdated),
                faults=(*map(str, setup.errors), *others),
                waiting=waiting,
                ended=tuple(f"{name}: {why}" for name, why in down.items()),
            )
            _log_report(report, setup)
            return report

    async def _apply(self, setup: NodeSetup, planned: Preparation, difference: Difference) -> dict[str, str]:
        """Do what a difference says; modules that it leaves alone may be started and stopped meanwhile.

        Returns:
            Why modules are not run as they are configured, by name.
        """
        touched = {*difference.new, *difference.gone, *difference.changed}
        supervisor = self.supervisor
        async with supervisor.changing(touched):
            stopped = {name for name in difference.changed if not supervisor.is_kept(name)}
            stuck = await supervisor.end([*difference.gone, *difference.changed], "its configuration was changed")
            for name in set(difference.gone).difference(stuck):
                supervisor.forget(name)
            launches = [launch for launch in planned.launches if launch.name in touched and launch.name not in stuck]
            faults = _cursor_faults(launches)
            forget_cursors(setup, kept={*difference.outdated, *stuck})
            for launch in launches:
                if launch.name in faults:
                    supervisor.forget(launch.name)
                elif launch.name in stopped:
                    supervisor.adjust(launch)
                else:
                    supervisor.begin_anew(launch)
        for launch in planned.launches:
            if launch.name in difference.adjusted or launch.name in difference.unchanged:
                supervisor.adjust(launch)
        outdated = {**difference.outdated, **dict.fromkeys(stuck, "its old process cannot be ended")}
        faults = {**planned.problems, **faults, **outdated}
        self._take_over(setup, faults, outdated)
        return faults

    def _take_over(self, setup: NodeSetup, faults: dict[str, str], outdated: dict[str, str]) -> None:
        before = self.modules
        self.setup = setup
        self.outdated = outdated
        self.problems = {name: why for name, why in faults.items() if name not in outdated}
        self.modules = {module.name: module for module in setup.modules} | {name: before[name] for name in outdated}

    def _logs_in_use(self) -> set[Path]:
        launches = [keeper.launch for keeper in self.supervisor.keepers() if keeper.status.pid is not None]
        return {log for launch in launches for log in (*launch.input_logs, *launch.output_logs)}

    def _check_can_start(self, name: str) -> None:
        self.check_name(name)
        if name in self.problems:
            raise ConfigurationError(
                f"module {name!r} cannot be started: {self.problems[name]}; correct that, then 'joule reload'",
                module=name,
            )

    async def _follow_streams(self, name: str) -> None:
        """Let a module that does not run find its streams anew, if one was moved or deleted since it was stopped.

        Raises:
            ConfigurationError: It cannot have them.
        """
        async with self._reloading:
            keeper = self.supervisor.keeper(name)
            if keeper is None or self.supervisor.is_kept(name) or not self._has_lost_a_stream(keeper.launch):
                return
            planned = plan(self.setup, self._catalog, self._run_directory)
            launches = [launch for launch in planned.launches if launch.name == name]
            faults = {**planned.problems, **_cursor_faults(launches)}
            if name in faults:
                raise ConfigurationError(f"module {name!r} cannot be started: {faults[name]}", module=name)
            for launch in launches:
                self.supervisor.adjust(launch)

    def _has_lost_a_stream(self, launch: Launch) -> bool:
        data_directory = self.setup.config.data_directory
        ids = {record.spec.path: record.id for record in self._catalog.streams()}
        pipes = (*launch.manifest.inputs.values(), *launch.manifest.outputs.values()) if launch.manifest else ()
        return any(pipe.log != log_directory(data_directory, ids.get(pipe.stream, 0)) for pipe in pipes)

    async def _see_through(self, change: Coroutine[Any, Any, T]) -> T:
        """Let a change come to its end even when whoever waits for it is cancelled."""
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_unseen)
            raise


def _check_main(setup: NodeSetup) -> None:
    faults = [str(fault) for fault in setup.errors if fault.file == setup.config.main_file]
    if faults:
        raise ConfigurationError(f"nothing was changed: {'; '.join(faults)}", file=str(setup.config.main_file))


def _cursor_faults(launches: Iterable[Launch]) -> dict[str, str]:
    """Make cursors; a disk that refuses costs the modules that need new ones, since others run already."""
    faults: dict[str, str] = {}
    for launch in launches:
        try:
            faults |= make_cursors([launch])
        except OSError as error:
            faults[launch.name] = f"its cursors cannot be made: {error.strerror or error}; then 'joule reload'"
    return faults


def _log_unseen(task: asyncio.Task[Any]) -> None:
    """Log how a change failed that nobody waits for any more."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, JouleError):
        _log.error("what somebody asked for and did not wait for has failed: %s", error.message)
    elif error is not None:
        _log.error("what somebody asked for and did not wait for has failed", exc_info=error)


def _log_report(report: ReloadReport, setup: NodeSetup) -> None:
    for fault in setup.faults:
        _log.log(logging.ERROR if fault.severity == "error" else logging.WARNING, "%s", fault)
    _log.info("read all files again: %s", report.summary())
