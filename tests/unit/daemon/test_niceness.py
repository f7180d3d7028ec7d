"""How a module is made to give way, or not."""

import os
import subprocess
import sys

import pytest

from joule.daemon._niceness import add_niceness

ASK = """
import os, sys
from joule.daemon._niceness import add_niceness
if os.getuid() == 0:
    os.setuid(65534)
print(add_niceness(os.getpid(), int(sys.argv[1])))
print(os.getpriority(os.PRIO_PROCESS, 0))
"""


def ask_as_a_user(nice):
    """Have an ordinary user change a process; returns what is said, and how nice that is then."""
    command = [sys.executable, "-c", ASK, str(nice)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    return result.stdout.splitlines()


def test_a_module_that_shall_go_first_runs_as_it_is_where_that_is_not_permitted():
    said, niceness = ask_as_a_user(-5)
    assert said == "nice = -5 is not permitted to this user: it runs with the niceness of jouled"
    assert int(niceness) == os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.parametrize("nice", [0, 3, 19])
def test_everybody_may_give_way(nice):
    said, niceness = ask_as_a_user(nice)
    assert (said, int(niceness)) == ("", min(19, os.getpriority(os.PRIO_PROCESS, 0) + nice))


def test_a_process_that_has_ended_is_no_trouble():
    assert add_niceness(2**22 + 1, 5) == ""
