"""A module process loads NumPy and little else: on a small board every megabyte and tenth of a second counts."""

import json
import re
import subprocess
import sys

import pytest

LIST_THEM = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
BASELINE = "import argparse, asyncio, json, logging, numpy; argparse.ArgumentParser().parse_args([]); " + LIST_THEM
READER = """
import json, sys
from joule import ReaderModule, time_now

class Weight(ReaderModule):
    async def run(self, parsed_args, output):
        await output.write([[time_now(), 1.0]])
        names = {name.partition(".")[0] for name in sys.modules}
        print(json.dumps(sorted(names)))

Weight().start()
"""
FILTER = """
import json, sys
import joule.client, joule.pipes, joule.log
joule.client.FIRFilterModule
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
# What Joule adds to a process that has loaded argparse, asyncio, json, logging and NumPy.
ALLOWED = {
    *("joule", "__future__", "dataclasses", "copy", "mmap", "bisect", "queue"),
    *("pathlib", "fnmatch", "glob", "grp", "ntpath", "pwd"),
    *("secrets", "hmac", "hashlib", "random"),  # names that no other process chooses
    *("urllib", "ipaddress"),  # a module's name as a file name: urllib.parse, which brings the other
    *("fractions", "decimal", "numbers"),  # durations, exact
    "zlib",  # checksums
}


def loaded(source):
    """The top-level packages that a process has loaded, from its last line of output; C accelerators left out."""
    ended = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=15, stdin=subprocess.DEVNULL
    )
    return {name for name in json.loads(ended.stdout.splitlines()[-1]) if not re.match("_[a-z]", name)}


@pytest.mark.parametrize("source", [READER, FILTER])
def test_a_module_loads_numpy_and_little_else(source):
    assert loaded(source) - loaded(BASELINE) <= ALLOWED


def test_import_joule_alone_does_not_even_load_numpy():
    assert loaded("import joule; " + LIST_THEM) & {"numpy", "asyncio", "argparse", "dataclasses"} == set()


def test_nothing_of_the_node_is_loaded_by_a_running_reader():
    heavy = {"aiohttp", "click", "dateparser", "psutil", "pydantic", "rich", "sqlite3", "unittest", "urllib.request"}
    assert loaded(READER) & heavy == set()


MEMORY = "import re; print(re.search(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read())[1])"
WRITING = """
import os, sys
import numpy as np
from joule import ReaderModule

class Memory(ReaderModule):
    async def run(self, parsed_args, output):
        terminal, sys.stdout = sys.stdout, open(os.devnull, "w")
        for first in range(0, 200_000, 1000):
            await output.write(np.column_stack((np.arange(first, first + 1000), np.zeros((1000, 8)))))
        sys.stdout.close()
        sys.stdout = terminal

Memory().start()
"""


def test_a_reader_that_writes_needs_half_as_much_memory_again_as_numpy_alone():
    def rss_kib(source):
        command = [sys.executable, "-c", f"{source}\n{MEMORY}"]
        ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=15)
        return int(ended.stdout.splitlines()[-1])

    assert rss_kib(WRITING) < 1.5 * rss_kib("import asyncio, numpy")
