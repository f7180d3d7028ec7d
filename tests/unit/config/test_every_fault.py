"""No fault without a test: each place in the source that notes one is reached by a case of a table."""

from __future__ import annotations

import ast
import contextlib
import os
import sys
import tempfile
from pathlib import Path

import pytest
from tests.unit.config.test_faults import MAIN, MM, SS, TABLE, E, M, S, W

import joule.config

SOURCE = Path(joule.config.__file__).parent
AA = "module_configs/a.conf"

# Faults that do not come alone, or not of a text: what there is, and words of each fault in the order of their places.
GROUPS = {
    "two modules of one name": (
        {AA: M, MM: M},
        [["'m' is also used by", "m.conf", "a name of its own"], ["'m' is also used by", "a.conf"]],
    ),
    "two writers of a stream": (
        {AA: W.replace("= w", "= a").replace("/s/s", "/q:int8[x]"), MM: W.replace("/s/s", "/q")},
        [["'/q' is also written by", "m.conf:5", "another stream"], ["'/q' is also written by", "a.conf:5"]],
    ),
    "a module that reads its own output": (
        {MM: M + "[Inputs]\ni = /q\n[Outputs]\no = /q:int8[x]\n"},
        [["reads its own output '/q'", "another stream"]],
    ),
    "modules in a circle": (
        {
            AA: M.replace("= m", "= a") + "[Inputs]\ni = /p\n[Outputs]\no = /q:int8[x]\n",
            MM: M + "[Inputs]\ni = /q\n[Outputs]\no = /p:int8[x]\n",
        },
        [["through others: a -> m -> a", "m.conf", "break the circle"], ["through others: m -> a -> m"]],
    ),
    "two files of one stream": (
        {SS: S + E, "stream_configs/t.conf": S + E},
        [["'/s/s' is also defined by", "t.conf", "remove one"], ["'/s/s' is also defined by", "s.conf"]],
    ),
    "a stream with faults that a module names": (
        {MM: M + "[Outputs]\no = /s/s\n", SS: S + "keep = x\n" + E},
        [["'/s/s' has faults in", "s.conf", "correct those first"], ["'keep'"]],
    ),
    "what is no path of a stream in the first era": (
        {MAIN: "[Jouled]\n", SS: S.replace("path = /s", "path = /") + E},
        [["read as the whole path", "first era", "correct it"]],
    ),
    "a file that is a FIFO": ({MM: os.mkfifo}, [["no regular file", "move it away"]]),
    "a file that is a link to nothing": (
        {MM: lambda path: os.symlink("gone", path)},
        [["cannot be read: No such file", "correct the link or remove it"]],
    ),
    "a file that is no configuration by its size": (
        {MM: lambda path: Path(path).write_bytes(b"x" * 1_000_001)},
        [["1000001 bytes", "move the file away"]],
    ),
    "no directory of modules": (
        {"module_configs": os.rmdir},
        [["module_configs does not exist", "mkdir -p"]],
    ),
}


def make(node, files):
    for name, content in files.items():
        if callable(content):
            content(node.directory / name)
        else:
            text, mode = content if isinstance(content, tuple) else (content, 0o600)
            node.write(name, text).chmod(mode)


@pytest.mark.parametrize("what", GROUPS)
def test_faults_of_several_files_or_of_no_text_have_place_and_remedy(node, what):
    files, faults = GROUPS[what]
    make(node, files)
    found = node.load().faults
    assert len(found) == len(faults), "\n".join(map(str, found))
    for fault, words in zip(found, faults, strict=True):
        assert fault.remedy
        for word in words:
            assert word in str(fault)


@contextlib.contextmanager
def closed_node(node_files):
    """Make a node whose module files may not be listed, and be somebody, not root, who may not."""
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        node = node_files(Path(parent, "node"))
        node.write(MAIN, "[Main]\n").chmod(0o644)
        folder = node.directory / "module_configs"
        user = os.geteuid()
        folder.chmod(0)
        if user == 0:
            os.seteuid(65534)
        try:
            yield node
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


def test_a_directory_that_may_not_be_listed_is_a_fault_of_its_own(node_files):
    with closed_node(node_files) as node:
        setup = node.load()
    (fault,) = setup.errors
    assert str(fault).startswith(f"{node.directory}/module_configs: the directory cannot be read: Permission denied")
    assert "check its permissions" in fault.remedy
    assert not setup.all_names_known


def notes_a_fault(node):
    """Whether a piece of source notes a fault: `faults.error(...)`, `fields.bad(...)`, `raise PipeFaultError(...)`."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name.endswith((".error", ".warning", ".bad")) or name == "PipeFaultError"


def call_sites():
    for file in sorted(SOURCE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if notes_a_fault(node):
                yield file, node.lineno, node.end_lineno


class Lines:
    """The lines of `joule.config` that run within the block."""

    def __init__(self):
        self.seen = set()

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._enter)
        return self

    def __exit__(self, *exc):
        sys.settrace(self._before)

    def _enter(self, frame, event, argument):
        return self._line if frame.f_code.co_filename.startswith(str(SOURCE)) else None

    def _line(self, frame, event, argument):
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def test_every_place_that_notes_a_fault_is_reached_by_a_case(tmp_path, monkeypatch, node_files):
    monkeypatch.setenv("JOULE_TEST_LINES", "a\nb")
    cases = {
        **{name: files for name, (files, _) in TABLE.items()},
        **{name: files for name, (files, _) in GROUPS.items()},
    }
    nodes = []
    for number, files in enumerate(cases.values()):
        nodes.append(node_files(tmp_path / str(number)))
        make(nodes[-1], files)
    with Lines() as lines:
        for node in nodes:
            node.load()
        with closed_node(node_files) as node:
            node.load()
    sites = list(call_sites())
    assert len(sites) > 70
    missed = [
        f"{file.name}:{first}"
        for file, first, last in sites
        if not any((str(file), line) in lines.seen for line in range(first, last + 1))
    ]
    assert missed == []
