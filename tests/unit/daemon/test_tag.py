"""The number that processes of a module carry in a resource limit."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.daemon._tag import is_of_node, node_tag, put_tag, read_tag, tag_of

MARK = "64769:1234:Smooth: Power"
STRAY = """
import os, sys, time
CODE = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", CODE], {})
    os._exit(0)
os.wait()
"""


@pytest.fixture
def stray():
    """The pid of a process that has nothing left of the tagged one that it descends from but the tag."""
    wait_first = "import sys; sys.stdin.readline()\n"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", wait_first + STRAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if not put_tag(process.pid, MARK):
            process.kill()
            pytest.skip("needs a kernel that lets a resource limit of a child be set")
        process.stdin.write(b"go\n")
        process.stdin.flush()
        pid = int(process.stdout.readline())
        assert process.wait() == 0
        yield pid
        os.kill(pid, 9)


def test_a_process_without_parent_group_session_and_environment_still_has_it(stray):
    assert read_tag(stray) == tag_of(MARK)


def test_this_process_has_none_and_nor_has_one_that_is_not_there():
    assert read_tag(os.getpid()) is None
    assert read_tag(2**22 + 1) is None
    assert not put_tag(2**22 + 1, MARK)


@given(st.text(), st.text())
def test_modules_of_a_node_have_different_tags_with_one_beginning(name, other):
    first, second = tag_of(f"1:2:{name}"), tag_of(f"1:2:{other}")
    assert (first == second) == (name == other)
    assert is_of_node(first, node_tag("1:2:"))
    assert not is_of_node(first, node_tag("1:3:"))
    assert first == tag_of(f"1:2:{name}") < 2**62
