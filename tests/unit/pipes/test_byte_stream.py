"""Pipes over descriptors and sockets: fragments, tokens, and what becomes of a peer."""

import asyncio
import contextlib
import logging
import os
import socket

import numpy as np
import pytest

from joule.core import Layout
from joule.errors import BadLayoutError, BadRowsError, ClosedPipeError, EmptyPipeError, PeerGoneError, PipeError
from joule.pipes import InputPipe, OutputPipe, reader_factory, writer_factory
from joule.testing._pipe_probes import make_rows, read_rows, read_to_end, settle, waiting_read, woken

LAYOUT = Layout("float64", 2)
TOKEN = bytes(LAYOUT.row_bytes)


def fed(*fragments, layout=LAYOUT, eof=True, **options):
    """Return an input pipe whose bytes have arrived already."""
    reader = asyncio.StreamReader()
    for fragment in fragments:
        reader.feed_data(fragment)
    if eof:
        reader.feed_eof()
    return InputPipe("input", layout=layout, reader=reader, **options)


def wire(first, count, layout=LAYOUT):
    return make_rows(str(layout), first, count).tobytes()


@contextlib.asynccontextmanager
async def output_into_socket():
    """Give an output pipe and the socket at its other end."""
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    pipe = OutputPipe("output", layout=LAYOUT, writer=writer)
    with theirs:
        try:
            yield pipe, theirs
        finally:
            with contextlib.suppress(PeerGoneError):
                await pipe.close()


# Fragments


async def test_rows_may_be_split_at_every_byte():
    data = wire(1, 2) + TOKEN + wire(3, 1)
    for at in range(1, len(data)):
        reader = asyncio.StreamReader()
        pipe = InputPipe(layout=LAYOUT, reader=reader)
        reader.feed_data(data[:at])
        task = asyncio.create_task(read_to_end(pipe))
        await settle(2)
        reader.feed_data(data[at:])
        reader.feed_eof()
        assert await task == [[1, 2], [3]], f"split at byte {at}"


async def test_rows_may_come_byte_by_byte():
    reader = asyncio.StreamReader()
    pipe = InputPipe(layout=LAYOUT, reader=reader)
    task = asyncio.create_task(read_to_end(pipe))
    for byte in wire(1, 1) + TOKEN + wire(2, 2):
        reader.feed_data(bytes([byte]))
        await settle(1)
    reader.feed_eof()
    assert await task == [[1], [2, 3]]


async def test_a_tail_that_is_no_row_is_warned_about(caplog):
    pipe = fed(wire(1, 2), b"tail!")
    with caplog.at_level(logging.WARNING, "joule.pipes"):
        assert await read_to_end(pipe) == [[1, 2]]
    assert "within a row: 5 bytes dropped" in caplog.text


# Breaks


async def test_repeated_and_leading_tokens_are_one_break_or_none():
    pipe = fed(TOKEN + TOKEN + wire(1, 1) + TOKEN + TOKEN + wire(2, 1) + TOKEN)
    assert await read_to_end(pipe) == [[1], [2], []]


async def test_a_row_at_time_zero_is_no_break():
    rows = np.zeros(3, LAYOUT.dtype)
    rows["data"][:, 1] = [1.0, -0.0, 2.0]
    pipe = fed(rows.tobytes())
    assert (await read_rows(pipe, 3))["data"][:, 1].tolist() == [1.0, -0.0, 2.0]


async def test_the_bytes_are_rows_and_one_token_a_break():
    async with output_into_socket() as (pipe, theirs):
        await pipe.close_interval()
        await pipe.write(make_rows("float64_2", 1, 2))
        await pipe.close_interval()
        await pipe.close_interval()
        await pipe.write(make_rows("float64_2", 3, 1))
        await pipe.close()
        assert theirs.recv(10_000) == wire(1, 2) + TOKEN + wire(3, 1)


async def test_a_write_with_a_row_of_zeros_is_refused_whole():
    async with output_into_socket() as (pipe, theirs):
        with pytest.raises(BadRowsError, match="row 1 of this write is all zeros"):
            await pipe.write([[1, 1, 1], [0, 0, 0]])
        await pipe.close()
        assert theirs.recv(100) == b""


# Room


async def test_a_full_buffer_is_returned_again_at_once():
    pipe = fed(wire(1, 20), eof=False, buffer_size=8)
    assert len(await pipe.read()) == 8
    assert len(await pipe.read()) == 8
    pipe.consume(3)
    assert (await pipe.read())["timestamp"].tolist() == list(range(4, 12))
    pipe.consume_all()
    assert (await pipe.read())["timestamp"].tolist() == list(range(12, 20))


