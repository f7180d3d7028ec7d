"""`joule folder`: the tree, and what becomes of folders."""

import json
import os
import subprocess
import sys

import pytest

from joule.api import FolderInfo
from joule.errors import NameTakenError


@pytest.fixture
def tree(node, monkeypatch):
    power, water = node.known_streams
    house = FolderInfo(path="/house", name="house", streams=(power, water), id=2, description="my\thouse")
    empty = FolderInfo(path="/a b", name="a b", id=4)
    root = FolderInfo(path="/", name="", folders=(empty, house), id=1)

    async def folders():
        return root

    node.folders = folders
    return root


def test_folders_and_streams_are_a_tree(run, tree):
    assert run("folder", "list").stdout.splitlines() == [
        "/",
        "├── a b",
        "└── house  (my\\thouse)",
        "    ├── power",
        "    └── water",
    ]


def test_the_tree_tells_ids_layouts_and_who_writes(run, tree):
    lines = run("folder", "list", "-i", "-l", "-s").stdout.splitlines()
    assert lines[0] == "/  (id 1)"
    assert lines[3] == "    ├── power  (id 1, float32_2, written by sensor, last row 2.5s ago)"
    assert lines[4] == "    └── water  (id 2, int64_1, not written, no rows)"


def test_the_tree_as_json_is_one_document(run, tree):
    listed = json.loads(run("folder", "list", "--json").stdout)
    assert [folder["path"] for folder in listed["folders"]] == ["/a b", "/house"]


def test_a_node_without_folders_says_what_makes_them(run):
    result = run("folder", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "[Outputs]" in result.stderr


def test_folders_are_moved_renamed_and_described(run, node):
    assert run("folder", "move", "/a b", "/c").stdout == "moved /a b to /now/here, with 2 streams\n"
    assert run("folder", "rename", "/a b", "d").stdout == "renamed /a b to /now/here, with 2 streams\n"
    assert run("folder", "set", "3", "description=x = y", "name=z").stdout == "changed /now/here\n"
    assert node.asked == [
        ("folder_move", "/a b", "/c"),
        ("folder_update", "/a b", {"name": "d"}),
        ("folder_update", 3, {"description": "x = y", "name": "z"}),
    ]
    assert run("folder", "set", "3", "keep=1w").exit_code == 2


def test_deleting_all_that_is_in_a_folder_needs_a_yes(run, node):
    node.pid = 4711
    result = run("folder", "delete", "/house", "-r")
    assert result.exit_code == 2
    assert "/house/power: 3 rows, 1.5 MB" in result.stderr
    assert node.asked == []
    assert run("folder", "delete", "/house", "-r", "--yes").stdout == "deleted /now/here, with 2 streams\n"
    assert run("folder", "delete", "/house").exit_code == 0
    assert node.asked == [("folder_delete", 3, True), ("folder_delete", 3, False)]


@pytest.mark.parametrize("command", [["stream", "delete", "/house/power"], ["folder", "delete", "/house", "-r"]])
def test_nobody_is_asked_about_what_no_jouled_could_delete(run, node, command):
    result = run(*command)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no jouled runs the node in /fake: start it with" in result.stderr
    assert "rows" not in result.stderr


@pytest.mark.parametrize(("answer", "done"), [("y", "done\n"), ("n", ""), ("", "")])
def test_on_a_terminal_a_person_is_asked_with_what_goes(answer, done):
    code = "from joule.cli._confirm import confirm; confirm('Delete it?', ['3 rows'], yes=False); print('done')"
    keyboard, terminal = os.openpty()
    os.write(keyboard, answer.encode() + b"\n")
    try:
        ended = subprocess.run([sys.executable, "-c", code], stdin=terminal, capture_output=True, text=True, timeout=15)
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert ended.stdout == done
    assert "3 rows" in ended.stderr
    assert "Delete it? [y/N]" in ended.stderr


def test_a_folder_is_copied_whole_or_for_a_span_of_time(run, node):
    result = run("folder", "copy", "/a b", "/c d")
    assert (result.stdout, result.stderr) == ("copied /a b to /c d: 2 streams, 10 rows\n", "")
    result = run("folder", "copy", "3", "/c", "-s", "1000", "--end", "2000", "--json")
    assert json.loads(result.stdout) == {"path": "/c", "streams": 2, "rows": 10}
    assert node.asked == [("folder_copy", "/a b", "/c d", None, None), ("folder_copy", 3, "/c", 1000, 2000)]
    assert run("folder", "copy", "/a", "/c", "-s", "2000", "-e", "1000").exit_code == 2


def test_a_copy_that_cannot_be_is_refused_with_the_reason(run, node):
    node.refusal = NameTakenError("folder", "/c")
    result = run("folder", "copy", "/a", "/c")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is a folder '/c' already" in result.stderr
