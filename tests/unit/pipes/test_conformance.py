"""The conformance kit over every kind of pipe that we ship."""

import asyncio
import contextlib
import os
import socket
import tempfile
from pathlib import Path

from joule.pipes import (
    InputPipe,
    LocalNumpyPipe,
    LocalPipe,
    LogInput,
    LogOutput,
    OutputPipe,
    reader_factory,
    writer_factory,
)
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
