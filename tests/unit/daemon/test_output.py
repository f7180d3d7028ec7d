"""Where a module's output goes, and the lines of the daemon between it."""

import asyncio
import contextlib
import os

from joule.daemon._output import ModuleOutput


def fill(descriptor):
    """Write to a pipe until it takes no more."""
    own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
    for piece in (b"spam\n" * 800, b"\n"):  # what is shorter than a page is written whole or not at all
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(own, piece)
    os.close(own)


async def test_what_is_said_of_a_module_that_floods_its_pipe_is_in_its_log(tasks, tmp_path, until):
    log = tmp_path / "m.log"
    output = ModuleOutput("m", log, tasks, log_size_bytes=100_000)
    fill(output.descriptor)
    output.say("---module ended by jouled: why---")
    output.say("---module terminated---")
    async with output:  # only now somebody reads the pipe
        await until(lambda: log.exists() and "terminated" in log.read_text())
    lines = [line.partition("] ")[2] for line in log.read_text().splitlines()]
    assert lines[-2:] == ["---module ended by jouled: why---", "---module terminated---"]


async def test_a_log_is_bounded_by_the_size_that_it_is_given(tasks, tmp_path, until):
    log = tmp_path / "m.log"
    async with ModuleOutput("m", log, tasks, log_size_bytes=100_000) as output:
        for _ in range(100):
            await asyncio.to_thread(os.write, output.descriptor, (b"x" * 99 + b"\n") * 20)
        await until(lambda: (tmp_path / "m.log.1").exists())
    assert 100_000 <= (tmp_path / "m.log.1").stat().st_size < 200_000


async def test_last_words_wait_for_a_full_pipe_to_be_emptied(tasks, tmp_path):
    log = tmp_path / "m.log"
    async with ModuleOutput("m", log, tasks, log_size_bytes=100_000) as output:
        fill(output.descriptor)
        output.say("---module terminated---")
    assert log.read_text().endswith("---module terminated---\n")
