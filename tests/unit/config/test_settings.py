"""Every value that holds, with where it comes from."""

from __future__ import annotations

import pytest

from joule.config import load_node
from joule.config._main import MAIN_KEYS
from joule.config._modules import MODULE_KEYS
from joule.config._streams import ELEMENT_KEYS, STREAM_KEYS

OTHER_NAMES = {"DataStreamDirectory", "has_interface", "type", "discrete"}  # of keys that are there
NOT_KEPT = {"name"}  # of a stream: it is the end of its path


@pytest.fixture
def full(node, monkeypatch):
    monkeypatch.setenv("SITE", "roof")
    node.write("main.conf", "[Main]\nName = node of ${SITE}\nDataStreamDirectory = stream_configs\nMaxAhead = 48h\n")
    node.write("secrets.conf", "TOKEN = hunter2\n")
    node.module(
        "m",
        "timeout = 300 s\nmax_memory = 1500MB\nhas_interface = no\n[Arguments]\ntoken = ${TOKEN}\nat = ${SITE}\n"
        "[Outputs]\no = /s/s\ni = /i:int8[x]\n",
    )
    node.stream(
        "s",
        "[Element1]\nname = x\ntype = Event\ndefault_min = null\n[Element2]\nname = y\noffset = -1.5\ndiscrete = no\n",
        "keep = 6mo\n",
    )
    return node.load()


def of(setup, kind, key, part=None):
    """Return text and origin of the one setting of a kind, key and, if given, part."""
    found = [s for s in setup.settings if s.kind == kind and s.key == key and part in (None, s.part)]
    assert len(found) == 1, found
    return found[0].text, found[0].origin.text(setup.config.directory)


@pytest.mark.parametrize(
    ("kind", "key", "part", "text", "origin"),
    [
        ("node", "Name", None, "node of roof", "main.conf:2 (environment SITE)"),
        ("node", "StreamDirectory", None, "DIR/stream_configs", "main.conf:3 (DataStreamDirectory)"),
        ("node", "MaxAhead", None, "2d", "main.conf:4"),
        ("node", "LogDirectory", None, "DIR/logs", "default"),
        ("node", "SecretsFile", None, "DIR/secrets.conf", "secrets.conf (found)"),
        ("module", "exec_cmd", None, "/bin/true", "module_configs/m.conf:3"),
        ("module", "program", None, "/bin/true", "module_configs/m.conf:3"),
        ("module", "timeout", None, "5min", "module_configs/m.conf:4"),
        ("module", "max_memory", None, "1.5 GB", "module_configs/m.conf:5"),
        ("module", "is_app", None, "no", "module_configs/m.conf:6 (has_interface)"),
        ("module", "max_restarts", None, "10", "default"),
        ("module", "token", "[Arguments]", "${TOKEN}", "module_configs/m.conf:8 (secret TOKEN)"),
        ("module", "at", "[Arguments]", "${SITE}", "module_configs/m.conf:9 (environment SITE)"),
        ("module", "o", "[Outputs]", "/s/s", "module_configs/m.conf:11"),
    ],
)
def test_a_value_has_its_file_and_line_or_is_a_default(full, kind, key, part, text, origin):
    assert of(full, kind, key, part) == (text.replace("DIR", str(full.config.directory)), origin)


@pytest.mark.parametrize(
    ("stream", "part", "key", "value", "text", "origin"),
    [
        ("/s/s", "", "path", "/s/s", "/s/s", "stream_configs/s.conf:3 (path and name)"),
        ("/s/s", "", "keep", 186 * 86_400_000_000, "186d", "stream_configs/s.conf:5"),
        ("/s/s", "x", "display_type", "event", "event", "stream_configs/s.conf:8 (type)"),
        ("/s/s", "x", "default_min", None, "auto", "stream_configs/s.conf:9"),
        ("/s/s", "x", "plottable", True, "yes", "default"),
        ("/s/s", "y", "offset", -1.5, "-1.5", "stream_configs/s.conf:12"),
        ("/s/s", "y", "scale_factor", 1.0, "1", "default"),
        ("/i", "", "datatype", "int8", "int8", "module_configs/m.conf:12 (inline)"),
        ("/i", "", "keep", None, "all", "default"),
        ("/i", "x", "name", "x", "x", "module_configs/m.conf:12 (inline)"),
    ],
)
def test_streams_of_files_and_of_pipes_have_theirs(full, stream, part, key, value, text, origin):
    (found,) = [s for s in full.settings if (s.name, s.part, s.key) == (stream, part, key)]
    assert (found.value, found.text, found.origin.text(full.config.directory)) == (value, text, origin)


