"""A child whose end can be awaited."""

import asyncio
import os
import signal

import pytest

from joule.daemon._child import Child
from joule.daemon._output import describe_exit
from joule.daemon._process_table import process_info


@pytest.fixture(params=["pidfd", "no pidfd"])
def kernel(request, monkeypatch):
    """Also a sandbox that refuses pidfd_open."""
    if request.param == "no pidfd":

        def refuse(pid):
            raise PermissionError(1, "refused")

        monkeypatch.setattr(os, "pidfd_open", refuse)


async def test_the_end_is_awaited_and_the_status_kept(kernel):
    child = Child(["sh", "-c", "exit 3"])
    await child.wait()
    os.kill(child.pid, 0)  # still a zombie: its number cannot be anybody else's
    assert child.reap() == 3
    await child.wait()  # of a child that was reaped, at once


async def test_a_signal_is_a_negative_status(kernel):
    child = Child(["sleep", "60"])
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert child.reap() == -signal.SIGKILL


async def test_a_wait_that_was_cancelled_can_be_repeated(kernel):
    child = Child(["sleep", "60"])
    waiting = asyncio.ensure_future(child.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    child.reap()


async def test_it_leads_a_group_of_its_own_and_knows_its_start():
    child = Child(["sleep", "60"])
    info = process_info(child.pid)
    assert (info.group, info.start_ticks) == (child.pid, child.start_ticks)
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    child.reap()


def test_a_program_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Child([str(tmp_path / "absent")])


@pytest.mark.parametrize(("code", "text"), [(0, "exit code 0"), (-9, "signal SIGKILL"), (-63, "signal 63")])
def test_how_it_ended_is_told(code, text):
    assert describe_exit(code) == text
