import subprocess
import sys

import pytest

FOR_EVER = """
import asyncio, sys
from joule.cli._follow import while_read

async def work():
    print("begun", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaned up", file=sys.stderr)

asyncio.run(while_read(work()))
"""


def start(script, **streams):
    return subprocess.Popen([sys.executable, "-c", script], text=True, stderr=subprocess.PIPE, **streams)


def test_what_prints_for_ever_ends_when_the_reader_of_its_pipe_has_gone():
    with start(FOR_EVER, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "begun\n"
        process.stdout.close()
        assert process.wait(10) == 0
        assert process.stderr.read() == "cleaned up\n"


@pytest.mark.parametrize("stdout", ["pipe", "file"])
def test_an_error_of_the_work_is_raised(stdout, tmp_path):
    script = FOR_EVER.replace("await asyncio.Event().wait()", "raise ValueError('too much')")
    with (
        (tmp_path / "out").open("w") as file,
        start(script, stdout=subprocess.PIPE if stdout == "pipe" else file) as process,
    ):
        errors = process.communicate(timeout=10)[1]
    assert process.returncode == 1
    assert "ValueError: too much" in errors
    assert errors.startswith("cleaned up\n")


def test_work_that_ends_by_itself_ends_the_wait():
    script = FOR_EVER.replace("await asyncio.Event().wait()", "await asyncio.sleep(0)")
    with start(script, stdout=subprocess.PIPE) as process:
        assert process.communicate(timeout=10) == ("begun\n", "cleaned up\n")
        assert process.returncode == 0
