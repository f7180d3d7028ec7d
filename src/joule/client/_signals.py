"""SIGINT and SIGTERM on their way to the event loop, and what ends a module that does not listen to it.

The loop gets each signal. Two kinds of modules keep it from helping: one that blocks the loop in a call of its own (a
serial port without a timeout), and one that catches even its cancellation (a bare `except:`). For the first, a second
signal cancels right inside the call; for both, a third one ends the process. What is stored stays stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

__all__ = ["StopSignals"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_BLOCKED_S = 0.5  # a loop that runs serves a signal within milliseconds
_PATIENCE_S = 1.0  # for what a cancelled module does last; wrappers such as `make` may send one Ctrl-C several times
_LAST_WORDS = b"ERROR joule.client: the module was cancelled and did not end; the process ends at this further signal\n"


class StopSignals:
    """The signals that reach this process while `caught()` lasts; in other threads than the main one, none do."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serve: Callable[[], object] | None = None
        self._unserved = 0
        self._is_served = False
        self._first_s: float | None = None
        self._forced_s: float | None = None

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Take the signals while the block runs, the loop's own beginning and end included."""
        before = {}
        for number in _SIGNALS:
            with contextlib.suppress(ValueError):  # not the main thread
                before[number] = signal.signal(number, self._arrived)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    @contextlib.contextmanager
    def served(self, serve: Callable[[], object]) -> Iterator[None]:
        """Call `serve` in the running loop for each signal, also for those that came before; later ones are ignored."""
        self._serve = serve
        self._loop = asyncio.get_running_loop()
        for _ in range(self._unserved):
            self._serve_one()
        try:
            yield
        finally:
            self._serve = None
            self._is_served = True

    def _serve_one(self) -> None:
        self._is_served = True
        if self._serve is not None:
            self._serve()

    def _arrived(self, _number: int, _frame: object) -> None:
        """Run by the interpreter between two instructions of the main thread, also within calls that wait."""
        now_s = time.monotonic()
        if self._loop is None:
            self._unserved += 1
        else:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._serve_one)
        if self._first_s is None:
            self._first_s = now_s
        elif self._forced_s is not None:
            if now_s - self._forced_s >= _PATIENCE_S:
                with contextlib.suppress(OSError):
                    os.write(2, _LAST_WORDS)  # the logger may be what is stuck
                os._exit(1)
        elif self._is_served:
            self._forced_s = now_s
        elif now_s - self._first_s >= _BLOCKED_S:
            self._forced_s = now_s
            raise asyncio.CancelledError
