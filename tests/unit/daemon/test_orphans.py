"""Processes whose parents have gone, in a program of their own: being their heir changes the whole process."""

import subprocess
import sys
import textwrap

import pytest

from joule.daemon._orphans import children

PROGRAM = """
    import asyncio, os, subprocess, sys, time
    from joule.daemon._child import Child
    from joule.daemon import _orphans
    from joule.daemon._orphans import adopt_orphans, children, reap_for_ever
    from joule.daemon._process_table import process_info

    FORK_AWAY = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\nprint(os.getpid(), flush=True)\\n"

    async def until(condition):
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)

    async def main():
"""


def run(body):
    """Run the body of a coroutine with an event loop; returns what it prints."""
    code = textwrap.dedent(PROGRAM) + textwrap.indent(textwrap.dedent(body), "    ") + "\nasyncio.run(main())\n"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15)
    assert result.returncode == 0, result.stderr
    if "no heir" in result.stdout:
        pytest.skip("needs a kernel with child subreapers and lists of children")
    return result.stdout.split()


def test_zombies_of_nobody_are_waited_for_and_those_of_our_own_children_are_kept():
    said = run("""
        async with adopt_orphans(Child.own):
            child = Child([sys.executable, "-I", "-S", "-c", "raise SystemExit(7)"])
            own = children()
            if not own: print("no heir")
            command = "import os, time; pid = os.fork(); os._exit(0) if pid else time.sleep(0.05)"
            subprocess.run([sys.executable, "-I", "-S", "-c", command], check=True)
            await child.wait()
            _orphans._REAP_S = 0.01
            reaping = asyncio.ensure_future(reap_for_ever(Child.own))
            await until(lambda: children() == {child.pid})
            reaping.cancel()
            print(child.reap(), len(children()))
    """)
    assert said == ["7", "0"]


def test_a_stray_that_carries_nothing_is_ended_with_the_node():
    said = run("""
        child = Child([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
        async with adopt_orphans(Child.own):
            command = [sys.executable, "-I", "-S", "-c", FORK_AWAY + "time.sleep(60)"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, env={}) as process:
                pid = int(process.stdout.readline())
            if pid not in children(): print("no heir")
            print(process_info(pid) is not None)
        print(process_info(pid) is not None, process_info(child.pid) is not None)
        os.kill(child.pid, 9)
        await child.wait()
        child.reap()
    """)
    assert said == ["True", "False", "True"]


def test_this_process_has_the_children_that_it_started():
    with subprocess.Popen(["sleep", "60"]) as process:
        found = children()
        process.kill()
    if not found:
        pytest.skip("needs a kernel with lists of children")
    assert process.pid in found
