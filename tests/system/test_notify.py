"""A real `jouled` and a socket that listens like systemd does."""

import socket

import pytest

pytestmark = pytest.mark.timeout(60)

PRINT_ENVIRONMENT = """
    import os, time
    print("notify:", os.environ.get("NOTIFY_SOCKET"), os.environ.get("WATCHDOG_USEC"), flush=True)
    time.sleep(1000)
"""


def test_jouled_tells_that_it_is_ready_alive_and_stopping_and_its_modules_hear_nothing_of_it(kit, tmp_path):
    path = tmp_path / "notify"
    kit.add("environment", PRINT_ENVIRONMENT)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(20)

        def wait_for(state):
            while True:
                said = listener.recv(4096).decode().split("\n")
                if said[0] == state:
                    return said[1]

        jouled = kit.start(environment={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"})
        assert wait_for("READY=1").startswith("STATUS=1 module: 1 ")
        kit.wait(lambda: "notify:" in kit.log("environment"), "the module's output")
        assert kit.module("environment").state == "running"
        while wait_for("WATCHDOG=1") != "STATUS=1 module: 1 running":
            pass
        jouled.process.terminate()
        assert wait_for("STOPPING=1").startswith("STATUS=stopping")
        assert jouled.process.wait(20) == 0
    assert "notify: None None" in kit.log("environment")
