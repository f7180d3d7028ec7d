"""The system's clock, as the keeper of a node's clock sees it: what it says, when it is set, who vouches for it.

Who sets the clock tells nobody, but a timer that is armed to be cancelled by that wakes us at once; it costs nothing
while nobody does. Where there is no such timer, looking every so often has to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import dataclasses
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["TEST_CLOCK_VARIABLE", "Sample", "SystemClock", "find_system_clock"]

TEST_CLOCK_VARIABLE = "JOULE_TEST_CLOCK"
"""Names a file that stands for the system's clock: for tests of what happens when it is set."""

_CLOSE_NS = 20_000  # both clocks within this long: the processor was not taken away in between
_ATTEMPTS = 20
_TEST_PERIOD_S = 0.02

_TFD_NONBLOCK, _TFD_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_TFD_TIMER_ABSTIME, _TFD_TIMER_CANCEL_ON_SET = 1, 2
_FAR_AHEAD_S = 2**40  # the timer itself never runs out
_STA_UNSYNC = 0x40
_TIMEX_BYTES = 512  # more than struct timex has anywhere
_TIMEX_STATUS = 40  # offset of its member `status` on 64-bit Linux


class Sample(NamedTuple):
    """Two clocks at one moment, us: time since boot, with suspended time, and the system's clock."""

    boot_us: int
    system_us: int


class SystemClock(Protocol):
    """What is asked of a system's clock."""

    def sample(self) -> Sample:
        """Return what it says now."""

    def boot_id(self) -> bytes:
        """Return 16 bytes that no other boot of this machine has."""

    def is_synchronised(self) -> bool | None:
        """Whether the kernel has it from a better clock; None where that cannot be known."""

    def watch(self, on_set: Callable[[], None]) -> contextlib.AbstractAsyncContextManager[bool]:
        """Call `on_set` whenever it is set, as long as the context lasts; yields whether that works here."""


class _KernelClock:
    """The clock of this machine."""

    def sample(self) -> Sample:
        best = (2**63, 0, 0)
        for _ in range(_ATTEMPTS):
            before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            system = time.time_ns()
            after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            best = min(best, (after - before, (before + after) // 2, system))
            if best[0] <= _CLOSE_NS:
                break
        return Sample(best[1] // 1000, best[2] // 1000)

    def boot_id(self) -> bytes:
        try:
            return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", ""))
        except OSError:  # a sandbox: a boot is then told from another by its time alone
            return bytes(16)

    def is_synchronised(self) -> bool | None:
        facts = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: nothing is set, so no privilege is needed
        if ctypes.CDLL(None, use_errno=True).adjtimex(facts) < 0:
            return None
        return not int.from_bytes(facts.raw[_TIMEX_STATUS : _TIMEX_STATUS + 4], "little") & _STA_UNSYNC

    @contextlib.asynccontextmanager
    async def watch(self, on_set: Callable[[], None]) -> AsyncIterator[bool]:
        fd = _arm_new_timer()
        if fd is None:
            yield False
            return
        loop = asyncio.get_running_loop()

        def look() -> None:
            with contextlib.suppress(OSError):  # ECANCELED is what we wait for
                os.read(fd, 8)
            _arm(fd)
            on_set()

        loop.add_reader(fd, look)
        try:
            yield True
        finally:
            loop.remove_reader(fd)
            os.close(fd)


def _arm_new_timer() -> int | None:
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "timerfd_create"):
        return None
    fd: int = library.timerfd_create(time.CLOCK_REALTIME, _TFD_NONBLOCK | _TFD_CLOEXEC)
    if fd < 0:
        return None
    if not _arm(fd):
        os.close(fd)
        return None
    return fd


def _arm(fd: int) -> bool:
    """Let the timer become readable when the clock is set. Python has these calls from 3.13 on."""
    setting = (ctypes.c_int64 * 4)(0, 0, _FAR_AHEAD_S, 0)  # struct itimerspec: interval, then the time
    flags = _TFD_TIMER_ABSTIME | _TFD_TIMER_CANCEL_ON_SET
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.timerfd_settime(fd, flags, ctypes.byref(setting), None) == 0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _FileFacts:
    """What a test says about the clock.

    Attributes:
        offset_us: Added to what the machine's clock says.
        boot: A text for each boot; empty for that of the machine.
        is_synchronised: See `SystemClock`.
    """

    offset_us: int = 0
    boot: str = ""
    is_synchronised: bool | None = False


class _FileClock:
    """A clock for tests: this machine's, changed by what a JSON file says.

    The file has the fields of `_FileFacts`, and is replaced as a whole, by renaming.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kernel = _KernelClock()

    def sample(self) -> Sample:
        boot_us, system_us = self._kernel.sample()
        return Sample(boot_us, system_us + self._facts().offset_us)

    def boot_id(self) -> bytes:
        boot = self._facts().boot
        return boot.encode().ljust(16)[:16] if boot else self._kernel.boot_id()

    def is_synchronised(self) -> bool | None:
        return self._facts().is_synchronised

    @contextlib.asynccontextmanager
    async def watch(self, on_set: Callable[[], None]) -> AsyncIterator[bool]:
        task = asyncio.create_task(self._poll(on_set))
        try:
            yield True
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _poll(self, on_set: Callable[[], None]) -> None:
        before = self._facts()
        while True:
            await asyncio.sleep(_TEST_PERIOD_S)
            now = self._facts()
            if now != before:
                before = now
                on_set()

    def _facts(self) -> _FileFacts:
        return _FileFacts(**json.loads(self._path.read_text()))


def find_system_clock() -> SystemClock:
    """Return the clock of this machine; in tests the one that JOULE_TEST_CLOCK names."""
    path = os.environ.get(TEST_CLOCK_VARIABLE)
    return _FileClock(Path(path)) if path else _KernelClock()
