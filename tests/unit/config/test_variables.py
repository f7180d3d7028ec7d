"""`${NAME}` in values: from the environment where they are shown, from the secrets file too where they are not."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joule.config import Secret, load_module_arguments
from joule.config._faults import FaultList
from joule.config._ini import parse_ini
from joule.config._variables import Variables
from joule.core.variables import replace_variables
from joule.errors import ConfigurationError


@pytest.fixture
def secrets(node):
    """Write the secrets file, safe from others unless a test says otherwise."""

    def write(text, name="secrets.conf", mode=0o600):
        file = node.write(name, text)
        file.chmod(mode)
        return file

    return write


def only_module(node):
    setup = node.load()
    assert setup.errors == (), "\n".join(map(str, setup.errors))
    return setup.modules[0]


def test_a_secret_stays_a_name_on_the_command_line_and_travels_beside_it(node, secrets):
    secrets("# of the broker\n\nTOKEN = a = b # c\nOTHER=x\n")
    node.module("m", "[Arguments]\ntoken = <${TOKEN}>\nplain = $${TOKEN} $x\n")
    module = only_module(node)
    assert module.command == ["/bin/true", "--token=<${TOKEN}>", "--plain=$${TOKEN} $x"]
    assert module.variables == {"TOKEN": Secret("a = b # c")}


def test_a_command_line_without_names_has_nothing_left_to_replace(node):
    node.write("module_configs/m.conf", "[Main]\nname = m\nexec_cmd = /bin/echo '$${A} b'\n[Arguments]\nx = $${A}\n")
    module = only_module(node)
    assert module.command == ["/bin/echo", "${A} b", "--x=${A}"]
    assert module.variables == {}


def test_a_variable_of_the_environment_on_the_command_line_is_not_shown_either(node, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2")
    node.write("module_configs/m.conf", "[Main]\nname = m\nexec_cmd = /bin/echo ${TOKEN}\n[Arguments]\nx = ${TOKEN}\n")
    module = only_module(node)
    assert module.command == ["/bin/echo", "${TOKEN}", "--x=${TOKEN}"]
    assert module.variables == {"TOKEN": Secret("hunter2")}


def test_the_secrets_file_wins_against_the_environment(node, secrets, monkeypatch):
    monkeypatch.setenv("TOKEN", "outside")
    secrets("TOKEN = inside\n")
    node.module("m", "[Arguments]\nx = ${TOKEN}\n")
    assert only_module(node).variables == {"TOKEN": Secret("inside")}


def test_another_secrets_file_can_be_named(node, secrets, monkeypatch, tmp_path):
    monkeypatch.setenv("KEYS", str(tmp_path))
    secrets("TOKEN = x\n", name="../hidden.conf")
    node.write("main.conf", "[Main]\nSecretsFile = ${KEYS}/hidden.conf\n")
    node.module("m", "[Arguments]\nx = ${TOKEN}\n")
    setup = node.load()
    assert setup.faults == ()
    assert setup.config.secrets_file == tmp_path / "hidden.conf"
    assert setup.modules[0].variables == {"TOKEN": Secret("x")}


def test_names_in_shown_values_come_from_the_environment(node, monkeypatch):
    for name, value in {"SITE": "roof", "TYPE": "int16", "KEEP": "2w", "DIR": str(node.directory), "N": "2.5"}.items():
        monkeypatch.setenv(name, value)
    node.write("main.conf", "[Main]\nName = node ${SITE}\nDataDirectory = ${DIR}/rows\n")
    node.write(
        "module_configs/m.conf",
        "[Main]\nname = m ${SITE}\nexec_cmd = ${DIR}/run $${x}\n[Outputs]\nout = /${SITE}/a:${TYPE}[x]\n",
    )
    node.write("run", "#!/bin/sh\n").chmod(0o755)
    node.stream("s", "[Element1]\nname = x\noffset = ${N}\n", "keep = ${KEEP}\ndescription = $${SITE}\n")
    setup = node.load()
    assert setup.faults == ()
    assert (setup.config.name, setup.config.data_directory) == ("node roof", node.directory / "rows")
    assert setup.modules[0].command == [f"{node.directory}/run", "${x}"]
    assert [(stream.path, stream.datatype) for stream in setup.streams] == [("/roof/a", "int16"), ("/s/s", "float32")]
    spec = setup.streams[1]
    assert (spec.keep_us, spec.description, spec.elements[0].offset) == (14 * 86_400_000_000, "${SITE}", 2.5)


@pytest.mark.parametrize("before", ["", "nice -n 5 "])
def test_a_python_script_is_part_of_what_is_started_and_so_replaced_at_once(node, monkeypatch, before):
    monkeypatch.setenv("DIR", str(node.directory))
    node.write("r.py", "")
    node.write("module_configs/m.conf", f"[Main]\nname = m\nexec_cmd = {before}python3 -u ${{DIR}}/r.py ${{DIR}} -x\n")
    module = only_module(node)
    assert module.exec_cmd == (*before.split(), "python3", "-u", f"{node.directory}/r.py", "${DIR}", "-x")
    assert set(module.variables) == {"DIR"}


def test_a_value_never_becomes_several_words_or_another_section(node, monkeypatch):
    monkeypatch.setenv("EVIL", "a b; $(touch x) `y` ${PATH} ' \" [Outputs]")
    node.write(
        "module_configs/m.conf", "[Main]\nname = m\ndescription = ${EVIL}\nexec_cmd = /bin/echo -- '${EVIL}' x\n"
    )
    module = only_module(node)
    assert module.description == "a b; $(touch x) `y` ${PATH} ' \" [Outputs]"
    assert module.exec_cmd == ("/bin/echo", "--", "${EVIL}", "x")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_variable_holds_it_is_one_value_in_its_place_or_an_error(tmp_path, held):
    file, faults = tmp_path / "m.conf", FaultList()
    ini = parse_ini("[Main]\ndescription = <${X}>\nother = 5\n[Outputs]\n", file, faults)
    expanded = Variables(environment={"X": held}).expand(ini, faults)
    assert [section.name for section in expanded.sections] == ["Main", "Outputs"]
    assert [entry.key for entry in expanded.sections[0].entries.values()] == ["description", "other"]
    expected = f"<{held}>" if held.isprintable() else ""
    assert expanded.sections[0].entries["description"].value == expected
    assert faults.has_errors(file) is not held.isprintable()


def test_a_module_that_is_run_by_hand_takes_names_from_the_environment(node, secrets, monkeypatch):
    monkeypatch.setenv("SITE", "on the roof")
    secrets("TOKEN = x\n")
    file = node.module("m", "[Arguments]\nat = <${SITE}> $${SITE}\n")
    assert load_module_arguments(file).options == ("--at=<on the roof> ${SITE}",)
    node.module("m", "[Arguments]\nat = ${TOKEN}\n")
    with pytest.raises(ConfigurationError, match=r"m\.conf:5: \$\{TOKEN\} stands for nothing"):
        load_module_arguments(file)


def test_a_secret_is_not_shown_by_print_format_or_traceback():
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars}"
    assert secret == Secret("hunter2") != Secret("x")
    assert secret.reveal() == "hunter2"
    with pytest.raises(TypeError):
        pickle.dumps(secret, protocol=1)


def test_no_fault_and_no_note_holds_a_secret(node, secrets, monkeypatch):
    canary = "hunter2-canary"
    monkeypatch.setenv("OUTSIDE", canary)
    secrets(f"TOKEN = '{canary}'\nTOKEN = {canary}\n{canary}\n{canary} {canary} = {canary}\n", mode=0o644)
    node.write("main.conf", "[Main]\nName = ${TOKEN}\nDataDirectory = ${TOKEN}\n[${TOKEN}]\n")
    node.module(
        "m",
        "description = ${TOKEN}\ntimeout = ${TOKEN}\n"
        "[Arguments]\na = ${TOKEN} # x\n${TOKEN} = x\nb = ${OUTSIDE} %% ${TOKN}\n"
        "[Inputs]\ni = /${TOKEN}:x[${TOKEN}]\n",
    )
    node.stream("s", main="keep = ${TOKEN}\n", body="[Element1]\nname = ${TOKEN}\noffset = ${TOKEN}\n")
    setup = node.load()
    assert len(setup.errors) >= 10
    assert canary not in repr(setup)
    assert canary not in "\n".join(map(str, [*setup.faults, *setup.notes]))


HOSTILE = [
    "$(touch CANARY)",
    "`touch CANARY`",
    "; touch CANARY",
    "| touch CANARY &",
    "'; touch CANARY; '",
    '"$(touch CANARY)"',
    "${PATH:-$(touch CANARY)} $${A}",
    "%s %n {0.__class__} {{x}}",
    "--pipes=x --other",
    "\\\\n \\x1b[2J",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("way", ["written", "environment", "secret"])
def test_no_value_is_run_or_taken_apart_on_its_way_to_the_module(node, secrets, monkeypatch, text, way):
    program = node.write("show", f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o700)
    written = text.replace("${", "$${") if way == "written" else "${HELD}"
    monkeypatch.setenv("HELD", text)
    if way == "secret":
        secrets(f"HELD = {text}\n")
    node.write("module_configs/m.conf", f"[Main]\nname = m\nexec_cmd = ./show\n[Arguments]\na = {written}\n")
    module = only_module(node)
    ended = subprocess.run(module.command, cwd=node.directory, capture_output=True, text=True, check=True)
    (argument,) = json.loads(ended.stdout)
    values = {name: value.reveal() for name, value in module.variables.items()}
    assert replace_variables(argument, values) == f"--a={text}" if values else argument == f"--a={text}"
    assert not (node.directory / "CANARY").exists()
