"""Starting, stopping and replacing single modules of a node, with small real processes."""

import asyncio
import contextlib

import pytest

from joule.daemon._ending import Targets
from joule.daemon._process_table import process_info
from joule.daemon._states import ModuleState
from joule.daemon._supervisor import Supervisor
from joule.errors import NotFoundError

WAIT = "import time; time.sleep(60)"


@pytest.fixture
async def supervise(records, tasks):
    """Start modules; stop them at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*launches):
            return await stack.enter_async_context(Supervisor(launches, records, tasks, asyncio.Event()))

        yield start


def living(launch):
    return Targets(marks=frozenset({launch.mark})).living()


async def test_a_stopped_module_stays_so_until_somebody_starts_it(supervise, launch, until):
    module = launch(WAIT)
    supervisor = await supervise(module)
    await until(lambda: supervisor.status("reader").pid is not None)
    assert await supervisor.stop("reader", "you said so")
    assert living(module) == []
    status = supervisor.status("reader")
    assert (status.state, status.reason) == (ModuleState.STOPPED, "you said so")
    assert not await supervisor.stop("reader", "again")
    assert supervisor.status("reader").reason == "you said so"
    assert await supervisor.start("reader")
    assert supervisor.status("reader").state is ModuleState.RUNNING


async def test_starting_what_runs_does_nothing(supervise, launch, until):
    supervisor = await supervise(launch(WAIT))
    await until(lambda: supervisor.status("reader").pid is not None)
    pid = supervisor.status("reader").pid
    assert not await supervisor.start("reader")
    assert supervisor.status("reader").pid == pid


async def test_starting_a_module_that_backs_off_forgets_what_counted_against_it(supervise, launch, until, holding):
    supervisor = await supervise(launch("raise SystemExit(1)", manifest=holding("/a/b")))
    await until(lambda: supervisor.keeper("reader").recent_ends() == 2)
    assert await supervisor.start("reader")
    assert supervisor.status("reader").state is ModuleState.BACKING_OFF
    assert "exit code 1" in supervisor.status("reader").reason
    assert supervisor.keeper("reader").recent_ends() == 1


async def test_a_restart_gives_another_process_and_never_two(supervise, launch, until):
    module = launch(WAIT)
    supervisor = await supervise(module)
    await until(lambda: supervisor.status("reader").pid is not None)
    old = supervisor.status("reader").pid
    await asyncio.gather(*(supervisor.restart("reader", "anew") for _ in range(3)))
    assert process_info(old) is None
    assert [process.pid for process in living(module)] == [supervisor.status("reader").pid]


async def test_a_stop_ends_the_wait_for_a_turn(supervise, launch, until, tmp_path):
    modules = [launch(WAIT, name=f"m{number:02}") for number in range(30)]
    supervisor = await supervise(*modules)
    assert not await supervisor.start("m29")  # it waits, and will start
    await supervisor.stop("m29", "you said so")
    assert supervisor.status("m29").state is ModuleState.STOPPED
    await until(lambda: supervisor.status("m28").state is ModuleState.RUNNING)
    assert living(modules[29]) == []


async def test_who_holds_a_stream_is_known_while_it_runs(supervise, launch, until, holding):
    module = launch(WAIT, manifest=holding("/a/b"))
    supervisor = await supervise(module)
    (held,) = supervisor.kept_launches()
    assert (held.name, set(held.uses)) == ("reader", {"/a/b"})
    await supervisor.stop("reader", "you said so")
    assert supervisor.kept_launches() == []


async def test_a_module_that_is_not_there_any_more_is_named(supervise):
    supervisor = await supervise()
    with pytest.raises(NotFoundError, match="'gone'"):
        await supervisor.start("gone")


@pytest.mark.parametrize("fails", [False, True])
async def test_while_all_modules_are_stopped_something_is_done_and_those_that_ran_start_again(
    supervise, launch, until, fails
):
    reader, other = launch(WAIT), launch(WAIT, "other")
    supervisor = await supervise(reader, other)
    await until(lambda: supervisor.status("reader").pid is not None and supervisor.status("other").pid is not None)
    await supervisor.stop("other", "you said so")
    before = supervisor.status("reader").pid

    async def work():
        assert living(reader) == []
        if fails:
            raise ValueError("the work")
        return "done"

    if fails:
        with pytest.raises(ValueError, match="the work"):
            await supervisor.while_stopped("for a moment", work)
    else:
        assert await supervisor.while_stopped("for a moment", work) == "done"
    await until(lambda: supervisor.status("reader").pid not in (None, before))
    assert supervisor.status("other").state is ModuleState.STOPPED
