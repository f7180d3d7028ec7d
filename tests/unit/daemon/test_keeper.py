"""The life of one module, with small real processes."""

import asyncio
import contextlib
import dataclasses
import os
import signal
from pathlib import Path

import pytest

from joule.config import Limits
from joule.daemon import _backoff, _keeper
from joule.daemon._ending import Targets
from joule.daemon._keeper import ModuleKeeper
from joule.daemon._process_table import process_info
from joule.daemon._states import ModuleState
from joule.daemon._supervisor import Supervisor, end_leftovers
from joule.daemon._turns import StartTurns

WAIT = "import sys, time; print('up'); sys.stdout.flush(); time.sleep(60)"
IGNORE_TERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
FORK_AND_LEAVE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    if sys.argv[0] != "stay":
        os.setsid()
    print("stray", os.getpid(), flush=True)
    time.sleep(60)
time.sleep({parent_s})
"""


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(_backoff, "restart_delay_s", lambda failures, chance: 0.01)


@pytest.fixture
async def supervise(records, tasks):
    """Start modules; stop them, in a hurry, at the end."""
    async with contextlib.AsyncExitStack() as stack:
        hurry = asyncio.Event()

        async def start(*launches):
            supervisor = Supervisor(launches, records, tasks, hurry)
            return await stack.enter_async_context(supervisor)

        yield start
        hurry.set()


def log_of(launch):
    return launch.log_file.read_text() if launch.log_file.exists() else ""


async def test_a_module_runs_in_a_session_of_its_own_with_a_mark(supervise, launch, until):
    code = (
        "import os; print(os.getsid(0) == os.getpid(), os.environ['JOULE_MODULE_MARK'], os.environ['PYTHONUNBUFFERED'])"
    )
    module = launch(code + "; import sys; print(repr(sys.stdin.read()))\n" + WAIT)
    supervisor = await supervise(module)
    await until(lambda: "up" in log_of(module))
    lines = [line.split("] ", 1)[1] for line in log_of(module).splitlines()]
    assert lines == ["---starting module---", f"True {module.mark} 1", "''", "up"]
    status = supervisor.status("reader")
    assert status.state is ModuleState.RUNNING
    assert process_info(status.pid).group == status.pid


async def test_a_module_that_ends_is_started_again_and_counted(quick, supervise, launch, until):
    module = launch("print('once'); raise SystemExit(3)")
    supervisor = await supervise(module)
    status = supervisor.status("reader")
    await until(lambda: status.restarts >= 2)
    assert status.exit_code == 3
    await until(lambda: "---module terminated: exit code 3---" in log_of(module))


async def test_a_module_backs_off_and_says_why(supervise, launch, until):
    supervisor = await supervise(launch("raise SystemExit(3)"))
    status = supervisor.status("reader")
    await until(lambda: status.next_start_s is not None)
    assert status.state is ModuleState.BACKING_OFF
    assert "exit code 3" in status.reason
    assert status.pid is None


async def test_a_program_that_is_not_there_has_failed_and_is_tried_again(quick, supervise, launch, until, tmp_path):
    module = launch([str(tmp_path / "absent")])
    supervisor = await supervise(module)
    status = supervisor.status("reader")
    await until(lambda: status.state is ModuleState.FAILED and status.restarts >= 1)
    assert "No such file" in status.reason
    program = tmp_path / "absent"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    await until(lambda: status.state is ModuleState.RUNNING)


@pytest.mark.parametrize(("text", "said"), [("#!/no/such/interpreter\n", "interpreter"), ("true\n", "no program")])
async def test_a_script_that_cannot_be_started_says_what_is_wrong_with_it(
    supervise, launch, until, tmp_path, text, said
):
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    supervisor = await supervise(launch([str(script)]))
    status = supervisor.status("reader")
    await until(lambda: status.state is ModuleState.FAILED)
    assert str(script) in status.reason and said in status.reason


async def test_too_many_ends_make_a_module_failed_for_good_or_for_a_while(quick, supervise, launch, until):
    limits = Limits(max_restarts=3, restart_window_us=60_000_000, on_failed="stop")
    for_good = launch("raise SystemExit(3)", "for good", limits=limits)
    for_a_while = launch("raise SystemExit(3)", "pump", limits=dataclasses.replace(limits, on_failed="retry"))
    supervisor = await supervise(for_good, for_a_while)
    good, while_ = supervisor.status("for good"), supervisor.status("pump")
    await until(lambda: good.state is ModuleState.FAILED and while_.next_start_s is not None and while_.restarts == 2)
    assert (good.restarts, good.next_start_s) == (2, None)
    assert "ended 3 times within 1min" in good.reason and "exit code 3" in good.reason
    assert "joule module start 'for good'" in good.reason
    assert while_.next_start_s - asyncio.get_running_loop().time() > 50


async def test_a_module_ended_for_a_cause_shows_it_and_starts_again(quick, supervise, launch, until):
    module = launch(WAIT)
    supervisor = await supervise(module)
    keeper = supervisor.keeper("reader")
    await until(lambda: "up" in log_of(module))
    await keeper.end("its memory is above max_memory")
    await until(lambda: keeper.status.restarts == 1)
    assert "---module ended by jouled: its memory is above max_memory---" in log_of(module)
    assert keeper.status.exit_code == -signal.SIGTERM


async def test_the_cause_of_an_end_is_the_reason_while_it_backs_off(supervise, launch, until):
    supervisor = await supervise(launch(IGNORE_TERM + WAIT))
    keeper = supervisor.keeper("reader")
    await until(lambda: keeper.status.pid is not None)
    supervisor._hurry.set()
    await keeper.end("it is too loud")
    await until(lambda: keeper.status.next_start_s is not None)
    assert keeper.status.state is ModuleState.BACKING_OFF
    assert "it was ended after" in keeper.status.reason and "it is too loud" in keeper.status.reason


async def test_a_killed_module_shows_its_signal(supervise, launch, until):
    module = launch(WAIT)
    supervisor = await supervise(module)
    status = supervisor.status("reader")
    await until(lambda: "up" in log_of(module))
    os.kill(status.pid, signal.SIGKILL)
    await until(lambda: "signal SIGKILL" in log_of(module))
    assert status.exit_code == -9


async def test_stopping_ends_a_module_by_sigterm(supervise, launch, until):
    module = launch("import signal, sys\nsignal.signal(15, lambda *a: (print('bye'), sys.exit(0)))\n" + WAIT)
    supervisor = await supervise(module)
    await until(lambda: "up" in log_of(module))
    await supervisor.close()
    assert supervisor.status("reader").state is ModuleState.STOPPED
    assert "bye" in log_of(module)
    assert log_of(module).endswith("---module terminated: exit code 0---\n")
    assert Targets(marks=frozenset({module.mark})).living() == []


@pytest.mark.parametrize("escapes", [True, False])
async def test_what_ignores_sigterm_and_forks_is_killed(records, tasks, launch, until, monkeypatch, escapes):
    hurry = asyncio.Event()
    code = FORK_AND_LEAVE.format(parent_s=60).replace("sys.argv[0]", "'away'" if escapes else "'stay'")
    module = launch(code)
    supervisor = Supervisor([module], records, tasks, hurry)
    async with supervisor:
        await until(lambda: "stray" in log_of(module))
        assert len(Targets(marks=frozenset({module.mark})).living()) == 2
        stopping = asyncio.ensure_future(supervisor.close())
        await asyncio.sleep(0.1)
        assert not stopping.done()  # the grace is theirs
        hurry.set()
        await stopping
        assert Targets(marks=frozenset({module.mark})).living() == []
    assert "signal SIGKILL" in log_of(module)


async def test_a_child_that_left_its_session_and_its_environment_is_ended_with_its_parent(supervise, launch, until):
    code = "import os, signal, sys, time\nif os.fork() == 0:\n    os.setsid()\n    signal.signal(15, signal.SIG_IGN)\n"
    stray = "import os, time; print('stray', os.getpid(), flush=True); time.sleep(60)"
    module = launch(code + f"    os.execve(sys.executable, [sys.executable, '-c', {stray!r}], {{}})\ntime.sleep(60)")
    supervisor = await supervise(module)
    await until(lambda: "stray" in log_of(module))
    pid = int(log_of(module).partition("stray ")[2].split()[0])
    stopping = asyncio.ensure_future(supervisor.close())
    await asyncio.sleep(0.1)  # its parent ends by SIGTERM at once, and with it the only trace of the child
    supervisor._hurry.set()
    await stopping
    assert process_info(pid) is None


async def test_what_a_module_left_is_ended_before_its_next_start(quick, monkeypatch, supervise, launch, until):
    monkeypatch.setattr(_keeper, "_LEFTOVER_GRACE_S", 0.05)
    module = launch(FORK_AND_LEAVE.format(parent_s=0.1))
    supervisor = await supervise(module)
    await until(lambda: supervisor.status("reader").restarts >= 2)
    strays = [line for line in log_of(module).splitlines() if "stray" in line]
    assert len(strays) >= 2
    assert process_info(int(strays[0].split()[-1])) is None


async def test_a_stop_during_back_off_ends_it_at_once(supervise, launch, until):
    supervisor = await supervise(launch("raise SystemExit(1)"))
    await until(lambda: supervisor.status("reader").next_start_s is not None)
    async with asyncio.timeout(0.5):
        await supervisor.close()
    assert supervisor.status("reader").state is ModuleState.STOPPED


async def test_a_stop_at_any_moment_leaves_nothing(quick, records, tasks, launch):
    module = launch("import time; time.sleep(0.02)")
    for delay_s in (0, 0.005, 0.02, 0.03, 0.04, 0.06):
        async with Supervisor([module], records, tasks, asyncio.Event()) as supervisor:
            await asyncio.sleep(delay_s)
        assert supervisor.status("reader").state is ModuleState.STOPPED
        assert Targets(marks=frozenset({module.mark})).living() == []


async def test_a_killed_logger_is_replaced_and_the_module_notices_nothing(quick, supervise, launch, until, monkeypatch):
    monkeypatch.setattr("joule.daemon._tasks.restart_delay_s", lambda failures, chance: 0.01)
    code = "import sys, time\nfor word in ('one', 'two'):\n print(word)\n sys.stdout.flush()\n time.sleep({})"
    module = launch(code.format(0.3) + "\ntime.sleep(60)")
    supervisor = await supervise(module)
    await until(lambda: "one" in log_of(module))
    (logger,) = loggers_of(module)
    os.kill(logger, signal.SIGKILL)
    await until(lambda: "two" in log_of(module))
    assert supervisor.status("reader").restarts == 0


def loggers_of(module):
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdecimal() and str(module.log_file).encode() in Path(f"/proc/{name}/cmdline").read_bytes():
                found.append(int(name))
    return found


async def test_no_logger_and_no_record_is_left(records, tasks, launch, until):
    module = launch(WAIT)
    async with Supervisor([module], records, tasks, asyncio.Event()):
        await until(lambda: "up" in log_of(module))
        assert loggers_of(module)
        assert len(records.living_groups()) == 1
    assert loggers_of(module) == []
    assert records.living_groups() == frozenset()


async def test_leftovers_of_a_killed_daemon_are_found_by_record_and_by_mark(records, launch, until):
    from joule.daemon._child import Child

    by_record = Child(["sleep", "60"])
    by_mark = Child(["sleep", "60"], environment={"JOULE_MODULE_MARK": f"test:{os.getpid()}:x"})
    stranger = Child(["sleep", "60"], environment={"JOULE_MODULE_MARK": f"other:{os.getpid()}:x"})
    records.write("reader", by_record.pid, by_record.start_ticks)
    await end_leftovers(records, f"test:{os.getpid()}:", asyncio.Event())
    assert process_info(by_record.pid) is None
    assert process_info(by_mark.pid) is None
    assert process_info(stranger.pid) is not None
    os.kill(stranger.pid, 9)
    for child in (by_record, by_mark, stranger):
        await child.wait()
        child.reap()


async def test_a_fault_in_a_keeper_leaves_no_second_process(quick, records, tasks, launch, until, monkeypatch):
    monkeypatch.setattr("joule.daemon._tasks.restart_delay_s", lambda failures, chance: 0.01)
    module = launch("import time; time.sleep(0.05)")
    faults = iter([RuntimeError("planted"), None, None, None])

    class Faulty(ModuleKeeper):
        def _bury(self, child, output):
            fault = next(faults, None)
            if fault:
                raise fault
            return super()._bury(child, output)

    keeper = Faulty(module, records, tasks, StartTurns())
    task = tasks.start("supervision", keeper.run)
    await until(lambda: keeper.status.restarts >= 1)
    assert len(Targets(marks=frozenset({module.mark})).living()) <= 1
    keeper.request_stop("it is over")
    keeper.confirm_ended()
    await task


async def test_a_stop_at_the_moment_of_its_turn_starts_nothing(records, tasks, launch, until):
    turns, module = StartTurns(1), launch(WAIT)
    turn = await turns.take("another")
    keeper = ModuleKeeper(module, records, tasks, turns)
    task = tasks.start("supervision", keeper.run)
    await until(lambda: "reader" in turns.places())
    turn.give_back()
    assert keeper.request_stop("it is over") == frozenset()
    keeper.confirm_ended()
    await task
    assert keeper.status.state is ModuleState.STOPPED
    assert not module.log_file.exists()
    assert (await turns.take("the next")) is not None
