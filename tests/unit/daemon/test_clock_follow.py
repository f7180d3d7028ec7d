"""Setting the node's clock back: which rows are set aside, and that a failure leaves everything as it was."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from joule.api import catalog_path, log_directory
from joule.catalog import Catalog
from joule.config import init_node, load_node
from joule.daemon import _clock_follow
from joule.daemon._clock import open_clock
from joule.daemon._clock_follow import ClockFollowing
from joule.daemon._log_removal import LogRemover
from joule.daemon._node import ManagedNode
from joule.daemon._preparation import Preparation
from joule.daemon._system_clock import Sample
from joule.errors import LogError
from joule.log import BREAK, LogWriter, copy_later_rows, read_log

SECOND, DAY = 1_000_000, 86_400_000_000
NOW = 20_000 * DAY
CONF = "[Main]\nname = reader\nexec_cmd = true\n[Outputs]\na = /lab/a:float64[x]\nb = /lab/b:float64[x]\n"


class Machine:
    """A machine whose clock tests set."""

    def __init__(self):
        self.system_us = NOW

    def sample(self):
        return Sample(0, self.system_us)

    def boot_id(self):
        return b"the boot".ljust(16)

    def is_synchronised(self):
        return False


class FakeSupervisor:
    """Two modules that are stopped and started again."""

    def __init__(self):
        self.log = []

    def kept_names(self):
        return ["reader", "filter"]

    async def while_stopped(self, reason, work):
        self.log.append("stopped")
        try:
            return await work()
        finally:
            self.log.append("started")


class Kit:
    def __init__(self, directory, catalog, clock, machine):
        setup = load_node(directory)
        self.catalog, self.clock, self.machine = catalog, clock, machine
        self.data = setup.config.data_directory
        self.supervisor = FakeSupervisor()
        node = ManagedNode(setup, Preparation(launches=(), problems={}), catalog, self.supervisor, directory / "run")
        self.remover = LogRemover(catalog, self.data)
        self.following = ClockFollowing(node, clock, catalog, self.remover)
        for spec in setup.streams:
            catalog.ensure_stream(spec)

    def log(self, path):
        return log_directory(self.data, self.catalog.stream(path).id)

    def store(self, path, *times):
        spec = self.catalog.stream(path).spec
        writer = LogWriter(self.log(path), spec.layout, stream=path, holder="test")
        rows = np.zeros(len(times), spec.layout.dtype)
        rows["timestamp"] = times
        writer.store(rows)
        writer.close()

    def times(self, path):
        return [
            time for block in read_log(self.log(path)) if block is not BREAK for time in block["timestamp"].tolist()
        ]

    def set_clock(self, system_us):
        self.machine.system_us = system_us
        self.clock.look()


@pytest.fixture
def kit(tmp_path):
    init_node(tmp_path / "node")
    (tmp_path / "node" / "module_configs" / "reader.conf").write_text(CONF)
    machine = Machine()
    (tmp_path / "node" / "data").mkdir()
    with (
        Catalog.open(catalog_path(tmp_path / "node" / "data")) as catalog,
        open_clock(tmp_path / "node" / "data", machine) as clock,
    ):
        yield Kit(tmp_path / "node", catalog, clock, machine)


def ahead_and_back(kit):
    kit.set_clock(NOW + 9 * DAY)
    kit.store("/lab/a", NOW - 5, NOW + 9 * DAY, NOW + 9 * DAY + 5)
    kit.store("/lab/b", NOW - 7, NOW + 9 * DAY + 7)
    kit.set_clock(NOW)


async def test_rows_that_lie_ahead_go_into_streams_of_their_own_and_the_clock_goes_back(kit):
    ahead_and_back(kit)
    change = await kit.following.follow()
    assert (change.done, change.back_us, change.now_us) == (True, 9 * DAY, NOW)
    assert [(aside.stream, aside.rows) for aside in change.streams] == [("/lab/a", 2), ("/lab/b", 1)]
    assert (kit.times("/lab/a"), kit.times("/lab/b")) == ([NOW - 5], [NOW - 7])
    assert kit.times(change.streams[0].aside) == [NOW + 9 * DAY, NOW + 9 * DAY + 5]
    assert kit.catalog.stream(change.streams[0].aside).spec.keep_us is None
    assert (kit.clock.state, kit.clock.node_us(), kit.clock.cautious_us()) == ("following", NOW, NOW)
    assert (kit.supervisor.log, change.modules) == (["stopped", "started"], ("filter", "reader"))


async def test_a_preview_changes_nothing(kit):
    ahead_and_back(kit)
    change = await kit.following.preview()
    assert (change.done, change.back_us, len(change.streams)) == (False, 9 * DAY, 2)
    assert kit.times("/lab/a") == [NOW - 5, NOW + 9 * DAY, NOW + 9 * DAY + 5]
    assert (kit.clock.state, kit.supervisor.log) == ("own", [])


async def test_clocks_that_agree_and_rows_that_may_be_ahead_are_left_alone(kit):
    kit.store("/lab/a", NOW - 5, NOW + DAY)
    change = await kit.following.follow()
    assert (change.done, change.back_us, change.streams, kit.supervisor.log) == (False, 0, (), [])


async def test_where_the_clocks_agree_rows_too_far_ahead_are_set_aside(kit):
    kit.store("/lab/a", NOW - 5, NOW + DAY, NOW + DAY + 1)
    change = await kit.following.follow()
    assert (change.done, change.back_us) == (True, 0)
    assert kit.times("/lab/a") == [NOW - 5, NOW + DAY]
    assert kit.times(change.streams[0].aside) == [NOW + DAY + 1]


async def test_a_second_time_on_one_day_takes_another_name(kit):
    ahead_and_back(kit)
    first = await kit.following.follow()
    kit.set_clock(NOW + 9 * DAY)
    kit.store("/lab/a", NOW + 9 * DAY)
    kit.set_clock(NOW + SECOND)
    (again,) = (await kit.following.follow()).streams
    assert again.aside == f"{first.streams[0].aside}-2"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_when_one_stream_cannot_be_copied_no_row_leaves_any(kit, monkeypatch, number):
    ahead_and_back(kit)
    before = kit.times("/lab/a"), kit.times("/lab/b")
    copied = []

    def copy(source, target, stream, after_us):
        if copied:
            raise OSError(number, os.strerror(number))
        copied.append(target)
        return copy_later_rows(source, target, stream, after_us)

    monkeypatch.setattr(_clock_follow, "copy_later_rows", copy)
    with pytest.raises(LogError, match="'/lab/b'.*set aside.*nothing was changed"):
        await kit.following.follow()
    assert (kit.times("/lab/a"), kit.times("/lab/b")) == before
    assert [record.spec.path for record in kit.catalog.streams()] == ["/lab/a", "/lab/b"]
    assert len(kit.catalog.removals()) == 2
    assert kit.remover.in_work == set()
    assert (kit.clock.state, kit.supervisor.log) == ("own", ["stopped", "started"])
