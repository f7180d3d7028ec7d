import dataclasses
import json

import pytest

from joule.api import LogQuery


def test_modules_are_listed_one_a_line_with_every_field(run):
    result = run("module", "list")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "MODULE  STATE     UPTIME  RESTARTS    CPU   MEMORY  INPUTS        OUTPUTS       REASON",
        "sensor  running  1h 2min         2  1.2 %  34.5 MB  -             /house/power  -",
        "mean    failed         -         0      -        -  /house/power  -             no such program",
    ]


def test_modules_as_json_are_one_document(run, node):
    assert json.loads(run("module", "list", "--json").stdout) == [info.to_json() for info in node.known_modules]


def test_a_node_without_modules_says_what_to_do(run, node):
    node.known_modules = []
    result = run("module", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "put a .conf file into" in result.stderr
    assert run("module", "list", "--json").stdout == "[]\n"


def test_a_module_is_shown_with_its_state_process_and_pipes(run):
    lines = dict(line.split("  ", 1) for line in run("module", "info", "sensor").stdout.splitlines())
    facts = {name.strip(): value.strip() for name, value in lines.items()}
    assert facts == {
        "module": "sensor",
        "description": "reads the sensor",
        "state": "running",
        "reason": "started",
        "process": "42",
        "uptime": "1h 2min",
        "restarts": "2",
        "last exit": "signal 9",
        "CPU": "1.2 %",
        "memory": "34.5 MB",
        "output output": "/house/power",
    }


def test_a_module_as_json_is_one_object(run, node):
    assert json.loads(run("module", "info", "mean", "--json").stdout) == node.known_modules[1].to_json()


@pytest.mark.parametrize("verb", ["info", "logs"])
def test_a_module_that_is_not_there_ends_with_4(run, verb):
    result = run("module", verb, "nobody")
    assert result.exit_code == 4
    assert "there is no 'nobody'" in result.stderr


@pytest.mark.parametrize(("options", "shown"), [([], 100), (["--lines", "2"], 2), (["--lines", "0"], 0), (["-f"], 10)])
def test_logs_show_the_newest_lines(run, node, options, shown):
    lines = node.lines["sensor"] = [f"line {n}" for n in range(200)]
    result = run("module", "logs", "sensor", *options)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == lines[200 - shown :]


def test_hostile_log_lines_are_inert_and_keep_their_tabs(run, node):
    node.lines["sensor"] = ["a\tb", "\x1b[2J\x1b]0;gone\x07", "over\rwritten", "bad \ufffd\udcff"]
    shown = ["a\tb", "\\x1b[2J\\x1b]0;gone\\x07", "over\\rwritten", "bad \ufffd\\udcff"]
    assert run("module", "logs", "sensor").stdout.splitlines() == shown
    assert run("module", "logs", "sensor", "-f").stdout.splitlines() == shown


def test_logs_as_json_are_one_document_and_followed_ones_an_object_a_line(run, node):
    node.lines["sensor"] = ["one", "\x1b[2J"]
    assert json.loads(run("module", "logs", "sensor", "--json").stdout) == {
        "module": "sensor",
        "lines": ["one", "\x1b[2J"],
    }
    followed = run("module", "logs", "sensor", "-f", "--json").stdout
    assert [json.loads(line) for line in followed.splitlines()] == [{"line": "one"}, {"line": "\x1b[2J"}]
    assert "\x1b" not in followed


def test_lines_are_looked_for_by_text_and_time(run, node):
    run("module", "logs", "sensor", "--grep", "lost", "-i", "--since", "1000", "--until", "2000")
    query = LogQuery(text="lost", ignores_case=True, since_us=1000, until_us=2000)
    assert node.searches == [("sensor", 100_000, query)]


def test_without_a_name_the_lines_of_all_are_shown_with_their_names(run, node):
    node.lines = {"sensor": ["one", "\x1b[2J"], "mean": ["two"]}
    shown = ["sensor  one", "sensor  \\x1b[2J", "mean    two"]
    assert run("module", "logs").stdout.splitlines() == shown
    assert run("module", "logs", "-f").stdout.splitlines() == shown
    facts = [
        {"module": "sensor", "line": "one"},
        {"module": "sensor", "line": "\x1b[2J"},
        {"module": "mean", "line": "two"},
    ]
    assert json.loads(run("module", "logs", "--json").stdout) == facts
    assert [json.loads(line) for line in run("module", "logs", "-f", "--json").stdout.splitlines()] == facts


@pytest.mark.parametrize("options", [["-f", "--until", "now"], ["-i"], ["--since", "whenever"], ["--lines", "100001"]])
def test_questions_about_logs_that_make_no_sense_are_refused(run, options):
    result = run("module", "logs", "sensor", *options)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_search_without_a_finding_says_so(run, node):
    result = run("module", "logs", "sensor", "--grep", "nothing")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no line of sensor" in result.stderr


def test_a_module_that_printed_nothing_points_to_its_state(run):
    result = run("module", "logs", "sensor")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "joule module info sensor" in result.stderr


def test_hostile_names_are_inert_in_tables(run, node):
    node.known_modules = [dataclasses.replace(node.known_modules[1], reason="\x1b[31m\nsecond line")]
    result = run("module", "list")
    assert len(result.stdout.splitlines()) == 2
    assert "\\x1b[31m\\nsecond line" in result.stdout


def test_a_running_module_that_its_file_no_longer_describes_says_so_in_the_list(run, node):
    node.known_modules = [dataclasses.replace(node.known_modules[0], outdated="sensor.conf:3: no")]
    assert run("module", "list").stdout.splitlines()[1].endswith("sensor.conf:3: no")


def test_of_a_module_that_has_ended_the_last_line_that_it_printed_is_shown(run, node):
    node.lines["mean"] = ["[2026-11-24T12:00:00+00:00] ValueError: no sensor", "[2026-11-24T12:00:01+00:00] ---gone---"]
    node.lines["sensor"] = ["[2026-11-24T12:00:00+00:00] all is well"]
    assert "last line    ValueError: no sensor" in run("module", "info", "mean").stdout
    assert "last line" not in run("module", "info", "sensor").stdout
