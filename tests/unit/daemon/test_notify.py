"""What is told to a service manager, over real sockets."""

import asyncio
import os
import socket

import pytest

from joule.daemon._notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A socket that listens like systemd does, and the environment that names it."""
    name = f"joule-test-{os.getpid()}-{tmp_path.name}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name if request.param == "abstract" else name)
        listener.settimeout(10)
        yield listener, {"NOTIFY_SOCKET": f"@{name}" if request.param == "abstract" else name}


def heard(listener):
    return listener.recv(4096).decode().split("\n")


def test_ready_reloading_and_stopping_are_told(manager):
    listener, environment = manager
    notifier = Notifier.from_environment(environment)
    notifier.ready("2 modules: 2 running")
    assert heard(listener) == ["READY=1", "STATUS=2 modules: 2 running"]
    with notifier.reloading(lambda: "3 modules"):
        state, clock = heard(listener)
        assert state == "RELOADING=1"
        assert int(clock.removeprefix("MONOTONIC_USEC=")) > 0
    assert heard(listener) == ["READY=1", "STATUS=3 modules"]
    notifier.stopping()
    assert heard(listener)[0] == "STOPPING=1"


def test_a_reload_that_fails_is_over_too(manager):
    listener, environment = manager
    with pytest.raises(ZeroDivisionError), Notifier.from_environment(environment).reloading(lambda: "as before"):
        heard(listener)
        raise ZeroDivisionError
    assert heard(listener) == ["READY=1", "STATUS=as before"]


async def test_the_watchdog_hears_of_a_living_loop_again_and_again(manager):
    listener, environment = manager
    notifier = Notifier.from_environment({**environment, "WATCHDOG_USEC": "2000", "WATCHDOG_PID": str(os.getpid())})
    task = asyncio.create_task(notifier.keep_alive(lambda: "well"))
    for _ in range(3):
        assert await asyncio.to_thread(heard, listener) == ["WATCHDOG=1", "STATUS=well"]
    task.cancel()


@pytest.mark.parametrize(
    "values",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}],
)
async def test_without_a_watchdog_for_this_process_there_is_nothing_to_keep_alive(values):
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": "/gone", **values})
    assert notifier.watchdog_us is None
    await notifier.keep_alive(lambda: "never asked")


def test_the_environment_is_cleared_so_that_modules_have_no_part_in_it():
    environment = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "7", "HOME": "/h"}
    Notifier.from_environment(environment)
    assert environment == {"HOME": "/h"}


def test_a_status_stays_one_line_so_that_it_sets_nothing_else(manager):
    listener, environment = manager
    Notifier.from_environment(environment).ready("a\nMAINPID=1")
    assert heard(listener) == ["READY=1", "STATUS=a MAINPID=1"]


@pytest.mark.parametrize(("address", "said"), [("vsock:2:1", "no unix socket"), ("/gone/away", "not told READY=1")])
def test_a_manager_that_cannot_be_told_is_logged_and_no_more(address, said, caplog):
    Notifier.from_environment({"NOTIFY_SOCKET": address}).ready("x")
    assert said in caplog.text


def test_without_a_manager_nothing_is_sent_or_said(caplog):
    notifier = Notifier.from_environment({})
    notifier.ready("x")
    notifier.stopping()
    assert caplog.text == ""
