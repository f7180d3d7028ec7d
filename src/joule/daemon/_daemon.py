"""One node, from its configuration to its running modules, and back.

Start-up, in this order, each step undone in reverse when `jouled` stops:

 1. The node's lock: one `jouled` for one directory.
 2. The daemon's own log file.
 3. What a killed `jouled` left running is ended.
 4. Where the power has failed, the node goes back to what is durable.
 5. The node's clock goes on.
 6. The catalog, with every configured stream; their logs; the cursors of all modules, before any producer starts.
 7. The taking in of orphans (`_orphans`), the syncer, and the modules, producers first (`Supervisor`). On the way back
    all modules are stopped together: SIGTERM, 5 s, SIGKILL; then the syncer, behind a last round. A watch (`_watch`)
    holds modules to their limits.
 8. The trimming of what is older than `keep`, and the removal of the logs of deleted streams.
 9. The API, on a unix socket: the last to come and the first to go, so that it never answers for half a node. Then
    systemd, where it asked, is told that the node is ready (`_notify`).

No row passes through this process. When it is killed, modules and their loggers go on; the next start ends them first
(until they can be adopted).
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import logging
import os
from pathlib import Path

from joule.api import catalog_path, node_lock_path
from joule.catalog import Catalog
from joule.config import NodeSetup
from joule.core.times import format_time
from joule.daemon._child import Child
from joule.daemon._clock import open_clock
from joule.daemon._journal import journal_to_file
from joule.daemon._log_removal import LogRemover
from joule.daemon._node import ManagedNode
from joule.daemon._node_lock import hold_node_lock
from joule.daemon._node_view import RunningNode
from joule.daemon._notify import Notifier, node_status
from joule.daemon._orphans import adopt_orphans, reap_for_ever
from joule.daemon._preparation import node_mark, prepare
from joule.daemon._records import ModuleRecords
from joule.daemon._reload import reload_when_told
from joule.daemon._supervisor import Supervisor, end_leftovers
from joule.daemon._syncer import NodeSyncer
from joule.daemon._system_clock import find_system_clock
from joule.daemon._tasks import BackgroundTasks
from joule.daemon._trimming import trim_for_ever
from joule.daemon._usage_history import UsageHistory
from joule.daemon._watch import Watch
from joule.log import recover_node, runtime_directory
from joule.server import create_app, serve_unix

__all__ = ["Signals", "run_node"]

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Signals:
    """What people tell a running node.

    Attributes:
        stop: Ends it in good order.
        hurry: Ends modules without a grace.
        reload: Has it read its files again.
    """

    stop: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    hurry: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    reload: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)


async def run_node(setup: NodeSetup, signals: Signals) -> None:
    """Run a node until it is told to stop; when this returns, no process of its modules is left.

    Args:
        setup: Its configuration.
        signals: What it is told.

    Raises:
        NodeBusyError: Another `jouled` runs it.
        JouleError, OSError: It cannot be started; nothing of it runs.
    """
    config, notifier = setup.config, Notifier.from_environment(os.environ)
    config.data_directory.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(hold_node_lock(node_lock_path(config.data_directory), config.directory))
        config.log_directory.mkdir(parents=True, exist_ok=True)
        run_directory = runtime_directory(config.directory)  # makes DIR/run for its owner alone
        records_directory = config.directory / "run" / "modules"
        records_directory.mkdir(parents=True, exist_ok=True)
        stack.enter_context(journal_to_file(config.log_directory / "jouled.log"))
        _report(setup)
        records = ModuleRecords(records_directory)
        await end_leftovers(records, node_mark(config.directory), signals.hurry)
        await _recover(config.data_directory)
        clock = stack.enter_context(open_clock(config.data_directory, find_system_clock()))
        catalog = stack.enter_context(Catalog.open(catalog_path(config.data_directory)))
        preparation = prepare(setup, catalog, run_directory)
        await stack.enter_async_context(adopt_orphans(Child.own))
        tasks = await stack.enter_async_context(BackgroundTasks())
        tasks.start("waiting for orphans", lambda: reap_for_ever(Child.own))
        tasks.start("the node's clock", clock.run)
        syncer = NodeSyncer(
            config.data_directory, config.sync_interval_us, node_mark(config.directory), tasks, signals.hurry
        )
        await stack.enter_async_context(syncer)
        supervisor = await stack.enter_async_context(Supervisor(preparation.launches, records, tasks, signals.hurry))
        tasks.start("trimming", lambda: trim_for_ever(catalog, config.data_directory, clock.cautious_us))
        history = UsageHistory()
        watch = Watch(supervisor.keepers, tasks, history)
        tasks.start("watch over modules", watch.run)
        remover = LogRemover(catalog, config.data_directory)
        tasks.start("removal of logs", remover.run)
        node = await stack.enter_async_context(ManagedNode(setup, preparation, catalog, supervisor, run_directory))
        status = functools.partial(_status, supervisor)
        tasks.start(
            "reloading", lambda: reload_when_told(node.reload, signals.reload, lambda: notifier.reloading(status))
        )
        view = RunningNode(node, catalog, run_directory, remover, clock, history)
        await stack.enter_async_context(serve_unix(create_app(view), run_directory / "api.sock"))
        started, others = len(preparation.launches), len(preparation.problems)
        _log.info("node %s in %s; modules: %d to run, %d not", config.name, config.directory, started, others)
        tasks.start("watchdog", lambda: notifier.keep_alive(status))
        notifier.ready(status())
        await signals.stop.wait()
        notifier.stopping()
        _log.info("node %s is stopping", config.name)


async def _recover(data_directory: Path) -> None:
    """Go back to what is durable where the power has failed, and say what that has cost."""
    for log in await asyncio.to_thread(recover_node, data_directory):
        last = "" if log.last_us is None else f", the last of them of {format_time(log.last_us)}"
        text = f"stream {log.stream}: after a power cut {log.kept} rows are there{last}"
        if log.damage:
            _log.error("%s; %s: the disk does not keep what it calls synced", text, log.damage)
        elif log.dropped:
            _log.warning("%s; %d more were stored, not yet durable, and are dropped", text, log.dropped)
        else:
            _log.info("%s", text)


def _status(supervisor: Supervisor) -> str:
    return node_status(supervisor.keepers())


def _report(setup: NodeSetup) -> None:
    for note in setup.notes:
        _log.info("%s", note)
    for fault in setup.faults:
        _log.log(logging.ERROR if fault.severity == "error" else logging.WARNING, "%s", fault)
