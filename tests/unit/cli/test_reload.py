import json

from joule.api import ReloadReport


def test_what_was_done_is_told_a_line_each(run, node):
    node.report = ReloadReport(started=("a", "b"), restarted=("c",), adjusted=("d",), unchanged=7)
    result = run("reload")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split(None, 1) for line in result.stdout.splitlines()] == [
        ["started", "a, b"],
        ["restarted", "c"],
        ["adjusted", "d"],
        ["unchanged", "7"],
    ]


def test_faults_and_what_waits_are_told_apart_and_faults_make_the_exit_code_1(run, node):
    node.report = ReloadReport(
        outdated=("c",), faults=("c.conf:3: no",), waiting=("DataDirectory",), ended=("d: it ended",)
    )
    result = run("reload")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "fault: c.conf:3: no",
        "did not stay up: d: it ended",
        "DataDirectory was changed in main.conf: it takes effect when jouled is started again",
    ]


def test_as_json_it_is_one_object(run, node):
    node.report = ReloadReport(started=("a",), unchanged=1)
    result = run("reload", "--json")
    assert json.loads(result.stdout) == json.loads(json.dumps(node.report.to_json()))
