import dataclasses
import json

import pytest

from joule.errors import ModuleError


def test_each_module_gets_a_line_when_it_has_happened(run, node):
    result = run("module", "start", "sensor")
    assert (result.exit_code, result.stdout) == (0, "sensor: running, process 42\n")
    assert node.asked == [("start", "sensor")]


def test_what_was_so_already_is_said_and_no_error(run, node):
    node.unchanged = ("sensor",)
    assert run("module", "start", "sensor").stdout == "sensor: was running already; running, process 42\n"
    node.known_modules = [dataclasses.replace(node.known_modules[0], state="stopped", pid=None)]
    result = run("module", "stop", "sensor")
    assert (result.exit_code, result.stdout) == (0, "sensor: was not running; stopped\n")


def test_a_module_that_does_not_stay_up_makes_the_exit_code_1(run):
    result = run("module", "restart", "sensor", "mean")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["sensor: running, process 42", "mean: failed: no such program"]


def test_a_name_that_is_not_there_costs_no_other(run, node):
    result = run("module", "restart", "nobody", "sensor")
    assert result.exit_code == 4
    assert result.stdout == "sensor: running, process 42\n"
    assert "nobody: there is no 'nobody'" in result.stderr


def test_all_means_every_module_once(run, node):
    run("module", "stop", "--all")
    run("module", "stop", "sensor", "sensor")
    assert node.asked == [("stop", "sensor"), ("stop", "mean"), ("stop", "sensor")]


@pytest.mark.parametrize("arguments", [[], ["--all", "sensor"]])
def test_names_or_all_is_a_choice(run, arguments):
    result = run("module", "stop", *arguments)
    assert result.exit_code == 2
    assert "--all" in result.stderr


def test_as_json_every_module_is_an_object_with_its_change_or_its_error(run, node, monkeypatch):
    async def refuse(name):
        raise ModuleError("its process cannot be ended", modules=[name])

    monkeypatch.setattr(node, "module_stop", refuse, raising=False)
    (answer,) = json.loads(run("module", "stop", "sensor", "--json").stdout)
    assert (answer["name"], answer["error"]["code"]) == ("sensor", "module")
    (answer,) = json.loads(run("module", "start", "sensor", "--json").stdout)
    assert (answer["changed"], answer["module"]["pid"]) == (True, 42)
