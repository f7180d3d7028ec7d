"""Telling systemd how `jouled` is: ready, reloading, stopping, alive.

The protocol is that of sd_notify(3): datagrams of `KEY=value` lines to the socket in `NOTIFY_SOCKET`. Where there is
none, nothing is sent. A message that cannot be sent is logged, and costs nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Self

from joule.daemon._keeper import ModuleKeeper

__all__ = ["Notifier", "node_status"]

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

_FIRST_STATUS_S = 2.0  # by then the modules that can be started are

_log = logging.getLogger(__name__)


def node_status(keepers: Iterable[ModuleKeeper]) -> str:
    """Return one line on the modules of a node, such as `3 modules: 2 running, 1 failed`."""
    counts = Counter(str(keeper.status.state) for keeper in keepers)
    states = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    total = counts.total()
    return f"{total} module{'' if total == 1 else 's'}: {states}" if states else "no modules"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """The way to the service manager that started this process; without an address, to nobody.

    Attributes:
        address: Of its socket, as the system call wants it; None where nobody listens.
        watchdog_us: A process that says nothing for so long is ended and started again, us; None never.
    """

    address: str | None = None
    watchdog_us: int | None = None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> Self:
        """Return what the environment says, and take it out of there: modules have no part in it."""
        values = {name: environment.pop(name, "") for name in _VARIABLES}
        path = values["NOTIFY_SOCKET"]
        if not path.startswith(("/", "@")):
            if path:
                _log.warning(
                    "NOTIFY_SOCKET is %r, which is no unix socket: nothing is told to the service manager", path
                )
            return cls()
        is_meant = values["WATCHDOG_PID"] in ("", str(os.getpid()))
        span_us = values["WATCHDOG_USEC"]
        return cls(
            address="\0" + path[1:] if path.startswith("@") else path,
            watchdog_us=int(span_us) if is_meant and span_us.isdecimal() and int(span_us) else None,
        )

    def ready(self, status: str) -> None:
        """Tell that the node runs, after a start or a reload.

        Args:
            status: One line for people, shown by `systemctl status`.
        """
        self._send("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        """Tell that the node stops, and that this may take a while."""
        self._send("STOPPING=1", "STATUS=stopping: modules have their time to end")

    @contextlib.contextmanager
    def reloading(self, status: Callable[[], str]) -> Iterator[None]:
        """Tell that the configuration is read again, and afterwards, with the `status` of then, that the node runs."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self.ready(status())

    async def keep_alive(self, status: Callable[[], str]) -> None:
        """Tell at half of the watchdog's time that the event loop still turns, until cancelled; and how the node is.

        A loop that hangs says nothing, is ended by the service manager, and started again: modules go on meanwhile.
        """
        if self.watchdog_us is None:
            return
        half_s = self.watchdog_us / 2e6
        delay_s = min(half_s, _FIRST_STATUS_S)
        while True:
            self._send("WATCHDOG=1", f"STATUS={status()}")
            await asyncio.sleep(delay_s)
            delay_s = half_s

    def _send(self, *lines: str) -> None:
        if self.address is None:
            return
        message = "\n".join(" ".join(line.splitlines()) for line in lines).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)  # noqa: FBT003  # a service manager that hangs must not hang us
                sender.sendto(message, self.address)
        except OSError as error:
            _log.warning("the service manager was not told %s: %s", lines[0], error.strerror or error)
