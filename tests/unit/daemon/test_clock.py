"""The keeper of a node's clock, with a system's clock that tests set: steps, restarts, reboots, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import ClockLaw
from joule.core.clock_law import LAW_BYTES
from joule.daemon._clock import ClockKeeper, open_clock
from joule.daemon._system_clock import Sample, find_system_clock
from joule.errors import ForeignFileError
from joule.log import ClockFile, DiskFiles, clock_path

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


class Node:
    """A clock file, the keeper of the present jouled, and the system's clock."""

    def __init__(self, directory):
        self.directory = directory
        self.system = FakeClock()
        self.keeper = None
        self.start()

    def start(self, newest_us=()):
        self.file = ClockFile(clock_path(self.directory), NoSync())
        self.keeper = ClockKeeper(self.file, self.system)
        self.keeper.start(newest_us)

    def kill(self):
        self.file.close()

    def restart(self, newest_us=()):
        self.kill()
        self.start(newest_us)

    @property
    def now_us(self):
        return self.keeper.law.node_us(self.system.boot_us)

    def step(self, step_us):
        self.system.set(step_us)
        self.keeper.look()

    def wait(self, span_us):
        self.system.boot_us += span_us
        self.keeper.look()


class NoSync(DiskFiles):
    def sync(self, fd):
        pass


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path)
    yield node
    node.kill()


def test_a_new_node_goes_with_the_system_s_clock(node, caplog):
    node.wait(DAY)
    assert (node.keeper.state, node.now_us, node.keeper.note()) == ("following", node.system.system_us, "")
    assert caplog.records == []


