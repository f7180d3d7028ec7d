"""`keep` is honoured in whole segments, and never before a reader is through."""

import asyncio

import numpy as np
import pytest

from joule.api import catalog_path, log_directory
from joule.catalog import Catalog
from joule.core import ElementSpec, StreamSpec, time_now
from joule.daemon import _trimming
from joule.daemon._clock import open_clock
from joule.daemon._system_clock import Sample
from joule.daemon._trimming import trim_for_ever, trim_streams
from joule.log import LogWriter, create_log, cursor_path, ensure_cursors, inspect_log

KEEP_US = 1000
SEGMENTS_OF_US = 100


def spec_of(path, keep_us):
    return StreamSpec(path=path, datatype="float64", elements=(ElementSpec(name="x"),), keep_us=keep_us)


@pytest.fixture
def catalog(tmp_path):
    with Catalog.open(catalog_path(tmp_path)) as catalog:
        yield catalog


@pytest.fixture
def fill(tmp_path, catalog):
    """Make a stream with rows at 0 to 1999 us, in segments of 100 us; returns its record."""

    def make(path="/a/b", keep_us=KEEP_US):
        spec = spec_of(path, keep_us)
        record = catalog.ensure_stream(spec)
        writer = LogWriter(
            log_directory(tmp_path, record.id), spec.layout, stream=path, holder="t", segment_us=SEGMENTS_OF_US
        )
        for start in range(0, 2000, 50):
            rows = np.zeros(50, spec.layout.dtype)
            rows["timestamp"] = np.arange(start, start + 50)
            writer.store(rows)
        writer.close()
        return record

    return make


def first_us(tmp_path, record):
    return inspect_log(log_directory(tmp_path, record.id)).first_us


def test_old_segments_go_and_young_ones_stay(tmp_path, fill):
    record = fill()
    removed = trim_streams([record], tmp_path, now_us=1500)
    oldest = first_us(tmp_path, record)
    assert 500 - 2 * SEGMENTS_OF_US <= oldest <= 500
    assert removed == oldest


def test_nothing_goes_before_its_time(tmp_path, fill):
    record = fill()
    assert trim_streams([record], tmp_path, now_us=1000) == 0
    assert first_us(tmp_path, record) == 0


@pytest.mark.parametrize("now_us", [0, 10**15])
def test_a_stream_that_keeps_nothing_keeps_its_newest_two_segments_whatever_their_age(tmp_path, fill, now_us):
    record = fill(keep_us=0)
    segments = sorted(log_directory(tmp_path, record.id).glob("*.rows"))
    assert len(segments) > 3
    trim_streams([record], tmp_path, now_us=now_us)
    assert sorted(log_directory(tmp_path, record.id).glob("*.rows")) == segments[-2:]
    assert trim_streams([record], tmp_path, now_us=now_us) == 0


def test_what_a_module_still_has_to_read_stays(tmp_path, fill, catalog):
    number = catalog.ensure_stream(spec_of("/a/b", KEEP_US)).id
    log = log_directory(tmp_path, number)
    create_log(log, spec_of("/a/b", KEEP_US).layout, "/a/b")
    ensure_cursors(cursor_path(tmp_path, "filter"), "filter", {"input": log}, {})  # it begins at row 0
    record = fill()
    assert trim_streams([record], tmp_path, now_us=10**9) == 0
    cursor_path(tmp_path, "filter").unlink()
    assert trim_streams([record], tmp_path, now_us=10**9) > 0


def test_a_cursor_that_cannot_be_read_stops_all_trimming(tmp_path, fill):
    record = fill()
    (tmp_path / "cursors").mkdir()
    (tmp_path / "cursors" / "filter.cursor").write_text("nonsense")
    with pytest.raises(Exception, match=r"filter\.cursor"):
        trim_streams([record], tmp_path, now_us=10**9)
    assert first_us(tmp_path, record) == 0


def test_a_log_that_cannot_be_trimmed_costs_no_other(tmp_path, fill, caplog):
    broken, sound = fill("/a/broken"), fill("/a/sound")
    (log_directory(tmp_path, broken.id) / "log.json").write_text("nonsense")
    assert trim_streams([broken, sound], tmp_path, now_us=1500) > 0
    assert "/a/broken" in caplog.text


async def test_the_task_trims_limited_streams_only(tmp_path, fill, catalog):
    limited, kept = fill("/a/limited"), fill("/a/kept", None)
    task = asyncio.ensure_future(trim_for_ever(catalog, tmp_path, time_now))
    async with asyncio.timeout(5):
        while first_us(tmp_path, limited) == 0:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert first_us(tmp_path, kept) == 0
    assert _trimming._PERIOD_S >= 1


async def test_a_cursor_that_cannot_be_read_is_told_once(tmp_path, fill, catalog, caplog, monkeypatch):
    monkeypatch.setattr(_trimming, "_PERIOD_S", 0.001)
    record = fill()
    cursor = cursor_path(tmp_path, "filter")
    cursor.parent.mkdir()
    cursor.write_text("nonsense")
    tries = []
    task = asyncio.ensure_future(trim_for_ever(catalog, tmp_path, lambda: tries.append(1) or 10**9))
    async with asyncio.timeout(5):
        while len(tries) < 5:
            await asyncio.sleep(0.001)
        assert [entry.levelname for entry in caplog.records] == ["ERROR"]
        assert "filter.cursor" in caplog.text
        cursor.unlink()
        while first_us(tmp_path, record) == 0:
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])


class Machine:
    """A machine whose clock tests set; its kernel vouches for nothing."""

    system_us = 1500

    def sample(self):
        return Sample(0, self.system_us)

    def boot_id(self):
        return b"the boot".ljust(16)

    def is_synchronised(self):
        return False


def test_a_clock_that_jumps_a_hundred_years_removes_no_row_until_a_person_says_that_it_is_right(tmp_path, fill):
    record = fill()
    machine = Machine()
    with open_clock(tmp_path, machine) as clock:
        trim_streams([record], tmp_path, clock.cautious_us())
        before = first_us(tmp_path, record)
        machine.system_us += 100 * 365 * 86_400_000_000
        clock.look()
        assert clock.node_us() == machine.system_us
        assert trim_streams([record], tmp_path, clock.cautious_us()) == 0
        assert first_us(tmp_path, record) == before > 0
        clock.confirm()
        assert trim_streams([record], tmp_path, clock.cautious_us()) > 0
