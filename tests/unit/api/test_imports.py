"""Importing the client loads neither web client nor catalog: commands that need none of them start fast."""

import subprocess
import sys


def test_the_client_is_light_until_a_node_is_opened():
    code = "import joule.api, sys; print([m for m in ('aiohttp', 'sqlite3', 'psutil', 'pydantic') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
