"""The demo's node: its directory, and the files that make it one.

A demo replaces what the last one left, and nothing else: a directory is a demo's if it has the marker, and only then is
anything in it removed. The marker is also a lock that a demo holds, so that two of them never share a directory.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joule.builtins.system_reader import module_config, select, stream_config
from joule.cli._exit import Failure
from joule.config import init_node
from joule.log import ProcessLock, lock_holder

__all__ = ["MACHINE", "MEANS", "default_demo_directory", "demo_directory", "find_program", "short_path", "write_node"]

MARKER = ".joule-demo"
MACHINE = "/demo/machine"
MEANS = "/demo/machine_mean"
_WINDOW = 21  # rows in a mean: 2 s at 10 Hz, enough to see it calm the curve


def default_demo_directory() -> Path:
    """Return the directory of this user's demos: always the same, so that each demo clears away the last one."""
    return Path(tempfile.gettempdir()) / f"joule-demo-{os.getuid()}"


@contextlib.contextmanager
def demo_directory(directory: Path) -> Iterator[None]:
    """Hold an empty directory for a demo; it stays, with all that the demo leaves in it.

    Args:
        directory: Made if there is none; emptied if it is an earlier demo's.

    Raises:
        Failure: It is in use by another demo, not a demo's, not ours, or cannot be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_ours(directory)
        lock = ProcessLock(directory / MARKER, "joule demo")  # makes the marker
    except BlockingIOError as error:
        raise Failure(f"a demo is running in {directory} already: {error.strerror}") from error
    except OSError as error:
        raise Failure(f"no demo can be made in {directory}: {error.strerror}; name another with --directory") from error
    with contextlib.closing(lock):
        holder = lock_holder(directory / "data" / "node.lock")
        if holder is not None:
            raise Failure(f"a node is still running in {directory} ({holder}): stop it first, with kill")
        _empty(directory)
        yield


def _check_ours(directory: Path) -> None:
    found = sorted(os.listdir(directory))
    if found and MARKER not in found:
        raise Failure(
            f"{directory} was not made by a demo, and was left as it is: name an empty directory, or a new one"
        )
    if directory.stat().st_uid != os.getuid():
        raise Failure(f"{directory} belongs to another user: name another one with --directory")


def _empty(directory: Path) -> None:
    """Remove all but the marker. The directory stays: by it a `jouled` knows what an earlier one left running."""
    for entry in directory.iterdir():
        if entry.name == MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def write_node(directory: Path, *, rate_hz: float) -> None:
    """Make the files of the demo's node: the system reader, a filter on it, and a composite."""
    init_node(directory)
    selection = select()
    folder, _, name = MACHINE.rpartition("/")
    files = {
        "module_configs/system_reader.conf": module_config(
            selection, stream=MACHINE, rate_hz=rate_hz, exec_cmd=_command("joule-system-reader", "system_reader")
        ),
        "module_configs/mean_filter.conf": _MEAN_FILTER.format(
            command=_command("joule-mean-filter", "mean_filter"), window=_WINDOW, machine=MACHINE, means=MEANS
        ),
        "module_configs/composite.conf": _COMPOSITE.format(command=_python("demo_composite")),
        "stream_configs/machine.conf": stream_config(
            selection, folder=folder, name=name, description="what this machine is doing"
        ),
        "stream_configs/machine_mean.conf": stream_config(
            selection, folder=folder, name=MEANS.rpartition("/")[2], description=f"means of {_WINDOW} rows of {MACHINE}"
        ),
    }
    for path, text in files.items():
        (directory / path).write_text(text, encoding="utf-8")


def find_program(name: str) -> str | None:
    """Return the path of a program of this installation, wherever PATH points; None where it has none."""
    places = [os.path.dirname(sys.argv[0]), os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
    return shutil.which(name, path=os.pathsep.join(place for place in places if place))


def short_path(path: Path) -> str:
    """Return a path relative to the current directory where it lies below, so that a line stays readable."""
    absolute, here = Path(os.path.abspath(path)), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def _command(program: str, module: str) -> str:
    found = find_program(program)
    return _python(module) if found is None else shlex.quote(os.path.abspath(found))


def _python(module: str) -> str:
    return f"{shlex.quote(sys.executable)} -m joule.builtins.{module}"


_MEAN_FILTER = """\
[Main]
name = Mean Filter
exec_cmd = {command}
description = calms the curves of the system reader

[Arguments]
window = {window}

[Inputs]
input = {machine}

[Outputs]
output = {means}
"""

_COMPOSITE = """\
[Main]
name = Composite
exec_cmd = {command}
description = a random reader and a mean filter in one process

[Arguments]
rate = 1000
window = 101

[Outputs]
raw = /demo/noise:float32[x,y]
smooth = /demo/noise_mean:float32[x,y]
"""
