"""`joule demo` as people start it: a real node on this machine's sensors, its end, and what it leaves."""

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from joule.log import lock_holder

JOULE = str(Path(sys.executable).with_name("joule"))
TIMEOUT_S = 40
PATHS = ["/demo/machine", "/demo/machine_mean", "/demo/noise", "/demo/noise_mean"]

pytestmark = pytest.mark.timeout(90)


def environment(**changed):
    return {name: value for name, value in {**os.environ, **changed}.items() if value is not None}


def processes_of(directory):
    """Return the command lines of all processes that have to do with a demo's directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended
            continue
        if str(directory) in line and str(os.getpid()) != entry.parent.name:
            found.append(line)
    return found


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Run a demo of four seconds in a directory below the current one, with no home."""
    here = tmp_path_factory.mktemp("here")
    command = [JOULE, "demo", "--directory", ".demo", "--duration", "4"]
    done = subprocess.run(
        command, cwd=here, env=environment(HOME=None), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    return here, done


def test_a_demo_of_some_seconds_ends_well_and_tells_what_was_stored(ended):
    _, done = ended
    assert done.returncode == 0, done.stdout + done.stderr
    stored = done.stdout.partition("Stored:")[2].split("Look at it again")[0]
    for path in PATHS:
        (line,) = [line for line in stored.splitlines() if line.split()[:1] == [path]]
        assert int(line.split()[1].replace(",", "")) > 0, stored


def test_away_from_a_terminal_it_prints_plain_lines(ended):
    _, done = ended
    assert "3 of 3 modules running" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_commands_that_it_prints_work_as_they_stand(ended):
    here, done = ended
    commands = [line.strip() for line in done.stdout.splitlines() if " -n .demo " in line]
    assert len(commands) == 2
    for command in commands:
        again = subprocess.run(
            shlex.split(command), cwd=here, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert again.returncode == 0, again.stderr
        assert again.stdout.strip()


def test_the_node_goes_on_with_the_command_that_it_prints(ended):
    here, done = ended
    (command,) = [line.strip() for line in done.stdout.splitlines() if " --config " in line]
    with subprocess.Popen(shlex.split(command), cwd=here, stderr=subprocess.DEVNULL) as jouled:
        try:
            deadline = time.monotonic() + TIMEOUT_S
            states = []
            while states != ["running"] * 3:
                assert time.monotonic() < deadline, states
                asked = [JOULE, "-n", ".demo", "module", "list", "--json"]
                answer = subprocess.run(asked, cwd=here, capture_output=True, text=True, timeout=20, check=False)
                states = [module["state"] for module in json.loads(answer.stdout or "[]")]
        finally:
            jouled.terminate()
    assert jouled.returncode == 0


def test_nothing_is_left_running(ended):
    here, _ = ended
    assert lock_holder(here / ".demo" / "data" / "node.lock") is None
    assert processes_of(here) == []


def test_on_a_terminal_it_draws_a_picture_and_ctrl_c_ends_it(tmp_path):
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"], os.environ["LINES"] = "100", "40"
        os.execv(JOULE, [JOULE, "demo", "--directory", str(tmp_path / "demo")])
    seen, deadline, interrupted = "", time.monotonic() + TIMEOUT_S, False
    while time.monotonic() < deadline:
        if terminal in select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:  # the terminal's other end has closed
                break
        if not interrupted and "THIS MACHINE" in seen:
            os.write(terminal, b"\x03")
            interrupted = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, seen
    assert "System Reader" in seen
    assert "Look at it again" in seen
    assert processes_of(tmp_path) == []


def test_without_a_terminal_sigterm_ends_it_and_json_tells_the_same(tmp_path):
    demo = subprocess.Popen([JOULE, "demo", "--directory", str(tmp_path / "demo"), "--json"], stdout=subprocess.PIPE)
    deadline = time.monotonic() + TIMEOUT_S
    stored = 0
    while not stored:
        assert time.monotonic() < deadline
        asked = [JOULE, "-n", str(tmp_path / "demo"), "stream", "info", "/demo/machine", "--json"]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
        stored = json.loads(answer.stdout)["rows"] if answer.returncode == 0 else 0
    demo.send_signal(signal.SIGTERM)
    out, _ = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 0
    summary = json.loads(out)
    assert [stream["path"] for stream in summary["streams"]] == PATHS
    assert summary["streams"][0]["rows"] > 0
    assert summary["directory"] == str(tmp_path / "demo")


def test_a_jouled_that_is_killed_is_reported_and_its_modules_end_with_the_next_demo(tmp_path):
    command = [JOULE, "demo", "--directory", str(tmp_path / "demo")]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = ""
    while "modules running" not in line:
        line = demo.stdout.readline()
        assert line
    holder = lock_holder(tmp_path / "demo" / "data" / "node.lock")
    os.kill(int(holder.split()[-1]), signal.SIGKILL)
    _, error = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 1
    assert "jouled ended by itself, by signal 9" in error

    again = subprocess.run([*command, "--duration", "2"], capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert processes_of(tmp_path) == []


def test_a_demo_whose_modules_do_not_start_fails_and_shows_what_they_printed(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if any('joule-' in word or 'joule.builtins' in word for word in sys.orig_argv):\n"
        "    os.write(2, b'no sensor today\\n')\n"
        "    os._exit(3)\n"
    )
    command = [JOULE, "demo", "--directory", str(tmp_path / "demo"), "--duration", "2"]
    done = subprocess.run(
        command,
        env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no rows were stored" in done.stderr
    for name in ("System Reader", "Mean Filter", "Composite"):
        assert f"{name} does not run" in done.stderr
    assert "no sensor today" in done.stderr
    assert "Traceback" not in done.stderr
