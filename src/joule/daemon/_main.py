"""The program `jouled`: its command line, its signals, and how it says what went wrong."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from joule._version import __version__
from joule.config import NodeSetup, default_node_directory, init_node, load_node
from joule.daemon._daemon import Signals, run_node
from joule.daemon._journal import journal_to_stderr
from joule.errors import ConfigurationError, JouleError

__all__ = ["main"]

_log = logging.getLogger("joule.daemon")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a node in the foreground until SIGTERM or SIGINT; a second one ends its modules at once. SIGHUP reloads.

    Exits with 0 when it was stopped, 1 when the node cannot be run (one line on stderr says why), 2 for a command line
    that it does not understand.
    """
    options = _parser().parse_args(arguments)
    with journal_to_stderr():
        try:
            asyncio.run(_run(_find_setup(options.config)))
        except JouleError as error:
            _fail(error.message)
        except KeyboardInterrupt:  # before the node began to run: there is nothing to stop
            raise SystemExit(128 + signal.SIGINT) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _fail(f"{where}{error.strerror or error}; check the disk and the permissions")
        except Exception as error:  # noqa: BLE001  # the last seam: what nobody expected is a fault of Joule
            _log.exception("jouled has a fault")
            _fail(f"a fault of Joule itself ended it: {error!r}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jouled",
        description="Run the modules of a Joule node, and answer questions about them. Ctrl-C stops it; SIGHUP, like "
        "'joule reload', has it read its files again.",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="main.conf of the node, or the directory that holds it (default: your own node, made on first use)",
    )
    parser.add_argument("--version", action="version", version=f"jouled {__version__}")
    return parser


def _find_setup(config: str | None) -> NodeSetup:
    if config is not None:
        if not config:  # an unset variable of a script, which is not meant to run a node in the current directory
            raise ConfigurationError("--config is empty: name a node's main.conf or its directory")
        return load_node(Path(config))
    directory = default_node_directory()
    if not (directory / "main.conf").exists():
        init_node(directory)
        _log.info("made a new node in %s: put module files into %s", directory, directory / "module_configs")
    return load_node(directory)


async def _run(setup: NodeSetup) -> None:
    setup.require_places()
    signals = Signals()
    has_terminal = _terminal_is_there()

    def stop() -> None:
        (signals.hurry if signals.stop.is_set() else signals.stop).set()

    def hang_up() -> None:
        # The kernel sends this when the terminal goes that we run in; people send it to have the files read again.
        if has_terminal and not _terminal_is_there():
            stop()
        else:
            signals.reload.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGINT, stop)
    # Whoever started us with nohup wants us to outlive the terminal. An ignored SIGINT means less: a shell script gives
    # it to everything that it starts in the background, and ends us with it later.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, hang_up)
    await run_node(setup, signals)


def _terminal_is_there() -> bool:
    """Return whether this process has a terminal that it would be stopped from."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _fail(message: str) -> None:
    sys.stderr.write(f"jouled: {message}\n")
    raise SystemExit(1)
