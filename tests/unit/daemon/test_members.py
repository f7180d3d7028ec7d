"""Which processes are a module's."""

import subprocess
import sys

import pytest

from joule.daemon._members import find_members
from joule.daemon._tag import put_tag

CHILD_OF_ITS_OWN = """
import os, sys, time
sys.stdin.readline()
if os.fork() == 0:
    os.setsid()
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def start():
    """Start a process as a module's is started, tagged or not, and have it start another in a session of its own."""
    started = []

    def start(mark=None):
        command = [sys.executable, "-I", "-S", "-c", CHILD_OF_ITS_OWN]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        started.append(process)
        if mark is not None and not put_tag(process.pid, mark):
            pytest.skip("needs a kernel that lets a resource limit of a child be set")
        process.stdin.write(b"go\n")
        process.stdin.flush()
        return process.pid, {int(process.stdout.readline()) for _ in range(2)}

    yield start
    for process in started:
        (members,) = find_members({"x:y:any": process.pid}).values()
        for member in members:
            subprocess.run(["kill", "-9", str(member.pid)], check=True)
        process.communicate()


@pytest.mark.parametrize("mark", ["1:2:tagged", None])
def test_members_are_the_process_and_what_it_started_with_a_tag_or_without(start, mark):
    pid, both = start(mark)
    found = find_members({mark or "1:2:plain": pid})[mark or "1:2:plain"]
    assert {process.pid for process in found} == both


def test_modules_with_and_without_tags_are_told_apart_in_one_pass(start):
    first, second, third = start("1:2:a"), start("1:2:b"), start()
    found = find_members({"1:2:a": first[0], "1:2:b": second[0], "1:2:c": third[0]})
    assert [{process.pid for process in members} for members in found.values()] == [first[1], second[1], third[1]]


def test_without_modules_nothing_is_read_and_nothing_is_found():
    assert find_members({}) == {}


def test_a_module_that_has_gone_has_no_members():
    assert find_members({"1:2:a": 2**22 + 1}) == {"1:2:a": []}
