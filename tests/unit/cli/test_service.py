"""`joule service` beside a `systemctl` that writes down what it is asked and answers as it is told."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from joule.config import init_node

JOULED = Path(sys.executable).with_name("jouled")
SYSTEMCTL = """\
#!/bin/sh
cd "$(dirname "$0")" || exit
echo "$*" >> calls
case "$*" in
    *--property=Version*) [ ! -e silence ] || { cat silence >&2; exit 1; } ;;
    *show*) cat state ;;
    *start*)
        [ ! -e refusal ] || { cat refusal >&2; exit 1; }
        printf 'ActiveState=active\\nSubState=running\\n' > state ;;
    *disable*) printf 'ActiveState=inactive\\nSubState=dead\\n' > state ;;
esac
"""


class Systemd:
    """What the stand-in of `systemctl` was asked, and how it is told to answer."""

    def __init__(self, directory):
        self.directory = directory
        program = directory / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.says("ActiveState=inactive", "SubState=dead")

    def says(self, *lines):
        (self.directory / "state").write_text("\n".join(lines) + "\n")

    def fails(self, name, text):
        (self.directory / name).write_text(text)

    def calls(self):
        """All calls but those that only ask."""
        lines = (self.directory / "calls").read_text().splitlines()
        return [line for line in lines if " show " not in f" {line} "]


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return Systemd(directory)


@pytest.fixture
def units(tmp_path):
    return tmp_path / "configuration" / "systemd" / "user"


@pytest.fixture
def directory(tmp_path, systemd):
    init_node(tmp_path / "roof")
    return tmp_path / "roof"


def test_install_writes_the_unit_that_show_prints_enables_it_and_starts_it(run, directory, systemd, units):
    shown = run("service", "show", str(directory))
    result = run("service", "install", str(directory))
    assert result.exit_code == 0, result.output
    assert [file.name for file in units.iterdir()] == ["joule-roof.service"]
    assert (units / "joule-roof.service").read_text() == shown.stdout
    assert f'ExecStart="{JOULED}" --config "{directory}/main.conf"' in shown.stdout.splitlines()
    assert "ExecReload=/bin/kill -HUP $MAINPID" in shown.stdout.splitlines()
    unit = "joule-roof.service"
    assert systemd.calls() == ["--user daemon-reload", f"--user enable {unit}", f"--user start {unit}"]
    assert result.stdout == f"{units}/{unit}: written; enabled and active\n"
    assert "loginctl enable-linger" in result.stderr


def test_what_is_installed_and_running_is_left_so_and_how_to_restart_it_is_told(run, directory, systemd, units):
    run("service", "install", str(directory))
    result = run("service", "install", str(directory))
    assert result.exit_code == 0
    assert "as it was; enabled and active" in result.stdout
    assert "systemctl --user restart joule-roof.service" in result.stderr


def test_the_users_own_node_has_the_plain_name_and_the_alias_of_the_first_era(run, systemd, tmp_path, units):
    own = tmp_path / "share" / "joule" / "node"
    init_node(own)
    assert run("service", "install").exit_code == 0
    assert "Alias=jouled.service" in (units / "joule.service").read_text()
    assert f"X-JouleNode={own}" in (units / "joule.service").read_text()


def test_a_node_is_not_installed_over_another_one_of_its_name(run, directory, systemd, tmp_path, units):
    run("service", "install", str(directory))
    other = tmp_path / "other" / "roof"
    init_node(other)
    before = (units / "joule-roof.service").read_text()
    for command in ("install", "uninstall"):
        result = run("service", command, str(other))
        assert result.exit_code == 1
        assert f"runs the node in {directory}" in result.stderr
        assert "another Name" in result.stderr
    assert (units / "joule-roof.service").read_text() == before


def test_a_unit_that_somebody_else_wrote_is_left_alone(run, directory, systemd, units):
    units.mkdir(parents=True)
    (units / "joule-roof.service").write_text("[Service]\nExecStart=/bin/true\n")
    result = run("service", "install", str(directory))
    assert (result.exit_code, systemd.calls()) == (1, [])
    assert "was not made by joule" in result.stderr


def test_a_node_that_runs_by_hand_is_not_started_a_second_time(run, node, directory, systemd, units):
    node.pid = 4711
    result = run("service", "install", str(directory))
    assert result.exit_code == 1
    assert "process 4711, already runs this node: stop it first" in result.stderr
    assert not units.exists()
    systemd.says("ActiveState=active", "SubState=running", "MainPID=4711")
    assert run("service", "install", str(directory)).exit_code == 0


def test_a_service_that_does_not_start_says_why_and_where_to_look(run, directory, systemd, units):
    systemd.fails("refusal", "Job for joule-roof.service failed.\n")
    result = run("service", "install", str(directory))
    assert result.exit_code == 1
    assert "Job for joule-roof.service failed." in result.stderr
    assert "journalctl --user -u joule-roof.service" in result.stderr


def test_uninstall_stops_and_removes_the_unit_and_leaves_the_node(run, directory, systemd, units):
    run("service", "install", str(directory))
    result = run("service", "uninstall", str(directory))
    assert result.exit_code == 0
    assert list(units.iterdir()) == []
    assert systemd.calls()[-2:] == ["--user disable --now joule-roof.service", "--user daemon-reload"]
    assert (directory / "main.conf").exists()
    again = run("service", "uninstall", str(directory))
    assert again.exit_code == 1
    assert "joule-roof.service is not installed" in again.stderr


def test_status_shows_the_service_and_ends_with_whether_it_runs(run, directory, systemd):
    result = run("service", "status", str(directory))
    assert result.exit_code == 1
    assert "not installed" in result.stdout
    assert f"joule service install {directory} --user" in result.stderr
    run("service", "install", str(directory))
    systemd.says(
        "ActiveState=active",
        "SubState=running",
        "UnitFileState=enabled",
        "MainPID=42",
        "StatusText=2 modules: 2 running",
    )
    result = run("service", "status", str(directory))
    assert result.exit_code == 0
    for words in ("active (running)", "42", "2 modules: 2 running"):
        assert words in result.stdout
    document = json.loads(run("service", "status", str(directory), "--json").stdout)
    assert document["running"] is document["installed"] is document["enabled"] is True
    assert (document["pid"], document["node"]) == (42, str(directory))


def test_a_service_that_was_installed_for_somebody_else_is_pointed_to(run, directory, systemd):
    run("service", "install", str(directory))
    result = run("service", "status", "--system", str(directory))
    assert f"it is a service of the user: joule service status {directory} --user" in result.stderr


def test_why_a_service_ended_is_shown(run, directory, systemd):
    systemd.says("ActiveState=failed", "SubState=failed", "Result=watchdog", "NRestarts=3")
    result = run("service", "status", str(directory))
    assert result.exit_code == 1
    assert "watchdog" in result.stdout


@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_a_systemd_that_does_not_answer_is_told_in_one_sentence(run, directory, systemd, units, command):
    systemd.fails("silence", "Failed to connect to bus: No medium found\n")
    result = run("service", command, str(directory))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "systemd does not answer: Failed to connect to bus: No medium found" in result.stderr
    assert "--system" in result.stderr
    assert not units.exists()


def test_a_machine_without_systemd_is_told_what_to_do(run, directory, systemd, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("service", "install", str(directory))
    assert result.exit_code == 1
    assert "not run by systemd" in result.stderr
    assert "joule service show" in result.stderr


def test_a_service_of_the_system_needs_root(run, directory, systemd, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = run("service", "install", "--system", str(directory))
    assert result.exit_code == 1
    assert "/etc/systemd/system/joule-roof.service can be written by root only: use sudo" in result.stderr


def test_a_service_of_the_system_runs_as_somebody(run, directory, systemd):
    owner = pwd.getpwuid(directory.stat().st_uid).pw_name
    assert f"User={owner}" in run("service", "show", "--system", str(directory)).stdout.splitlines()
    other = next(user.pw_name for user in pwd.getpwall() if user.pw_name not in (owner, "root"))
    result = run("service", "show", "--system", "--run-as", other, str(directory))
    assert f"User={other}" in result.stdout.splitlines()
    assert f"chown -R {other}" in result.stderr
    assert "there is no user" in run("service", "show", "--system", "--run-as", "no-such-user", str(directory)).stderr
    assert run("service", "show", "--run-as", owner, str(directory)).exit_code == 2


def test_directories_outside_of_the_node_stay_writable_for_a_system_service(run, directory, systemd):
    (directory / "main.conf").write_text("[Main]\nDataDirectory = /srv/rows\nLogDirectory = logs\n")
    lines = run("service", "show", "--system", str(directory)).stdout.splitlines()
    assert f'ReadWritePaths="-{directory}" "-/srv/rows"' in lines


HOSTILE = '50% of $HOME "it\'s" \\n #;[x]'


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("scope", ["user", "system"])
@pytest.mark.parametrize("name", ["roof", HOSTILE])
def test_systemd_finds_nothing_wrong_with_the_unit(run, systemd, tmp_path, scope, name):
    init_node(tmp_path / name)
    document = json.loads(run("service", "show", f"--{scope}", "--json", str(tmp_path / name)).stdout)
    unit = tmp_path / document["unit"]
    unit.write_text(document["text"])
    flags = ["--user"] if scope == "user" else []
    ended = subprocess.run(
        ["systemd-analyze", "verify", *flags, str(unit)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    said = [line for line in ended.stderr.splitlines() if unit.name in line]
    assert (ended.returncode, said) == (0, []), ended.stderr


def test_a_name_cannot_add_a_line_to_the_unit(run, directory, systemd):
    (directory / "main.conf").write_text("[Main]\nName = a\n   ExecStartPre=/bin/false\u2028x\n")
    lines = run("service", "show", str(directory)).stdout.splitlines()
    assert not any(line.startswith("ExecStartPre") for line in lines)
    assert "Description=Joule node a ExecStartPre=/bin/false x" in lines


def test_the_path_of_a_service_has_absolute_places_only(run, directory, systemd, monkeypatch):
    monkeypatch.setenv("PATH", f"{systemd.directory}::bin:.:/a\nExecStartPre=/x:/opt/50%:/usr/bin")
    lines = run("service", "show", str(directory)).stdout.splitlines()
    assert f'Environment="PATH={systemd.directory}:/opt/50%%:/usr/bin"' in lines
    assert not any(line.startswith("ExecStartPre") for line in lines)


def test_a_path_that_no_unit_can_hold_is_refused(run, systemd, tmp_path):
    init_node(tmp_path / "a\nExecStartPre=x")
    result = run("service", "show", str(tmp_path / "a\nExecStartPre=x"))
    assert result.exit_code == 1
    assert "no unit file may hold" in result.stderr