async def test_a_slow_reader_holds_its_writer_back():
    async with output_into_socket() as (pipe, theirs):
        rows = make_rows("float64_2", 1, 100_000)
        writing = asyncio.create_task(pipe.write(rows))
        await settle()
        assert not writing.done()
        stream_reader, answers = await asyncio.open_connection(sock=theirs.dup())
        read = InputPipe(layout=LAYOUT, reader=stream_reader, close_cb=answers.close)
        done = 0
        while done < len(rows):
            block = await read.read()
            read.consume(len(block))
            done += len(block)
        await writing
        await read.close()


# Peers


async def test_writing_to_a_peer_that_has_gone_says_so():
    async with output_into_socket() as (pipe, theirs):
        theirs.close()
        with pytest.raises(PeerGoneError, match="has gone"):
            for _ in range(1000):
                await pipe.write(make_rows("float64_2", 1, 100))
        with pytest.raises(BrokenPipeError):
            await pipe.write([[1, 1, 1]])


async def test_a_reader_of_an_os_pipe_that_has_gone_is_noticed():
    read_fd, write_fd = os.pipe()
    pipe = OutputPipe("output", layout=LAYOUT, writer_factory=writer_factory(write_fd))
    await pipe.write([[1, 1, 1]])
    os.close(read_fd)
    with pytest.raises(PeerGoneError, match="output"):
        for _ in range(1000):
            await pipe.write([[1, 1, 1]])
            await settle(1)
    with contextlib.suppress(PeerGoneError):
        await pipe.close()


async def test_a_connection_reset_is_not_the_end_of_the_data():
    reader = asyncio.StreamReader()
    pipe = InputPipe("input", layout=LAYOUT, reader=reader)
    async with waiting_read(pipe) as task:
        reader.set_exception(ConnectionResetError("reset by peer"))
        with pytest.raises(PeerGoneError, match="reset by peer"):
            await woken(task)


async def test_pipes_without_a_far_side_say_so():
    with pytest.raises(EmptyPipeError):
        await InputPipe(layout=LAYOUT).read()
    output = OutputPipe(layout=LAYOUT)
    with pytest.raises(PeerGoneError, match="without a writer"):
        await output.write([[1, 1, 1]])


# Opening and closing


async def test_descriptors_are_closed_with_their_pipes_used_or_not():
    for use in (True, False):
        read_fd, write_fd = os.pipe()
        reader = InputPipe(layout=LAYOUT, reader_factory=reader_factory(read_fd))
        writer = OutputPipe(layout=LAYOUT, writer_factory=writer_factory(write_fd))
        if use:
            await writer.write([[1, 1, 1]])
            await reader.read()
        await writer.close()
        await reader.close()
        await settle()
        for fd in (read_fd, write_fd):
            with pytest.raises(OSError):
                os.fstat(fd)


async def test_closing_while_the_far_side_is_opened_ends_the_read():
    async def never():
        await asyncio.Event().wait()

    pipe = InputPipe(layout=LAYOUT, reader_factory=never)
    async with waiting_read(pipe) as task:
        await pipe.close()
        with pytest.raises(ClosedPipeError):
            await woken(task)


async def test_a_far_side_that_could_not_be_opened_is_tried_again():
    tries = []

    async def opens():
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionRefusedError("not yet")
        reader = asyncio.StreamReader()
        reader.feed_data(wire(1, 1))
        return reader, lambda: None

    pipe = InputPipe(layout=LAYOUT, reader_factory=opens)
    with pytest.raises(PeerGoneError, match="not yet"):
        await pipe.read()
    assert (await pipe.read())["timestamp"].tolist() == [1]


async def test_rows_written_without_waiting_leave_with_the_close():
    read_fd, write_fd = os.pipe()
    writer = OutputPipe(layout=LAYOUT, writer_factory=writer_factory(write_fd))
    writer.write_nowait(make_rows("float64_2", 1, 2))
    await writer.close()
    assert os.read(read_fd, 1000) == wire(1, 2)
    os.close(read_fd)


def test_a_byte_pipe_needs_a_layout():
    with pytest.raises(BadLayoutError):
        InputPipe("input")
    with pytest.raises(PipeError, match="layout"):
        OutputPipe("output", layout="float32")
