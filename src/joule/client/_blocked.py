"""A warning for authors who wrote `time.sleep` where `await asyncio.sleep` was meant.

A timer twice a second: when it comes late, something kept the event loop from running, and with it pipes and signals.
The module goes on; the warning comes for the first block and then at most once a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

__all__ = ["watch_for_blocking"]

_log = logging.getLogger("joule.client")

_BEAT_S = 0.5
_LIMIT_S = 1.0
_SILENCE_S = 60.0


class _Heartbeat:
    """Measures how late its own timer is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._quiet_until_s = float("-inf")
        self._plan()

    def _plan(self) -> None:
        self._due_s = self._loop.time() + _BEAT_S
        self._timer = self._loop.call_at(self._due_s, self._beat)

    def _beat(self) -> None:
        now_s = self._loop.time()
        late_s = now_s - self._due_s
        if late_s > _LIMIT_S and now_s >= self._quiet_until_s:
            self._quiet_until_s = now_s + _SILENCE_S
            _log.warning(
                "the event loop was blocked for %.1f s: neither pipes nor signals were served; use "
                "`await asyncio.sleep()` instead of `time.sleep()`, and `await asyncio.to_thread()` for slow calls",
                late_s,
            )
        self._plan()

    def cancel(self) -> None:
        self._timer.cancel()


@contextlib.contextmanager
def watch_for_blocking() -> Iterator[None]:
    """Log a warning when the running loop does nothing for more than a second while the block runs."""
    heartbeat = _Heartbeat(asyncio.get_running_loop())
    try:
        yield
    finally:
        heartbeat.cancel()
