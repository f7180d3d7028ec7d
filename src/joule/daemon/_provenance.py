"""Records who is about to write a module's streams, before its process starts, so that no row is without an origin.

A thread does it: files are read, and one is synced when something has changed. Whatever fails here is logged and keeps
no module from starting: rows matter more than where they came from.
"""

from __future__ import annotations

import logging
import os
import pwd
import shlex
import socket

from joule._version import __version__
from joule.core import time_now
from joule.daemon._code_version import find_code_version
from joule.daemon._launch import Launch
from joule.errors import LogError
from joule.log import Origin, add_origin, add_process

__all__ = ["copy_origin", "record_process", "record_start"]

_log = logging.getLogger(__name__)


def record_start(launch: Launch) -> None:
    """Record a module, as it is about to be started, as the origin of the rows to come in its outputs."""
    if not launch.output_logs:
        return
    origin = _module_origin(launch)
    for directory in launch.output_logs:
        try:
            add_origin(directory, origin, time_now())
        except (LogError, OSError) as error:
            _log.warning("module %s: that it writes %s cannot be recorded: %s", launch.name, directory, error)


def record_process(launch: Launch, pid: int) -> None:
    """Record which process a module that was recorded has come to be; a small write for each output."""
    for directory in launch.output_logs:
        try:
            add_process(directory, pid)
        except OSError as error:
            _log.warning("module %s: its process cannot be recorded in %s: %s", launch.name, directory, error)


def copy_origin(source: str, command: str) -> Origin:
    """Return the origin of rows that `jouled` itself copies from another stream."""
    return Origin(kind="copy", name=source, command=command, joule=__version__, host=_host(), user=_user())


def _module_origin(launch: Launch) -> Origin:
    # What the manifest adds is ours, and names directories; what the file says is the module's.
    command = launch.command[:-2] if launch.manifest else launch.command
    code = find_code_version(command, launch.directory)
    return Origin(
        kind="module",
        name=launch.name,
        command=shlex.join(command),
        code=code.version,
        script=code.script,
        script_sha256=code.sha256,
        joule=__version__,
        python=code.python,
        host=_host(),
        user=_user(),
    )


def _host() -> str:
    return socket.gethostname()


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that no user has
        return str(os.getuid())
