import dataclasses
import json

import pytest

from joule.api import ProvenanceInfo


def test_streams_are_listed_with_freshness_size_keep_and_writer(run):
    result = run("stream", "list")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "STREAM        LAYOUT     ROWS  ROWS/S  LAST ROW    SIZE  KEEP  WRITER  PROBLEM",
        "/house/power  float32_2     3    1.25  2.5s ago  1.5 MB    7d  sensor  -",
        "/house/water  int64_1       0       -   no rows     0 B   all  -       -",
    ]


@pytest.mark.parametrize("folder", ["/house", "house/", "/house/power"])
def test_a_folder_lists_what_is_in_and_below_it(run, folder):
    assert "/house/power" in run("stream", "list", folder).stdout


def test_a_folder_is_not_what_merely_begins_like_it(run):
    result = run("stream", "list", "/hou")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "no stream in /hou" in result.stderr


def test_streams_as_json_are_one_document(run, node):
    listed = json.loads(run("stream", "list", "/house/water", "--json").stdout)
    assert [info["path"] for info in listed] == ["/house/water"]
    assert listed[0]["elements"][0]["name"] == "litres"
    assert len(json.loads(run("stream", "list", "--json").stdout)) == 2


def test_a_node_without_streams_says_what_makes_them(run, node):
    node.known_streams = []
    result = run("stream", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "[Outputs]" in result.stderr
    assert run("stream", "list", "--json").stdout == "[]\n"


@pytest.mark.parametrize("name", ["/house/power", "1"])
def test_a_stream_is_shown_with_what_is_stored_of_it_and_its_elements(run, name, monkeypatch):
    lines = run("stream", "info", name).stdout.splitlines()
    facts = {line[:11].strip(): line[11:].strip() for line in lines[: lines.index("")]}
    assert facts["rows"] == "3 in 2 intervals, 1.5 MB"
    assert facts["writer"] == "sensor"
    assert facts["keep"] == "7d"
    assert facts["last row"].endswith(" (3000000), 2.5s ago")
    assert [line.split() for line in lines[lines.index("") + 1 :]] == [
        ["ELEMENT", "UNITS", "DISPLAY", "OFFSET", "SCALE"],
        ["volts", "V", "continuous", "0", "1"],
        ["amps", "-", "continuous,", "not", "plotted", "0", "1"],
    ]


def test_rows_that_were_not_stored_are_counted(run, node):
    node.known_streams = [dataclasses.replace(node.known_streams[0], refused_rows=1, repeated_rows=7)]
    assert run("stream", "list").stdout.splitlines()[1].endswith("sensor  1 row refused: out of order")
    facts = run("stream", "info", "1").stdout
    assert "1 row refused: out of order" in facts
    assert "7 rows written again after a restart, and dropped" in facts


def test_rows_ahead_of_the_clock_are_told_from_those_out_of_order(run, node):
    node.known_streams = [dataclasses.replace(node.known_streams[0], refused_rows=5, ahead_rows=4)]
    facts = run("stream", "info", "/house/power").stdout
    assert "1 row refused: out of order; 4 rows refused: too far ahead of the node's clock" in facts
    node.known_streams = [dataclasses.replace(node.known_streams[0], refused_rows=4, ahead_rows=4)]
    assert "out of order" not in run("stream", "info", "/house/power").stdout


def test_a_stream_that_cannot_be_read_says_why(run, node):
    node.known_streams = [dataclasses.replace(node.known_streams[1], problem="damaged log file x: y")]
    assert run("stream", "list").stdout.splitlines()[1].endswith("-       damaged log file x: y")
    assert "damaged log file x: y" in run("stream", "info", "2").stdout


def test_an_infinite_figure_is_a_string_in_json(run, node):
    power = node.known_streams[0]
    elements = (dataclasses.replace(power.elements[0], offset=float("nan"), default_max=float("inf")),)
    node.known_streams = [dataclasses.replace(power, elements=elements)]
    shown = json.loads(run("stream", "info", "/house/power", "--json").stdout)
    assert shown["elements"][0]["default_max"] == "Infinity"
    assert shown["elements"][0]["offset"] is None


def test_a_stream_that_is_not_there_ends_with_4(run):
    assert run("stream", "info", "/house/fire").exit_code == 4


HISTORY = [
    ProvenanceInfo(kind="unknown", name="", row=0, end=5, rows=0),
    ProvenanceInfo(kind="copy", name="/a b", host="pi", row=5, end=7, rows=2, first_us=1, last_us=2, starts=1),
    ProvenanceInfo(
        kind="module",
        name="my reader",
        command="python3 reader.py '--key=${KEY}'",
        code="git 1a2b3c4d5e6f, modified",
        script_sha256="0123456789abcdef",
        python="3.11.7",
        host="pi",
        user="joe",
        row=7,
        end=9,
        rows=2,
        starts=12,
    ),
]


def test_the_history_has_a_line_for_each_stretch_of_rows(run, node):
    node.history = HISTORY
    lines = run("stream", "info", "/house/power", "--history").stdout.splitlines()
    assert lines[0].split()[:4] == ["FIRST", "ROW", "ROWS", "FROM"]
    assert lines[1].split()[:6] == ["0", "0", "-", "-", "not", "recorded"]
    assert "copy of /a b" in lines[2]
    assert "my reader" in lines[3]
    for told in ("12", "git 1a2b3c4d5e6f, modified", "python3 reader.py '--key=${KEY}'", " 0123456789ab ", "joe"):
        assert told in lines[3]


def test_the_history_as_json_comes_with_the_stream(run, node):
    node.history = HISTORY
    document = json.loads(run("stream", "info", "1", "--history", "--json").stdout)
    assert document["path"] == "/house/power"
    assert [part["rows"] for part in document["history"]] == [0, 2, 2]
    assert document["history"][2]["script_sha256"] == "0123456789abcdef"
    assert "history" not in json.loads(run("stream", "info", "1", "--json").stdout)


def test_a_stream_that_nothing_wrote_has_no_history_and_says_so(run, node):
    result = run("stream", "info", "2", "--history")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing has written /house/water yet" in result.stderr
