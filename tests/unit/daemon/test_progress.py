"""When a module counts as stuck."""

import numpy as np
import pytest

from joule.core import Layout
from joule.daemon._progress import Progress, Sight, look
from joule.errors import LogError
from joule.log import LogWriter

TEN_S = 10_000_000


def reader(rows, **facts):
    return Sight(inputs=(), outputs=((rows, 0),), **facts)


def filter_of(came, wrote):
    return Sight(inputs=((came, 0),), outputs=((wrote, 0),))


def causes(first, *sights):
    progress = Progress(0.0, first)
    return [progress.cause(TEN_S, sight, now_s) for now_s, sight in sights]


def test_a_reader_without_a_row_since_its_start_is_stuck():
    cause = "no row came out of it for 10 s (timeout = 10s)"
    assert causes(reader(5), (9.9, reader(5)), (10.0, reader(5))) == [None, cause]


def test_each_row_begins_the_time_anew():
    assert not any(causes(reader(0), (9, reader(1)), (18, reader(2)), (27, reader(3)), (36.9, reader(3))))
    assert causes(reader(0), (9, reader(1)), (19, reader(1)))[-1]


def test_a_break_is_a_sign_of_life():
    broken = Sight(inputs=(), outputs=((0, 1),))
    assert not any(causes(reader(0), (9, broken), (18, broken)))


def test_one_output_of_several_is_enough():
    first = Sight(inputs=(), outputs=((0, 0), (0, 0)))
    second = Sight(inputs=(), outputs=((0, 0), (1, 0)))
    assert not any(causes(first, (9, second), (18, second)))


def test_a_filter_behind_a_silent_input_is_not_stuck():
    assert not any(causes(filter_of(3, 3), (100, filter_of(3, 3)), (1000, filter_of(3, 3))))


def test_a_filter_is_stuck_when_rows_have_come_and_none_went():
    found = causes(filter_of(3, 3), (100, filter_of(4, 3)), (105, filter_of(9, 3)), (110, filter_of(9, 3)))
    assert found[:2] == [None, None]
    assert found[2] == "no row came out of it for 10 s since new rows came to its inputs (timeout = 10s)"


def test_a_filter_that_keeps_its_last_rows_for_a_window_is_not_stuck_when_its_input_falls_silent():
    assert not any(causes(filter_of(3, 0), (100, filter_of(4, 0)), (105, filter_of(9, 1)), (200, filter_of(9, 1))))


def test_a_writer_that_waits_for_a_full_disk_is_not_stuck_and_has_its_whole_time_afterwards():
    waiting = reader(0, is_waiting=True)
    assert not any(causes(reader(0), (9, waiting), (100, waiting), (109, reader(0))))
    assert causes(reader(0), (100, waiting), (110, reader(0)))[-1]


def test_the_heads_of_logs_are_what_is_seen(tmp_path):
    writers = [
        LogWriter(tmp_path / name, Layout("int64", 1), stream=f"/{name}", holder="test") for name in ("in", "out")
    ]
    logs = [tmp_path / "in"], [tmp_path / "out"]
    assert look(*logs) == filter_of(0, 0)
    rows = np.zeros(2, Layout("int64", 1).dtype)
    rows["timestamp"] = 1, 2
    writers[0].store(rows)
    writers[1].mark_break()
    assert look(*logs) == filter_of(2, 0)
    writers[1].publish_waiting()
    assert look(*logs).is_waiting
    writers[1].store(rows)
    assert look(*logs) == filter_of(2, 2)
    for writer in writers:
        writer.close()


def test_a_log_that_is_not_there_tells_nothing(tmp_path):
    with pytest.raises(LogError):
        look([], [tmp_path / "none"])
