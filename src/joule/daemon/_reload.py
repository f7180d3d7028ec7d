"""What a changed configuration means for the modules that run: pure comparison, by value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from joule.config import ModuleConfig, NodeConfig, NodeSetup
from joule.daemon._launch import Launch
from joule.daemon._preparation import Preparation

__all__ = ["Difference", "compare", "keep_fixed", "names_in_doubt"]

_FIXED = {"data_directory": "DataDirectory", "log_directory": "LogDirectory"}
"""What of `main.conf` holds as long as `jouled` runs: its lock, its catalog and its log lie there."""


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
