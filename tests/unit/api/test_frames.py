"""Frames: rows and breaks survive the way, and an answer that was cut off never looks whole."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.api import END_FRAME, error_frame, frame, read_frames
from joule.core import Layout
from joule.errors import NodeError, NotFoundError
from joule.log import BREAK

LAYOUT = Layout("int16", 1)
BLOCKS = st.lists(st.one_of(st.just(BREAK), st.integers(1, 50)))


def rows(count):
    array = np.zeros(count, LAYOUT.dtype)
    array["timestamp"] = np.arange(count)
    array["data"] = -np.arange(count)
    return array


def encode(blocks):
    return b"".join(frame(block if block is BREAK else rows(block)) for block in blocks)


async def decode(data):
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return [block async for block in read_frames(LAYOUT, reader.readexactly)]


@given(BLOCKS)
async def test_blocks_come_back_as_they_were(blocks):
    decoded = await decode(encode(blocks) + END_FRAME)
    assert len(decoded) == len(blocks)
    for before, after in zip(blocks, decoded, strict=True):
        if before is BREAK:
            assert after is BREAK
        else:
            np.testing.assert_array_equal(after, rows(before))


@given(BLOCKS, st.data())
async def test_no_cut_looks_like_the_end(blocks, data):
    whole = encode(blocks) + END_FRAME
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(asyncio.IncompleteReadError):
        await decode(whole[:cut])


async def test_an_error_in_the_middle_is_raised_as_what_it_was():
    with pytest.raises(NotFoundError, match="gone") as caught:
        await decode(encode([3]) + error_frame(NotFoundError("gone", stream="/a")))
    assert caught.value.detail == {"stream": "/a"}


@pytest.mark.parametrize(
    "data",
    [
        b"\xf0\xff\xff\xff",
        b"\xff\xff\xff\x7f",
        b"\xfe\xff\xff\xff\xff\xff\xff\xff",
        b"\xfe\xff\xff\xff\x02\0\0\0{]",
    ],
)
async def test_bytes_that_are_no_frames_are_said_to_be_damaged(data):
    with pytest.raises(NodeError, match="damaged"):
        await decode(data)


def test_no_rows_are_no_frame():
    assert frame(rows(0)) == b""
