import json
import re

import pytest

from joule.config import init_node

SOUND = "[Main]\nname = reader\nexec_cmd = sleep 1\n[Outputs]\noutput = /house/power:float32[volts, amps]\n"


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """A node's directory beside the current one."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    init_node(tmp_path / "node")
    return tmp_path / "node"


def add(directory, name, text):
    (directory / "module_configs" / name).write_text(text)


def state_of(directory):
    return {
        file.relative_to(directory): (file.stat().st_mtime_ns, file.read_bytes() if file.is_file() else None)
        for file in [directory, *directory.rglob("*")]
    }


def test_a_sound_node_passes(run, directory):
    add(directory, "reader.conf", SOUND)
    result = run("check", str(directory))
    assert result.exit_code == 0
    note, summary = result.stdout.splitlines()
    assert re.fullmatch(rf"note: {directory}/module_configs/reader\.conf: sleep is /.*/sleep", note)
    assert summary == f"{directory}/main.conf: 0 errors, 0 warnings; 1 module and 1 stream are sound"
    assert result.stderr == ""


def test_every_fault_of_every_file_comes_at_once_with_its_line(run, directory):
    add(directory, "a.conf", "[Main]\nname = a\nexec_cmd = no-such-program\n[Outputs]\nout = /a/b:float33[x]\n")
    add(directory, "b.conf", "[Main]\nname = b\n")
    result = run("check", str(directory))
    assert result.exit_code == 1
    places = [line.split(": ")[0] for line in result.stdout.splitlines()]
    folder = directory / "module_configs"
    assert places == [f"{folder}/a.conf:3", f"{folder}/a.conf:5", f"{folder}/b.conf:1", f"{directory}/main.conf"]
    assert "3 errors, 0 warnings" in result.stdout


def test_warnings_alone_do_not_fail(run, directory):
    add(directory, "reader.conf", SOUND.replace("[Outputs]", "colour = red\n[Outputs]"))
    result = run("check", str(directory))
    assert result.exit_code == 0
    assert "reader.conf:4: warning: " in result.stdout


def test_notes_tell_how_values_were_understood(run, directory):
    (directory / "stream_configs" / "power.conf").write_text(
        "[Main]\nname = power\npath = /house\ndatatype = float32\nkeep = 6m\n[Element1]\nname = x\n"
    )
    notes = [line for line in run("check", str(directory)).stdout.splitlines() if line.startswith("note: ")]
    assert any("keep = 6m" in note and "186d" in note for note in notes)


def test_what_is_wrong_stands_behind_what_was_understood(run, directory):
    add(directory, "reader.conf", SOUND.replace("[Outputs]", "colour = red\n[Outputs]"))
    (directory / "stream_configs" / "power.conf").write_text("[Main]\n")
    kinds = [
        line.split(": ")[0 if line.startswith("note") else 1]
        for line in run("check", str(directory)).stdout.splitlines()
    ]
    assert kinds[:-1] == ["note", "warning", "error", "error", "error", "error"]


def test_a_check_touches_nothing(run, directory):
    add(directory, "a.conf", "[Main]\n")
    before = state_of(directory)
    run("check", str(directory))
    assert state_of(directory) == before


def test_json_has_every_fault_as_fields(run, directory):
    add(directory, "reader.conf", SOUND)
    add(directory, "b.conf", "[Main]\nname = b\n")
    result = run("check", str(directory), "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    fault = document["faults"][0]
    assert (fault["file"], fault["line"], fault["severity"]) == (f"{directory}/module_configs/b.conf", 1, "error")
    assert fault["message"]
    assert fault["remedy"]
    assert not document["sound"]
    assert document["modules"] == ["reader"]
    assert document["streams"] == ["/house/power"]
    assert document["file"] == f"{directory}/main.conf"


def test_faults_below_the_current_directory_are_named_from_there(run, directory, monkeypatch):
    add(directory, "b.conf", "[Main]\nname = b\n")
    monkeypatch.chdir(directory)
    assert run("check").stdout.startswith("module_configs/b.conf:1: error: ")


def test_without_a_directory_the_node_of_the_option_is_checked(run, directory):
    assert run("-n", str(directory), "check").stdout.startswith(f"{directory}/main.conf: 0 errors")
    assert run("check", JOULE_NODE=str(directory)).stdout.startswith(f"{directory}/main.conf: 0 errors")


def test_without_a_directory_and_without_a_node_the_users_own_is_checked(run, directory, tmp_path):
    init_node(tmp_path / "share" / "joule" / "node")
    assert run("check").stdout.startswith(f"{tmp_path}/share/joule/node/main.conf: 0 errors")


def test_a_main_conf_may_be_named_itself(run, directory):
    assert run("check", str(directory / "main.conf")).exit_code == 0


def test_a_node_that_is_no_directory_cannot_be_checked(run, directory):
    result = run("-n", "http://elsewhere:8080", "check")
    assert result.exit_code == 2
    assert "reads a node's files" in result.stderr


@pytest.mark.parametrize("where", ["nowhere", "."])
def test_a_directory_without_a_main_conf_says_how_to_make_one(run, directory, where):
    result = run("check", where)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "joule init" in result.stderr


def test_a_node_without_modules_says_where_to_put_one(run, directory):
    assert f"put a .conf file into {directory}/module_configs" in run("check", str(directory)).stderr


def test_hostile_file_names_and_values_are_inert(run, directory):
    add(directory, "\x1b[2J.conf", "[Main]\nname = \x1b[31mred\n")
    result = run("check", str(directory))
    assert result.exit_code == 1
    assert "\x1b" not in result.output