def test_every_key_that_is_read_is_there(full):
    def keys(kind, name, part=""):
        return {s.key for s in full.settings if (s.kind, s.part) == (kind, part) and s.name == name}

    assert keys("node", "node of roof") == set(MAIN_KEYS) - OTHER_NAMES
    assert keys("module", "m") == set(MODULE_KEYS) - OTHER_NAMES | {"program"}
    for stream in ("/s/s", "/i"):
        assert keys("stream", stream) == set(STREAM_KEYS) - OTHER_NAMES - NOT_KEPT
        assert keys("stream", stream, "x") == set(ELEMENT_KEYS) - OTHER_NAMES


def test_what_had_to_be_understood_is_told_once_a_file(full):
    directory = full.config.directory
    main, module, stream = (note.removeprefix(f"{directory}/") for note in full.notes)
    assert main == "main.conf: Name = node of ${SITE} is node of roof; MaxAhead = 48h is 2d"
    assert module == (
        "module_configs/m.conf: timeout = 300 s is 5min; max_memory = 1500MB is 1.5 GB; "
        "--token has secret TOKEN; --at has environment SITE"
    )
    assert stream == (
        "stream_configs/s.conf: the stream is /s/s; keep = 6mo keeps rows for 186d; "
        "x: display_type = event, from 'type'; x: default_min scales by the data; "
        "y: display_type = continuous, from 'discrete'"
    )


def test_equal_notes_on_many_elements_are_one(node):
    node.stream("s", "".join(f"[Element{n}]\nname = e{n}\ndefault_max =\n" for n in range(1, 7)))
    assert "e1, e2, e3 and 3 more: default_max scales by the data" in node.load().notes[0]


def test_the_first_era_is_told(node):
    node.write("main.conf", "[Jouled]\n")
    setup = node.load()
    assert of(setup, "node", "era") == ("first", "main.conf:1")
    assert "[Jouled] is read as [Main]" in setup.notes[0]


def test_a_directory_from_home_or_the_environment_is_told_in_full(node, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    node.write("main.conf", "[Main]\nDataDirectory = ~/rows\nLogDirectory = logs/../logs\n")
    assert node.load().notes == (f"{node.directory}/main.conf: DataDirectory is {tmp_path}/rows",)


def test_what_main_conf_gets_wrong_is_a_default(node):
    node.write("main.conf", "[Main]\nMaxAhead = far\n")
    setup = node.load()
    assert of(setup, "node", "MaxAhead") == ("1d", "default")
    assert setup.notes == ()


@pytest.mark.parametrize("value", ["${", "${}", "${NO NAME}", "${NOT_SET_ANYWHERE}", "${TOKEN}"])
@pytest.mark.parametrize("key", ["Name", "DataDirectory", "MaxAhead", "SecretsFile"])
def test_names_that_stand_for_nothing_in_main_conf_are_errors_and_no_more(node, key, value):
    node.write("secrets.conf", "TOKEN = x\n")
    node.write("main.conf", f"[Main]\n{key} = {value}\n")
    setup = node.load()
    assert [(fault.file.name, fault.line) for fault in setup.errors] == [("main.conf", 2)]
    assert {setting.kind for setting in setup.settings} == {"node"}


def test_a_program_that_was_looked_up_is_told(node):
    node.write("module_configs/m.conf", "[Main]\nname = m\nexec_cmd = sh -c true\n")
    setup = node.load()
    program, origin = of(setup, "module", "program")
    assert origin == "module_configs/m.conf:3 (sh, found)"
    assert setup.notes == (f"{node.directory}/module_configs/m.conf: sh is {program}",)


def test_what_has_errors_has_no_settings(node):
    node.module("m", "nice = 99\n")
    node.stream("s", main="keep = x\n")
    assert {setting.kind for setting in node.load().settings} == {"node"}


def test_no_setting_holds_a_secret(full):
    assert "hunter2" not in repr(full.settings)
    assert load_node(full.config.directory).modules[0].variables["TOKEN"].reveal() == "hunter2"
