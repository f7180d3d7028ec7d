"""A machine whose clock tests set, and a disk that syncs nothing."""

from __future__ import annotations

import contextlib

from joule.daemon._system_clock import Sample
from joule.log import DiskFiles

MS, SECOND, HOUR, DAY = 1000, 1_000_000, 3_600_000_000, 86_400_000_000
YEAR = 365 * DAY
START = 56 * YEAR


class FakeClock:
    """A machine whose clock tests set."""

    def __init__(self):
        self.boot_us = 5 * SECOND
        self.offset_us = START
        self.boots = 1
        self.synchronised = False
        self.on_set = []

    def sample(self):
        return Sample(self.boot_us, self.boot_us + self.offset_us)

    @property
    def system_us(self):
        return self.boot_us + self.offset_us

    def boot_id(self):
        return self.boots.to_bytes(16, "big")

    def is_synchronised(self):
        return self.synchronised

    @contextlib.asynccontextmanager
    async def watch(self, on_set):
        self.on_set.append(on_set)
        yield True

    def set(self, step_us):
        self.offset_us += step_us
        for on_set in self.on_set:
            on_set()

    def reboot(self, system_us):
        self.boots += 1
        self.boot_us = 3 * SECOND
        self.offset_us = system_us - self.boot_us
        self.synchronised = False


class NoSync(DiskFiles):
    def sync(self, fd):
        pass
