"""The keeper of a node's clock, with a system's clock that tests set: steps, restarts, reboots, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil

import pytest

from joule.core import time_now
from joule.daemon._clock import ClockKeeper, open_clock
from joule.errors import ForeignFileError
from joule.log import ClockFile, clock_path

from .fake_clock import DAY, HOUR, MS, SECOND, START, YEAR, FakeClock, NoSync


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


def test_a_clock_file_that_was_cut_off_is_mended(node, caplog):
    node.step(10 * YEAR)
    path = clock_path(node.directory)
    before = path.read_bytes()
    os.truncate(path, 0)
    node.keeper.check_file()
    assert path.read_bytes() == before
    assert "cut off" in caplog.text
    caplog.clear()
    node.keeper.check_file()
    assert caplog.records == []


def replace(path):
    shutil.copy(path, f"{path}.new")
    os.replace(f"{path}.new", path)


@pytest.mark.parametrize("how", [os.unlink, replace])
def test_a_clock_file_that_is_not_there_any_more_is_told_once(node, caplog, how):
    how(clock_path(node.directory))
    node.keeper.check_file()
    node.keeper.check_file()
    (record,) = caplog.records
    assert "removed or replaced" in record.getMessage()


def test_jouled_outlives_a_clock_file_that_is_cut_off(tmp_path):
    system = FakeClock()
    with open_clock(tmp_path, system):
        before = time_now()
        os.truncate(clock_path(tmp_path), 0)
        assert before <= time_now() < before + HOUR
