"""What a changed configuration means for the modules that run: pure comparison, by value; and who asks for it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractContextManager

from joule.api import ReloadReport
from joule.config import ModuleConfig, NodeConfig, NodeSetup
from joule.daemon._launch import Launch
from joule.daemon._preparation import Preparation
from joule.errors import JouleError

__all__ = ["Difference", "compare", "keep_fixed", "names_in_doubt", "reload_when_told", "summarize"]

_FIXED = {
    "data_directory": "DataDirectory",
    "log_directory": "LogDirectory",
    "log_size_bytes": "LogSize",
    "sync_interval_us": "SyncInterval",
}
"""What of `main.conf` holds as long as `jouled` runs: its lock, its catalog and the logs lie there, running loggers
know their size, and the running syncer its interval."""

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What is to be done with each module, by name; in the order of their start where they are started.

    Attributes:
        new: To be started.
        gone: To be stopped: they are no longer configured.
        changed: To be stopped, and started as they are configured now.
        adjusted: To go on with other limits.
        unchanged: To be left alone.
        outdated: To go on as they are, although they are not configured so; and why.
    """

    new: tuple[str, ...]
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    adjusted: tuple[str, ...]
    unchanged: tuple[str, ...]
    outdated: Mapping[str, str]


def compare(before: Mapping[str, Launch], after: Preparation, in_doubt: Mapping[str, str]) -> Difference:
    """Return what is to be done.

    Args:
        before: How each module is run now.
        after: How modules can be run now, and which cannot.
        in_doubt: Modules of `before` of which it is not known whether they are configured, and why.
    """
    launches = {launch.name: launch for launch in after.launches}
    both = [name for name in launches if name in before]
    going_on = [name for name in both if launches[name].holds_for(before[name])]
    missing = [name for name in before if name not in launches]
    reasons = {**in_doubt, **after.problems}
    return Difference(
        new=tuple(name for name in launches if name not in before),
        gone=tuple(name for name in missing if name not in reasons),
        changed=tuple(name for name in both if not launches[name].holds_for(before[name])),
        adjusted=tuple(name for name in going_on if launches[name].limits != before[name].limits),
        unchanged=tuple(name for name in going_on if launches[name].limits == before[name].limits),
        outdated={name: reasons[name] for name in missing if name in reasons},
    )


def summarize(difference: Difference, faults: Collection[str], stopped: Collection[str]) -> ReloadReport:
    """Return what was done about a difference.

    Args:
        difference: What was to be done.
        faults: Modules that could not be run as they are configured.
        stopped: Modules that somebody has stopped, and that stay so.
    """
    changed = [name for name in difference.changed if name not in faults]
    return ReloadReport(
        started=tuple(name for name in difference.new if name not in faults),
        stopped=tuple(name for name in difference.gone if name not in faults),
        restarted=tuple(name for name in changed if name not in stopped),
        adjusted=(*difference.adjusted, *(name for name in changed if name in stopped)),
        unchanged=len(difference.unchanged),
    )


def names_in_doubt(modules: Mapping[str, ModuleConfig], setup: NodeSetup) -> dict[str, str]:
    """Return the modules whose files may still be there under their names, which cannot be read now; and why.

    Args:
        modules: Those that are run, by name.
        setup: What the files say now.
    """
    if setup.all_names_known:
        return {}
    found = {module.name for module in setup.modules} | setup.broken_modules
    faults = {fault.file: str(fault) for fault in reversed(setup.errors)}
    unknown = "not all names in the module files can be read: 'joule check' says where"
    return {name: faults.get(module.file, unknown) for name, module in modules.items() if name not in found}


def keep_fixed(before: NodeConfig, after: NodeConfig) -> tuple[NodeConfig, tuple[str, ...]]:
    """Return what holds of a changed `main.conf` while `jouled` runs, and the keys that wait for its next start."""
    kept = {field: getattr(before, field) for field in _FIXED}
    changed = tuple(key for field, key in _FIXED.items() if getattr(after, field) != kept[field])
    return dataclasses.replace(after, **kept), changed


async def reload_when_told(
    reload: Callable[[], Awaitable[object]], told: asyncio.Event, announced: Callable[[], AbstractContextManager[None]]
) -> None:
    """Have a node read its files again each time that `told` is set; the daemon's log has what came of it.

    Args:
        reload: Does it.
        told: Set by whoever wants that.
        announced: Gives a context for the time that it takes.
    """
    while True:
        await told.wait()
        told.clear()
        try:
            with announced():
                await reload()
        except JouleError as error:
            _log.error("not reloaded: %s", error.message)
        except OSError as error:
            _log.error("not reloaded: %s: %s", error.filename, error.strerror or error)
