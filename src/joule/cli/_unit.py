"""The systemd unit of a node: its name, its place, and its text, each line of which says why it is there.

It is made for modules as people write them: they open devices, call other programs, write where they like, and outlive
a daemon that is killed. What would take that from them is left out; what is left of hardening is what they never need.
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from joule.config import NodeConfig

__all__ = ["Scope", "Unit", "make_unit", "node_of_unit", "unit_directory"]

Scope = Literal["user", "system"]

_SYSTEM_NODE = Path("/etc/joule")  # where every era looked for main.conf
_NODE_KEY = "X-JouleNode="

_TEXT = """\
# The Joule node {plain_name} as a {scope} service. Change it with: systemctl {flag}edit {unit}
# This file is made by "joule service install", which overwrites it.

[Unit]
Description=Joule node {name}
{node_key}{directory}
{unit_extra}# Tried again for ever: a disk may be mounted later, a full one be cleared.
StartLimitIntervalSec=0

[Service]
# jouled tells when the node is ready, and every 15 s that it lives. What its modules say does not count.
Type=notify
NotifyAccess=main
WatchdogSec=30
TimeoutStartSec=5min
ExecStart={command}
# Reads the configuration again, and touches only the modules that changed.
ExecReload=/bin/kill -HUP $MAINPID
{service_extra}# The programs of modules are looked up where they were found when this was installed.
Environment={path_variable}
# After a crash, a hang or an error. 2 is a command line that jouled does not understand.
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
# Modules have 5 s to end; then jouled kills them itself. This is for a jouled that hangs.
TimeoutStopSec=30
# Signals go to jouled alone: modules go on while it is replaced, and it ends them itself when it is stopped.
KillMode=process
# A module that uses up the memory is killed alone, and started again.
OOMPolicy=continue
# A few descriptors for each module: 1,024, the usual limit, would end at some hundreds of them. A module may
# raise its own up to the second number.
LimitNOFILE=8192:524288

# Modules keep devices, homes, /tmp, the network and real-time priorities. They cannot gain privileges (sudo).
NoNewPrivileges=yes
RestrictSUIDSGID=yes
LockPersonality=yes
{hardening}
[Install]
WantedBy={target}
{alias}"""

_SYSTEM_HARDENING = """\
# /usr, /boot and /etc are read-only, but for the node's own directories.
ProtectSystem=full
ReadWritePaths={writable}
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit file.

    Attributes:
        name: Such as `joule.service`.
        scope: Of one user, or of the system.
        node: The node's directory.
        file: Where it is, or would be, installed.
        text: What it says.
    """

    name: str
    scope: Scope
    node: Path
    file: Path
    text: str


def make_unit(config: NodeConfig, scope: Scope, *, jouled: Path, user: str | None = None) -> Unit:
    """Return the unit that runs a node.

    Args:
        config: Of the node.
        scope: Whose service it becomes.
        jouled: The program, absolute.
        user: Who runs it; for a system service only.

    Raises:
        ValueError: A path holds a character that no unit file may hold.
    """
    for path in (config.main_file, config.data_directory, config.log_directory, jouled):
        if not str(path).isprintable():
            raise ValueError(f"{str(path)!r} holds a character that no unit file may hold: rename it")
    is_default = _is_default(config.directory)
    name = "joule.service" if is_default else f"joule-{_slug(config.name)}.service"
    extra = {"user": _for_user, "system": _for_system}[scope](config, user)
    text = _TEXT.format(
        plain_name=_line(config.name),
        name=_line(config.name).replace("%", "%%"),
        scope=scope,
        flag="--user " if scope == "user" else "",
        unit=name,
        node_key=_NODE_KEY,
        directory=config.directory,
        command=f"{_quoted(str(jouled))} --config {_quoted(str(config.main_file)).replace('$', '$$')}",
        path_variable=_quoted(f"PATH={_search_path()}"),
        alias="# The name of the first era.\nAlias=jouled.service\n" if is_default else "",
        **extra,
    )
    return Unit(name=name, scope=scope, node=config.directory, file=unit_directory(scope) / name, text=text)


def unit_directory(scope: Scope) -> Path:
    """Return where units of a scope are installed."""
    if scope == "system":
        return Path("/etc/systemd/system")
    configuration = os.environ.get("XDG_CONFIG_HOME", "")
    home = Path(configuration) if os.path.isabs(configuration) else Path.home() / ".config"
    return home / "systemd" / "user"


def node_of_unit(file: Path) -> Path | None:
    """Return the node that an installed unit runs; None for a unit that is not ours."""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(_NODE_KEY):
            return Path(line.removeprefix(_NODE_KEY))
    return None


def _for_user(config: NodeConfig, user: str | None) -> dict[str, str]:
    return {"unit_extra": "", "service_extra": "", "hardening": "", "target": "default.target"}


def _for_system(config: NodeConfig, user: str | None) -> dict[str, str]:
    directories = (config.directory, config.data_directory, config.log_directory)
    outer = [d for d in dict.fromkeys(directories) if not any(d.is_relative_to(o) for o in directories if o != d)]
    # "-": one that is not there yet is no obstacle; jouled makes it, or says why it cannot.
    writable = " ".join(_quoted(f"-{directory}") for directory in outer)
    return {
        "unit_extra": f"After=network.target time-sync.target\nRequiresMountsFor={_quoted(str(config.directory))}\n",
        "service_extra": f"User={user}\n" if user else "",
        "hardening": _SYSTEM_HARDENING.format(writable=writable),
        "target": "multi-user.target",
    }


def _is_default(directory: Path) -> bool:
    from joule.config import default_node_directory

    return directory in (default_node_directory(), _SYSTEM_NODE)


def _search_path() -> str:
    """Return PATH without what means something else in a service, or could add a line to its file."""
    places = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(place for place in places if os.path.isabs(place) and place.isprintable()) or os.defpath


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.")[:100] or "node"


def _line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
