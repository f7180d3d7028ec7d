"""The demo from start to end: a `jouled` of its own, the picture, the stop, and what was stored.

`jouled` runs in a session of its own, so that Ctrl-C in the terminal reaches the demo only; the demo then stops it in
order, and with it the modules. Only when `jouled` itself is killed do they go on, until the next demo (or any `jouled`
in this directory) ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from joule.api import Node, open_node
from joule.cli._demo_display import Display, open_display
from joule.cli._demo_node import find_program, short_path
from joule.cli._demo_report import report
from joule.cli._demo_view import troubles_text
from joule.cli._demo_watch import Watcher
from joule.cli._exit import Failure
from joule.cli._output import note
from joule.errors import NodeUnreachableError

__all__ = ["run_demo"]

_START_S = 30.0  # a Raspberry Pi reads Python's files from its card for the first time
_STOP_S = 20.0  # modules have 2 s to end by themselves, and jouled longer
_LOOK_S = 0.5
_LEFT = "Modules that it left running are ended by the next demo in this directory."
_OUTPUT = "jouled.out"  # what jouled itself prints, below the demo's directory


def run_demo(directory: Path, *, duration_s: float, as_json: bool) -> None:
    """Run the node in `directory` until Ctrl-C or for `duration_s` seconds (0: without end), then report.

    Raises:
        Failure: `jouled` did not start or ended by itself, or no row was stored.
    """
    with open_display(short_path(directory), silent=as_json) as display:
        asyncio.run(_run_node(directory, duration_s, display))
    rows = asyncio.run(report(directory, as_json=as_json))
    if not rows:
        said = troubles_text(display.last.troubles) if display.last is not None else _tail(directory)
        raise Failure(f"no rows were stored in {directory}\n{said}".rstrip())


async def _run_node(directory: Path, duration_s: float, display: Display) -> None:
    """Show the node until the duration is over or a signal comes; raise what ends it otherwise."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: (hurry if stop.is_set() else stop).set())
    async with _jouled(directory, hurry) as daemon:
        watching = asyncio.ensure_future(_watch(directory, duration_s, display, daemon))
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait((watching, stopped), return_when=asyncio.FIRST_COMPLETED)
        for task in (watching, stopped):
            task.cancel()
        await asyncio.wait((watching, stopped))
        if not watching.cancelled() and not stop.is_set():  # what a stop broke off is no error
            watching.result()


@contextlib.asynccontextmanager
async def _jouled(directory: Path, hurry: asyncio.Event) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `jouled` on a directory; end it with its modules at the end of the block, quicker when `hurry` is set."""
    program = find_program("jouled")
    command = [program] if program else [sys.executable, "-c", "from joule.daemon import main; main()"]
    with (directory / _OUTPUT).open("wb") as output:
        daemon = await asyncio.create_subprocess_exec(
            *command,
            "--config",
            str(directory),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield daemon
    finally:
        await _stop(daemon, hurry)


async def _stop(daemon: asyncio.subprocess.Process, hurry: asyncio.Event) -> None:
    if daemon.returncode is not None:
        return
    daemon.terminate()
    ended, hurried = asyncio.ensure_future(daemon.wait()), asyncio.ensure_future(hurry.wait())
    await asyncio.wait((ended, hurried), timeout=_STOP_S, return_when=asyncio.FIRST_COMPLETED)
    if hurry.is_set() and daemon.returncode is None:
        daemon.terminate()  # to jouled, a second one means: at once
        await asyncio.wait((ended,), timeout=_STOP_S)
    hurried.cancel()
    if daemon.returncode is None:
        note(f"jouled does not stop and is killed. {_LEFT}")
        daemon.kill()
    await ended


async def _watch(directory: Path, duration_s: float, display: Display, daemon: asyncio.subprocess.Process) -> None:
    """Show the node until `duration_s` has passed.

    Raises:
        Failure: `jouled` ended by itself.
        NodeUnreachableError: It does not answer.
    """
    try:
        async with contextlib.AsyncExitStack() as stack:
            node = await _node_when_up(directory, stack, daemon)
            watcher, start_s = Watcher(node), time.monotonic()
            elapsed_s = 0.0
            while not duration_s or elapsed_s < duration_s:
                display.show(await watcher.look(), elapsed_s)
                await asyncio.sleep(_LOOK_S if not duration_s else min(_LOOK_S, duration_s - elapsed_s))
                elapsed_s = time.monotonic() - start_s
    except NodeUnreachableError:
        # A jouled that dies is first seen as a node that does not answer.
        await asyncio.wait((asyncio.ensure_future(daemon.wait()),), timeout=1)
        _check_running(daemon, directory)
        raise


async def _node_when_up(directory: Path, stack: contextlib.AsyncExitStack, daemon: asyncio.subprocess.Process) -> Node:
    """Return the node as soon as its `jouled` answers; it stays open as long as `stack`."""
    deadline_s = time.monotonic() + _START_S
    while True:
        async with contextlib.AsyncExitStack() as attempt:
            with contextlib.suppress(NodeUnreachableError):
                node = await attempt.enter_async_context(open_node(str(directory)))
                if (await node.version()).pid is not None:
                    stack.push_async_exit(attempt.pop_all())
                    return node
        _check_running(daemon, directory)
        if time.monotonic() > deadline_s:
            raise NodeUnreachableError(
                f"jouled was started in {directory} but does not answer after {_START_S:.0f} s\n{_tail(directory)}"
            )
        await asyncio.sleep(0.05)


def _check_running(daemon: asyncio.subprocess.Process, directory: Path) -> None:
    if daemon.returncode is not None:
        how = f"with exit code {daemon.returncode}" if daemon.returncode >= 0 else f"by signal {-daemon.returncode}"
        raise Failure(f"jouled ended by itself, {how}; it printed last:\n{_tail(directory)}\n{_LEFT}")


def _tail(directory: Path, lines: int = 10) -> str:
    """Return the last lines that jouled printed."""
    try:
        text = (directory / _OUTPUT).read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
