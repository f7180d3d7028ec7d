"""Time never runs backwards: over any order of steps, restarts and boots, and of readers that are held up anywhere."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from joule.core import ClockLaw
from joule.core.clock_law import LAW_BYTES
from joule.daemon._clock import ClockKeeper
from joule.log import ClockFile, clock_path

from .fake_clock import DAY, HOUR, SECOND, YEAR, FakeClock, NoSync


class Reader:
    """A process that looks at the clock in two moments: first at the time since boot, then at the law."""

    def __init__(self, path):
        self.path = path
        self.looked_us = None
        self.floor_us = 0

    def begin(self, boot_us, floor_us):
        self.looked_us, self.floor_us = boot_us, floor_us

    def end(self):
        law = ClockLaw.unpack(self.path.read_bytes()[:LAW_BYTES])
        return law.node_us(self.looked_us)


class SlowDisk(NoSync):
    """Whoever writes here loses its processor before each write, and the readers do something meanwhile."""

    def __init__(self):
        self.before_write = lambda: None

    def write(self, fd, data, size, offset):
        self.before_write()
        super().write(fd, data, size, offset)


STEP = st.one_of(
    st.integers(-2 * SECOND, 2 * SECOND),
    st.integers(-3 * DAY, 3 * DAY),
    st.sampled_from([-10 * YEAR, 10 * YEAR, -HOUR, HOUR, -40 * YEAR]),
)
ACTION = st.one_of(
    st.tuples(st.just("wait"), st.one_of(st.integers(0, 2 * SECOND), st.integers(0, 3 * HOUR))),
    st.tuples(st.just("step"), STEP),
    st.tuples(st.just("look"), st.just(0)),
    st.tuples(st.just("restart"), STEP),
    st.tuples(st.just("reboot"), STEP),
    st.tuples(st.just("begin"), st.integers(0, 2)),
    st.tuples(st.just("end"), st.integers(0, 2)),
)


@given(
    st.lists(ACTION, max_size=40), st.lists(st.tuples(st.integers(0, SECOND * 9 // 10), st.integers(0, 5)), min_size=1)
)
def test_time_never_runs_backwards_over_any_steps_restarts_boots_and_readers(actions, pauses):
    """Whoever begins to look when somebody else has got a time gets none before that."""
    with tempfile.TemporaryDirectory() as name:
        _Run(Path(name), pauses).play(actions)


class _Run:
    def __init__(self, directory, pauses):
        self.system = FakeClock()
        self.path = clock_path(directory)
        self.readers = [Reader(self.path) for _ in range(3)]
        self.latest_us = 0
        self.pauses = itertools.cycle(pauses)
        self.disk = SlowDisk()
        self.start()
        self.disk.before_write = self.pause

    def start(self):
        self.file = ClockFile(self.path, self.disk)
        self.keeper = ClockKeeper(self.file, self.system)
        self.keeper.start([self.latest_us])

    def pause(self):
        """The daemon's processor is taken away: readers go on."""
        span_us, reader = next(self.pauses)
        self.system.boot_us += span_us
        if self.file.law is not None:
            (self.end if reader < 3 else self.begin)(reader % 3)

    def begin(self, reader):
        self.readers[reader].begin(self.system.boot_us, self.latest_us)

    def end(self, reader):
        if self.readers[reader].looked_us is None:
            self.begin(reader)
        time_us = self.readers[reader].end()
        assert time_us >= self.readers[reader].floor_us
        self.latest_us = max(self.latest_us, time_us)
        self.readers[reader].looked_us = None

    def play(self, actions):
        for action, value in actions:
            if action in ("begin", "end"):
                getattr(self, action)(value)
            elif action == "wait":
                self.system.boot_us += value
                self.keeper.look()
                self.keeper.remember()  # as it does every half minute
            elif action == "step":
                self.system.set(value)
            elif action == "look":
                self.keeper.look()
            else:
                self.again(action, value)
        self.end(0)
        self.file.close()

    def again(self, action, value):
        self.file.close()
        if action == "reboot":
            self.system.boot_us += 20 * SECOND
            for reader in self.readers:
                reader.looked_us = None
            self.disk.before_write = lambda: None  # nobody else runs yet
            self.system.reboot(self.system.system_us + value)
        else:
            self.system.set(value)
        self.start()
        self.disk.before_write = self.pause
