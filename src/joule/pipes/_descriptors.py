"""Pipes that another supervisor has opened: descriptors, named in `--pipes` in the way of its era.

Each era's `jouled` did it a little differently, and so does whoever starts a module from a script of its own:

    {"destinations": {name: {"fd", "layout"}}, "sources": {...}}       2017
    {"outputs": {name: {"fd", "layout"}}, "inputs": {...}}             2018
    the same with an "id" each, as JSON in a JSON string               newer

Rows pass as packed bytes (see `InputPipe`, `OutputPipe`). Nothing is kept across restarts: there is no cursor here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import stat
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

from joule.core import Layout
from joule.errors import BadLayoutError, ModuleError
from joule.pipes._byte_stream import InputPipe, OutputPipe, reader_factory, writer_factory
from joule.pipes._pipe import Pipe

__all__ = ["DescriptorEntry", "DescriptorManifest", "DescriptorPipes", "open_descriptors"]

_INPUTS = ("inputs", "sources")
_OUTPUTS = ("outputs", "destinations")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorEntry:
    """One pipe of a module.

    Attributes:
        fd: The descriptor, open in this process.
        layout: Of its rows.
        stream_id: Number of the stream in the node that opened it, where it has one.
    """

    fd: int
    layout: Layout
    stream_id: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DescriptorManifest:
    """What other supervisors pass in `--pipes`.

    Attributes:
        inputs: By pipe name.
        outputs: By pipe name.
    """

    inputs: Mapping[str, DescriptorEntry]
    outputs: Mapping[str, DescriptorEntry]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the manifest of a text; None where it is of another kind, or no JSON.

        Raises:
            ModuleError: An entry has no usable descriptor or layout.
        """
        facts = _decoded(text)
        if not isinstance(facts, dict) or "cursor" in facts or not facts.keys() & {*_INPUTS, *_OUTPUTS}:
            return None
        return cls(inputs=_entries(facts, _INPUTS), outputs=_entries(facts, _OUTPUTS))


def _decoded(text: str) -> Any:
    try:
        facts = json.loads(text)
        return json.loads(facts) if isinstance(facts, str) else facts
    except ValueError:
        return None


def _entries(facts: dict[str, Any], keys: tuple[str, ...]) -> dict[str, DescriptorEntry]:
    found: Any = next((facts[key] for key in keys if key in facts), {})
    if not isinstance(found, dict):
        raise ModuleError(f"--pipes: {keys[0]!r} is {found!r}; it must name a descriptor for each pipe")
    return {name: _entry(name, entry) for name, entry in found.items()}


def _entry(name: str, entry: Any) -> DescriptorEntry:
    """Return what an entry says, if its descriptor can carry rows."""
    rule = f'--pipes: pipe {name!r} must be described such as {{"fd": 5, "layout": "float32_2"}}'
    if not isinstance(entry, dict) or type(entry.get("fd")) is not int:
        raise ModuleError(f"{rule}, and is {entry!r}")
    fd = entry["fd"]
    try:
        mode = os.fstat(fd).st_mode
    except (OSError, OverflowError):
        raise ModuleError(
            f"{rule}, and descriptor {fd} is not open here: whoever starts the module must let it inherit it"
        ) from None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
        raise ModuleError(f"{rule}, and descriptor {fd} is neither a pipe nor a socket")
    try:
        return DescriptorEntry(fd=fd, layout=Layout.parse(entry.get("layout", "")), stream_id=entry.get("id"))
    except BadLayoutError as error:
        raise ModuleError(f"{rule}: {error}") from error


class DescriptorPipes:
    """The open pipes of a module.

    Attributes:
        inputs: By pipe name.
        outputs: By pipe name.
    """

    def __init__(self, inputs: dict[str, Pipe], outputs: dict[str, Pipe]) -> None:
        self.inputs = inputs
        self.outputs = outputs

    def commit(self) -> None:
        """Do nothing: the other end keeps no positions."""

    def compose(self) -> None:
        """Return None, for the same reason."""


@contextlib.asynccontextmanager
async def open_descriptors(manifest: DescriptorManifest, *, column: bool) -> AsyncIterator[DescriptorPipes]:
    """Give a module's pipes, and close them afterwards, whatever happens.

    Args:
        manifest: From the command line.
        column: See `Pipe`.

    Raises:
        PeerGoneError: When closing: the last rows could not be sent.
    """
    from joule.core.data_stream import as_data_stream  # a reader alone in a terminal needs none

    async with contextlib.AsyncExitStack() as stack:
        inputs: dict[str, Pipe] = {}
        outputs: dict[str, Pipe] = {}
        for name, entry in manifest.inputs.items():
            stream = as_data_stream(name, entry.layout, saved_id=entry.stream_id)
            factory = reader_factory(entry.fd)
            inputs[name] = InputPipe(name, stream, entry.layout, reader_factory=factory, column=column)
        for name, entry in manifest.outputs.items():
            stream = as_data_stream(name, entry.layout, saved_id=entry.stream_id)
            sender = writer_factory(entry.fd)
            outputs[name] = OutputPipe(name, stream, entry.layout, writer_factory=sender, column=column)
        for pipe in (*inputs.values(), *outputs.values()):
            stack.push_async_callback(_close, pipe)
        yield DescriptorPipes(inputs, outputs)


async def _close(pipe: Pipe) -> None:
    await pipe.close()
