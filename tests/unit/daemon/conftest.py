"""Modules as small shell commands, and what a keeper of them needs."""

import asyncio
import os
import sys

import pytest

from joule.daemon._launch import Launch
from joule.daemon._records import ModuleRecords
from joule.daemon._tasks import BackgroundTasks
from joule.pipes import Manifest, PipeEntry


@pytest.fixture
def records(tmp_path):
    directory = tmp_path / "records"
    directory.mkdir()
    return ModuleRecords(directory)


@pytest.fixture
async def tasks():
    async with BackgroundTasks() as tasks:
        yield tasks


@pytest.fixture
def launch(tmp_path):
    """Make a Launch that runs Python code (or a command)."""

    def make(code, name="reader", **facts):
        command = (sys.executable, "-I", "-S", "-c", code) if isinstance(code, str) else tuple(code)
        return Launch(
            name=name,
            command=command,
            directory=tmp_path,
            log_file=tmp_path / f"{name}.log",
            mark=f"test:{os.getpid()}:{tmp_path}:{name}",
            **facts,
        )

    return make


@pytest.fixture
def holding(tmp_path):
    """Make the manifest of a module that writes a stream."""

    def make(stream):
        entry = PipeEntry(stream=stream, log=tmp_path / "log", layout="float32_1")
        return Manifest(module="reader", cursor=tmp_path / "x.cursor", run=tmp_path, outputs={"output": entry})

    return make


@pytest.fixture
def until():
    """Wait until a condition is true."""

    async def wait(condition, what="the condition"):
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)

    return wait
