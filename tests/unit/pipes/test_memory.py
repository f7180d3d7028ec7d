"""Rows on their way in memory."""

import numpy as np
import pytest

from joule.core import Layout
from joule.pipes._memory import GATHER_ROWS, SMALL_ROWS, RowBuffer

DTYPE = Layout("int32", 2).dtype


def rows_of(first, count):
    rows = np.zeros(count, DTYPE)
    rows["timestamp"] = np.arange(first, first + count)
    return rows


@pytest.fixture
def buffer():
    return RowBuffer(DTYPE)


def filled(buffer, *counts):
    for count in counts:
        buffer.append(rows_of(buffer.end, count))
    return buffer


def test_rows_are_numbered_from_zero(buffer):
    filled(buffer, 3, 0, 2)
    assert buffer.end == 5
    assert buffer.copy(1, 4)["timestamp"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("start, stop", [(0, 0), (0, 1), (2, 300), (255, 257), (0, 1800), (1799, 1800)])
def test_copies_go_across_blocks(buffer, start, stop):
    filled(buffer, 1, 254, 1, SMALL_ROWS, 1000, 288)
    assert buffer.copy(start, stop)["timestamp"].tolist() == list(range(start, stop))


def test_copies_are_private(buffer):
    filled(buffer, SMALL_ROWS)
    first = buffer.copy(0, SMALL_ROWS)
    first["timestamp"] = -1
    assert buffer.copy(0, 2)["timestamp"].tolist() == [0, 1]


def test_small_writes_share_a_block(buffer):
    filled(buffer, *[1] * GATHER_ROWS)
    assert buffer.blocks == 1
    filled(buffer, 1)
    assert buffer.blocks == 2


def test_big_writes_are_taken_over_without_a_copy(buffer):
    rows = rows_of(0, SMALL_ROWS)
    buffer.append(rows)
    rows["data"] = 7
    assert buffer.copy(0, 1)["data"].tolist() == [[7, 7]]


def test_discarding_frees_blocks_that_are_wholly_behind(buffer):
    filled(buffer, 300, 300, 300)
    buffer.discard(299, 0)
    assert buffer.blocks == 3
    buffer.discard(601, 0)
    assert buffer.blocks == 1
    assert buffer.copy(601, 603)["timestamp"].tolist() == [601, 602]


def test_a_break_needs_rows_before_it(buffer):
    assert not buffer.mark_break()
    filled(buffer, 2)
    assert buffer.mark_break()
    assert not buffer.mark_break()
    assert buffer.breaks == 1


def test_nothing_is_seen_beyond_the_next_break(buffer):
    filled(buffer, 2).mark_break()
    filled(buffer, 3).mark_break()
    filled(buffer, 1)
    seen = [buffer.look(passed) for passed in range(3)]
    assert [(horizon.end, horizon.is_break, horizon.is_end) for horizon in seen] == [
        (2, True, False),
        (5, True, False),
        (6, False, False),
    ]


def test_breaks_keep_their_numbers_when_the_first_are_forgotten(buffer):
    filled(buffer, 2).mark_break()
    filled(buffer, 3).mark_break()
    buffer.discard(2, 1)
    assert buffer.look(1).end == 5


def test_the_end_is_behind_all_breaks(buffer):
    filled(buffer, 2).mark_break()
    buffer.is_closed = True
    assert not buffer.look(0).is_end
    assert buffer.look(1).is_end
