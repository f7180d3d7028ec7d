"""One daemon for one directory; what a killed one left is no obstacle."""

import subprocess
import sys

import pytest

from joule.daemon._node_lock import hold_node_lock
from joule.errors import NodeBusyError

HOLD = """
import fcntl, os, sys
from pathlib import Path
from joule.log import ProcessLock
lock = ProcessLock(Path(sys.argv[1]), "jouled")
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "node.lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


async def test_a_second_holder_is_told_who_has_it(holder, tmp_path):
    with pytest.raises(NodeBusyError, match=f"process {holder.pid}") as caught:
        async with hold_node_lock(tmp_path / "node.lock", tmp_path):
            pass
    assert caught.value.detail == {"directory": str(tmp_path), "pid": holder.pid}


async def test_the_lock_of_a_killed_holder_is_free(holder, tmp_path):
    holder.kill()
    holder.wait()
    async with hold_node_lock(tmp_path / "node.lock", tmp_path):
        pass


async def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        async with hold_node_lock(tmp_path / "absent" / "node.lock", tmp_path):
            pass
