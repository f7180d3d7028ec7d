"""The machine's clock as `jouled` sees it: read, watched, and what a kernel without a timer for that costs."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from joule.daemon import _system_clock
from joule.daemon._system_clock import find_system_clock

SECOND = 1_000_000


async def test_this_machine_s_clock_can_be_watched_and_is_what_time_gives():
    system = find_system_clock()
    boot_us, system_us = system.sample()
    assert abs(system_us - time.time_ns() // 1000) < SECOND
    assert abs(boot_us - time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000) < SECOND
    assert len(system.boot_id()) == 16
    assert system.is_synchronised() in (True, False, None)
    async with system.watch(lambda: None) as is_told:
        assert is_told


async def test_each_time_that_the_timer_wakes_us_is_told_once(monkeypatch, until):
    """The kernel's part, a timer that is cancelled when the clock is set, cannot be had without setting it."""
    timer = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    armed, told = [], []
    monkeypatch.setattr(_system_clock, "_arm_new_timer", lambda: timer)
    monkeypatch.setattr(_system_clock, "_arm", lambda fd: armed.append(fd) or True)
    async with find_system_clock().watch(lambda: told.append(1)) as is_told:
        for count in (1, 2):
            os.eventfd_write(timer, 1)
            await until(lambda count=count: len(told) == count)
        await asyncio.sleep(0)
    assert is_told
    assert (len(told), armed) == (2, [timer, timer])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(timer)


async def test_a_kernel_without_such_a_timer_is_no_fault(monkeypatch):
    monkeypatch.setattr(_system_clock, "_arm_new_timer", lambda: None)
    async with find_system_clock().watch(lambda: None) as is_told:
        assert not is_told