def test_an_hour_back_is_made_up_at_half_speed_and_said(node, caplog):
    caplog.set_level("INFO")
    before = node.now_us
    node.step(-HOUR)
    assert node.now_us == before
    assert "set back by 1h: the node's clock is 1h ahead" in caplog.text
    assert "in 2h" in node.keeper.note()
    node.wait(HOUR)
    assert (node.keeper.state, node.now_us - before) == ("slowing", HOUR // 2 + SECOND // 2)
    node.wait(2 * HOUR)
    assert (node.keeper.state, node.now_us, node.keeper.note()) == ("following", node.system.system_us, "")
    assert "have met" in caplog.records[-1].getMessage()


def test_ten_years_ahead_are_taken_at_once_and_nothing_is_removed_for_them(node, caplog):
    before = node.now_us
    node.step(10 * YEAR)
    assert node.now_us == before + 10 * YEAR
    assert node.keeper.cautious_us() == before
    assert "set forward by 3650d: the node's clock goes with it" in caplog.text
    assert "joule clock confirm" in node.keeper.note()
    node.wait(DAY)
    assert node.keeper.cautious_us() == before + DAY  # old rows still go: the time that has passed counts


def test_ten_years_ahead_and_back_leave_the_node_with_its_own_time(node, caplog):
    node.step(10 * YEAR)
    node.wait(SECOND)
    before = node.now_us
    node.step(-10 * YEAR)
    node.wait(HOUR)
    assert (node.keeper.state, node.now_us) == ("own", before + HOUR)
    assert "keeps its own time" in node.keeper.note()
    assert "set back by 3650d: the node's clock is 3650d ahead of the system's, and keeps its own time" in caplog.text


@pytest.mark.parametrize("span_us", [200 * MS, 23 * HOUR])
def test_steps_of_up_to_a_day_hold_nothing_up(node, span_us):
    node.step(span_us)
    assert (node.keeper.cautious_us(), node.keeper.note()) == (node.now_us, "")


def test_many_steps_of_less_than_a_day_are_counted_together(node):
    before = node.now_us
    for _ in range(5):
        node.step(20 * HOUR)
    assert node.keeper.cautious_us() == before


def test_a_person_confirms_a_step(node, caplog):
    node.step(10 * YEAR)
    caplog.set_level("INFO")
    node.keeper.confirm()
    assert (node.keeper.cautious_us(), node.keeper.note()) == (node.now_us, "")
    assert "confirmed: somebody said" in caplog.text
    node.restart()
    assert node.keeper.cautious_us() == node.now_us


def test_the_kernel_confirms_a_step_once_its_clock_is_synchronised(node, caplog):
    caplog.set_level("INFO")
    node.step(10 * YEAR)
    assert node.keeper.cautious_us() < node.now_us
    node.system.synchronised = True
    node.wait(SECOND)
    assert node.keeper.cautious_us() == node.now_us
    assert "the kernel calls its clock synchronised" in caplog.text


def test_a_synchronised_clock_that_the_node_does_not_follow_confirms_nothing(node):
    node.step(10 * YEAR)
    node.system.synchronised = True
    node.step(-10 * YEAR)
    assert node.keeper.state == "own"
    assert node.keeper.cautious_us() < node.now_us - 9 * YEAR


def test_what_is_unconfirmed_outlasts_jouled_and_the_boot(node):
    before = node.now_us
    node.step(10 * YEAR)
    node.restart()
    assert node.keeper.cautious_us() == before
    node.keeper.remember()
    node.kill()
    node.system.reboot(before + 10 * YEAR + HOUR)
    node.start()
    assert node.keeper.cautious_us() <= before + HOUR


def test_a_step_while_no_jouled_ran_is_seen_at_the_start(node, caplog):
    node.kill()
    node.system.set(10 * YEAR)
    node.start()
    assert node.now_us == node.system.system_us
    assert "while no jouled ran, the system's clock was set forward by 3650d" in caplog.text
    assert node.keeper.cautious_us() < node.now_us - 9 * YEAR


def test_a_machine_that_boots_without_a_clock_goes_on_where_the_node_was(node, caplog):
    node.wait(HOUR)
    node.keeper.remember()
    reached = node.now_us
    node.kill()
    node.system.reboot(0)
    node.start()
    assert (node.keeper.state, node.now_us) == ("own", reached + 1)
    assert "keeps its own time" in caplog.text
    node.wait(HOUR)
    assert node.now_us == reached + 1 + HOUR
    node.step(reached + 3 * HOUR - node.system.system_us)  # the time service has come
    assert (node.keeper.state, node.now_us) == ("following", reached + 3 * HOUR)
    assert node.keeper.note() == ""


def test_a_clock_that_was_written_down_a_while_ago_is_caught_up_with_at_half_speed(node):
    node.keeper.remember()
    reached = node.now_us
    node.kill()
    node.system.reboot(reached - 10 * 60 * SECOND)
    node.start()
    assert (node.keeper.state, node.now_us) == ("slowing", reached + 1)


def test_rows_behind_the_time_that_was_written_down_count_unless_they_are_wild(node):
    node.keeper.remember()
    reached = node.now_us
    node.kill()
    node.system.reboot(0)
    node.start(newest_us=[reached - DAY, reached + 40 * SECOND, reached + 20 * HOUR])
    assert node.now_us == reached + 40 * SECOND + 1


def test_a_node_whose_clock_was_lost_takes_its_newest_row_for_the_time_when_it_was_used(node):
    node.kill()
    clock_path(node.directory).unlink()
    node.system.set(10 * YEAR)
    newest = START + DAY
    node.start(newest_us=[START, newest, START + 20 * YEAR])
    assert node.now_us == node.system.system_us
    assert node.keeper.cautious_us() == newest


def test_a_new_node_on_a_machine_without_a_clock_says_so(node, caplog):
    node.kill()
    clock_path(node.directory).unlink()
    node.system.reboot(5 * SECOND)
    node.start()
    assert "1970-01-01" in caplog.records[-1].getMessage()
    assert "nothing has told this machine the time yet" in node.keeper.note()
    node.step(START)
    node.system.synchronised = True
    node.keeper.look()
    assert (node.now_us, node.keeper.note()) == (node.system.system_us, "")


def test_weeks_without_power_remove_nothing_at_the_start(node):
    node.keeper.remember()
    reached = node.now_us
    node.kill()
    node.system.reboot(reached + 21 * DAY)
    node.start()
    assert node.now_us == reached + 21 * DAY
    assert node.keeper.cautious_us() == reached
    node.system.synchronised = True
    node.wait(SECOND)
    assert node.keeper.cautious_us() == node.now_us


def test_what_cannot_be_written_changes_nothing_and_is_tried_again(node, monkeypatch):
    before = node.keeper.law

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(node.file._files, "write", full, raising=False)
        with pytest.raises(OSError, match="No space"):
            node.step(HOUR)
        assert node.keeper.law == before
        with pytest.raises(OSError, match="No space"):
            node.keeper.look()
    node.keeper.look()
    assert (node.now_us, node.keeper.unconfirmed_us) == (node.system.system_us, HOUR)


def test_describing_tells_all_of_it(node):
    node.step(-HOUR)
    info = node.keeper.describe()
    assert (info.state, info.node_us - info.system_us) == ("slowing", HOUR)
    assert info.meets_us == 2 * HOUR + SECOND
    assert info.note == node.keeper.note()


async def test_the_task_acts_when_the_clock_is_set_and_not_before(tmp_path, until):
    system = FakeClock()
    with open_clock(tmp_path, system) as keeper:
        task = asyncio.create_task(keeper.run())
        await until(lambda: system.on_set)
        system.set(HOUR)
        await until(lambda: keeper.law.offset_us == START + HOUR)
        system.set(-HOUR)  # slows down a second from now: what comes before that waits for it
        await until(lambda: keeper.state == "slowing")
        task.cancel()
        await asyncio.wait([task])


def test_opening_and_closing_leaves_the_time_that_was_reached(tmp_path):
    system = FakeClock()
    with open_clock(tmp_path, system):
        system.boot_us += DAY
    file = ClockFile(clock_path(tmp_path))
    assert file.memory.floor_us == START + system.boot_us
    file.close()


def test_a_clock_of_a_newer_version_is_not_run_by_this_one(tmp_path):
    clock_path(tmp_path).write_bytes(b"JOULECLK\x09\0\0\0" + bytes(4084))
    with pytest.raises(ForeignFileError, match="version 9"), open_clock(tmp_path, FakeClock()):
        pass


async def test_this_machine_s_clock_can_be_watched_and_is_what_time_gives():
    import time

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
    import os

    from joule.daemon import _system_clock

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
    from joule.daemon import _system_clock

    monkeypatch.setattr(_system_clock, "_arm_new_timer", lambda: None)
    async with find_system_clock().watch(lambda: None) as is_told:
        assert not is_told


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


class DyingDisk(NoSync):
    """The process dies before one of its writes."""

    def __init__(self, writes_left):
        self.left = writes_left

    def write(self, fd, data, size, offset):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        super().write(fd, data, size, offset)


@pytest.mark.parametrize("writes", range(6))
@pytest.mark.parametrize("boots", [False, True])
def test_a_jouled_that_dies_at_its_start_forgets_no_step_that_nobody_has_confirmed(node, writes, boots):
    before = node.now_us
    node.keeper.remember()
    node.kill()
    if boots:
        node.system.reboot(before + 10 * YEAR)
    else:
        node.system.set(10 * YEAR)
    file = ClockFile(clock_path(node.directory), DyingDisk(writes))
    with contextlib.suppress(KeyboardInterrupt):
        ClockKeeper(file, node.system).start([])
    file.close()
    node.start()
    assert node.now_us >= before + 10 * YEAR
    assert node.keeper.cautious_us() <= before + SECOND
