"""The conformance kit over every kind of pipe that we ship."""

import asyncio
import contextlib
import io
import os
import socket
import tempfile
from pathlib import Path

import numpy as np

from joule.core import Layout
from joule.pipes import (
    Direction,
    InputPipe,
    LocalNumpyPipe,
    LocalPipe,
    LogInput,
    LogOutput,
    OutputPipe,
    Pipe,
    ReadSide,
    RowSource,
    StdoutPipe,
    reader_factory,
    writer_factory,
)
from joule.pipes._memory import RowBuffer
from joule.pipes._signal import ChangeSignal
from joule.testing import PipeConformance


@contextlib.asynccontextmanager
async def closing(*pipes):
    try:
        yield pipes
    finally:
        for pipe in pipes:
            await pipe.close()


class TestLocalPipe(PipeConformance):
    is_one_object = True

    @contextlib.asynccontextmanager
    async def open_pair(self, layout):
        async with closing(LocalPipe(layout)) as (pipe,):
            yield pipe, pipe


class TestLocalNumpyPipe(PipeConformance):
    is_one_object = True
    column = False

    @contextlib.asynccontextmanager
    async def open_pair(self, layout):
        async with closing(LocalNumpyPipe("pipe", layout)) as (pipe,):
            yield pipe, pipe


class TestBytePipesOverAnOsPipe(PipeConformance):
    carries_zero_rows = False
    holds_any_amount = False
    reads_nowait = False

    @contextlib.asynccontextmanager
    async def open_pair(self, layout):
        read_fd, write_fd = os.pipe()
        reader = InputPipe("reader", layout=layout, reader_factory=reader_factory(read_fd))
        writer = OutputPipe("writer", layout=layout, writer_factory=writer_factory(write_fd))
        async with closing(reader, writer):
            yield writer, reader


class TestBytePipesOverASocket(PipeConformance):
    carries_zero_rows = False
    holds_any_amount = False
    reads_nowait = False

    @contextlib.asynccontextmanager
    async def open_pair(self, layout):
        ours, theirs = socket.socketpair()
        _, stream_writer = await asyncio.open_connection(sock=ours)
        stream_reader, answers = await asyncio.open_connection(sock=theirs)
        reader = InputPipe("reader", layout=layout, reader=stream_reader, close_cb=answers.close)
        writer = OutputPipe("writer", layout=layout, writer=stream_writer)
        async with closing(reader, writer):
            yield writer, reader


class TestStreamLog(PipeConformance):
    checks_order = True

    @contextlib.asynccontextmanager
    async def open_pair(self, layout):
        with tempfile.TemporaryDirectory() as directory:
            log, run = Path(directory, "log"), Path(directory, "run")
            writer = LogOutput("writer", log, layout, run, stream="/test/rows", holder="the test")
            async with closing(writer):
                reader = LogInput("reader", log, run, ends_with_writer=True)
                async with closing(reader):
                    yield writer, reader


class Printed(RowSource):
    """The rows that a terminal shows, read back: what a person, or `reader.py > file`, gets."""

    def __init__(self, layout):
        self._layout = layout
        self._buffer = RowBuffer(layout.dtype)
        self._arrived = ChangeSignal()
        self._begun = ""

    @property
    def dtype(self):
        return self._buffer.dtype

    def look(self, row, breaks):
        return self._buffer.look(breaks)

    def copy(self, start, stop):
        return self._buffer.copy(start, stop)

    async def wait(self, row, breaks):
        await self._arrived.wait()

    def discard(self, row, breaks):
        self._buffer.discard(row, breaks)

    def show_text(self, text):
        *lines, self._begun = (self._begun + text).split("\n")
        rows = np.zeros(len(lines), self._layout.column_dtype)
        number = float if self._layout.element_dtype.kind == "f" else int
        for row, line in zip(rows, lines, strict=True):
            stamp, *values = line.split(" ")
            row["timestamp"], row["data"] = int(stamp), [number(value) for value in values]
        self._buffer.append(rows.view(self._layout.dtype))
        self._arrived.notify()

    def show_message(self, text):
        assert text == "--- interval gap ---\n"
        self._buffer.mark_break()
        self._arrived.notify()

    def end(self):
        self._buffer.is_closed = True
        self._arrived.notify()

    def close(self):
        self._arrived.notify()


class Screen(io.TextIOBase):
    def __init__(self, show):
        self._show = show

    def write(self, text):
        self._show(text)
        return len(text)


class LastPipe(StdoutPipe):
    """A StdoutPipe of a process that prints nothing more: its close is the end of the text."""

    def __init__(self, printed):
        super().__init__("writer", column=True)
        self._printed = printed

    def close(self):
        closing = super().close()
        self._printed.end()
        return closing


class TestStdoutPipe(PipeConformance):
    checks_order = True
    checks_layout = False
    carries_nan_payloads = False

    @contextlib.asynccontextmanager
    async def open_pair(self, layout):
        printed = Printed(Layout.parse(layout))
        out, err = Screen(printed.show_text), Screen(printed.show_message)
        reader = Pipe("reader", Direction.INPUT, layout=layout, reads=ReadSide("reader", printed))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            async with closing(LastPipe(printed)) as (writer,), closing(reader):
                yield writer, reader
