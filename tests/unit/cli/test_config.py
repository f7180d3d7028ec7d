import json

import pytest

from joule.config import init_node


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "node"
    init_node(directory)
    secrets = directory / "secrets.conf"
    secrets.write_text("TOKEN = hunter2\n")
    secrets.chmod(0o600)
    (directory / "module_configs" / "reader.conf").write_text(
        "[Main]\nname = reader\nexec_cmd = sleep 1\n[Arguments]\ntoken = ${TOKEN}\ntext = a\n  b\n"
        "[Outputs]\noutput = /house/power:float32[volts, amps]\n"
    )
    return directory


def lines(result):
    return [line.split("  ") for line in result.stdout.splitlines()]


def test_every_value_stands_on_one_line_with_what_it_is_of_and_where_it_comes_from(run, directory):
    result = run("config", "show", str(directory))
    assert (result.exit_code, result.stderr) == (0, "")
    table = [[cell.strip() for cell in line if cell.strip()] for line in lines(result)]
    assert table[0] == ["OF", "KEY", "VALUE", "FROM"]
    assert ["node", "LogDirectory", f"{directory}/logs", "default"] in table
    assert ["module reader [Arguments]", "token", "${TOKEN}", "module_configs/reader.conf:5 (secret TOKEN)"] in table
    assert ["module reader [Arguments]", "text", "a\\nb", "module_configs/reader.conf:6"] in table
    assert ["/house/power volts", "name", "volts", "module_configs/reader.conf:9 (inline)"] in table
    assert ["/house/power amps", "plottable", "yes", "default"] in table


def test_defaults_can_be_left_out(run, directory):
    shown = lines(run("config", "show", "--set", str(directory)))
    assert not any("default" in line[-1] for line in shown)
    assert any("exec_cmd" in "".join(line) for line in shown)


def test_one_module_or_stream_can_be_asked_for(run, directory):
    of = {line[0] for line in lines(run("config", "show", "--module", "reader", str(directory)))[1:]}
    assert of == {"module reader", "module reader [Arguments]", "module reader [Outputs]"}
    of = {line[0] for line in lines(run("config", "show", "--stream", "/house/power", str(directory)))[1:]}
    assert of == {"/house/power", "/house/power volts", "/house/power amps"}


def test_json_has_values_as_programs_want_them(run, directory):
    document = json.loads(run("config", "show", "--json", str(directory)).stdout)
    assert document["directory"] == str(directory)
    found = {(s["kind"], s["name"], s["part"], s["key"]): s for s in document["settings"]}
    window = found["module", "reader", None, "restart_window"]
    assert (window["value"], window["text"], window["file"], window["line"]) == (600_000_000, "10min", None, None)
    token = found["module", "reader", "[Arguments]", "token"]
    assert (token["value"], token["way"], token["line"]) == ("${TOKEN}", "secret TOKEN", 5)
    assert token["file"] == f"{directory}/module_configs/reader.conf"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--module", "raeder"], "there is no module 'raeder': did you mean 'reader'?"),
        (["--stream", "/q"], "there is no stream '/q'"),
        (["--module", "broken"], "the module 'broken' has errors: see joule check"),
    ],
)
def test_what_is_not_there_or_has_errors_is_said_so(run, directory, arguments, said):
    (directory / "module_configs" / "broken.conf").write_text("[Main]\nname = broken\nexec_cmd =\n")
    result = run("config", "show", *arguments, str(directory))
    assert (result.exit_code, result.stdout) == (4, "")
    assert said in result.stderr


def test_errors_in_the_files_are_mentioned_and_the_rest_is_shown(run, directory):
    (directory / "module_configs" / "broken.conf").write_text("[Main]\nname = broken\nexec_cmd =\n")
    result = run("config", "show", str(directory))
    assert result.exit_code == 0
    assert f"1 error in the files: see joule check {directory}" in result.stderr
    assert "module reader" in result.stdout


def test_the_node_of_the_option_is_shown(run, directory):
    assert run("-n", str(directory), "config", "show").stdout == run("config", "show", str(directory)).stdout


def test_no_output_holds_a_secret(run, directory):
    for command in (["config", "show"], ["config", "show", "--json"], ["check"], ["check", "--json"]):
        result = run(*command, str(directory))
        assert result.exit_code == 0
        assert "hunter2" not in result.output
