"""A new node's directory, and where the user's own one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from joule.config import default_node_directory, init_node, load_node
from joule.errors import ConfigurationError


@pytest.mark.parametrize("name", ["node", "deep/er/node", "a b", "ü%{x}", "line\nbreak"])
def test_a_new_node_loads_without_a_fault(tmp_path, name):
    directory = tmp_path / name
    made = init_node(directory)
    assert made == [directory / "main.conf", directory / "module_configs", directory / "stream_configs"]
    assert all(path.exists() for path in made)
    setup = load_node(directory)
    assert setup.faults == ()
    assert setup.config.name == " ".join(Path(name).name.split())


def test_main_conf_has_its_section_at_the_start_of_a_line(tmp_path):
    init_node(tmp_path)
    assert "\n[Main]\n" in (tmp_path / "main.conf").read_text()


def test_the_comments_of_main_conf_show_the_defaults(tmp_path):
    init_node(tmp_path)
    before = load_node(tmp_path).config
    text = (tmp_path / "main.conf").read_text()
    for key in ("ModuleDirectory", "StreamDirectory", "DataDirectory", "LogDirectory"):
        assert f"# {key} = " in text
        text = text.replace(f"# {key} = ", f"{key} = ")
    (tmp_path / "main.conf").write_text(text)
    setup = load_node(tmp_path)
    assert setup.faults == ()
    assert setup.config == before


def test_the_module_in_the_comments_of_main_conf_is_sound(tmp_path):
    init_node(tmp_path)
    lines = (tmp_path / "main.conf").read_text().splitlines()
    body = "\n".join(line.removeprefix("#   ") for line in lines if line.startswith("#   "))
    (tmp_path / "module_configs" / "reader.conf").write_text(body)
    setup = load_node(tmp_path)
    assert setup.faults == ()
    assert setup.modules[0].command[1:] == ["--width=2", "--rate=10"]


def test_a_node_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "main.conf").write_text("mine")
    with pytest.raises(ConfigurationError, match="there already"):
        init_node(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["main.conf"]
    assert (tmp_path / "main.conf").read_text() == "mine"


def test_folders_that_are_there_are_used(tmp_path):
    (tmp_path / "module_configs").mkdir()
    (tmp_path / "module_configs" / "x.txt").touch()
    init_node(tmp_path)
    assert (tmp_path / "module_configs" / "x.txt").exists()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_directory_that_cannot_be_made_is_named(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="file"):
        init_node(tmp_path / place)


def test_a_place_where_nothing_can_be_made_is_named():
    with pytest.raises(ConfigurationError, match="/proc/joule-of-the-test"):
        init_node(Path("/proc/joule-of-the-test"))


def test_the_users_own_node_follows_the_environment(monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_node_directory() == Path("/data/joule/node")
    monkeypatch.setenv("HOME", "/home/x")
    for unset in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", unset)
        assert default_node_directory() == Path("/home/x/.local/share/joule/node")
