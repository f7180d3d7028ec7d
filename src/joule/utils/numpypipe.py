"""The pipes of the seed page's era; one-element rows are read with `data` of shape (n,)."""

from __future__ import annotations

import asyncio

from joule.core import Layout
from joule.errors import EmptyPipe, NumpyPipeError
from joule.pipes import (
    InputPipe,
    LocalNumpyPipe,
    OutputPipe,
    ReaderFactory,
    WriterFactory,
    reader_factory,
    writer_factory,
)
from joule.pipes import Pipe as NumpyPipe

__all__ = [
    "EmptyPipe",
    "LocalNumpyPipe",
    "NumpyPipe",
    "NumpyPipeError",
    "StreamNumpyPipeReader",
    "StreamNumpyPipeWriter",
    "reader_factory",
    "writer_factory",
]


class StreamNumpyPipeReader(InputPipe):
    """An `InputPipe` by its earlier name, layout first.

    Args:
        layout: Such as `float32_2`.
        reader: Where the bytes come from.
        reader_factory: Opens it at the first read, if no reader is given.
        name: For messages.
        buffer_size: A reader that holds this many unconsumed rows gets them again at once.
    """

    def __init__(
        self,
        layout: str | Layout,
        reader: asyncio.StreamReader | None = None,
        reader_factory: ReaderFactory | None = None,
        name: str | None = None,
        buffer_size: int = 3000,
    ) -> None:
        super().__init__(
            name, layout=layout, reader=reader, reader_factory=reader_factory, buffer_size=buffer_size, column=False
        )


class StreamNumpyPipeWriter(OutputPipe):
    """An `OutputPipe` by its earlier name, layout first.

    Args:
        layout: Such as `float32_2`.
        writer: Where the bytes go.
        writer_factory: Opens it at the first write or the close, if no writer is given.
        name: For messages.
    """

    def __init__(
        self,
        layout: str | Layout,
        writer: asyncio.StreamWriter | None = None,
        writer_factory: WriterFactory | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name, layout=layout, writer=writer, writer_factory=writer_factory, column=False)
