"""A skip is named where people run the tests, and a failure in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEST = """
import pytest

@pytest.mark.needs("a-program-that-is-nowhere")
def test_something():
    pass
"""


@pytest.mark.parametrize(("ci", "status", "words"), [("", 0, "1 skipped"), ("true", 1, "a skip in CI is a failure")])
def test_a_missing_program_is_named_and_in_ci_a_failure(tmp_path, ci, status, words):
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "--rootdir", tmp_path, tmp_path]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "CI": ci})
    assert (answer.returncode, words in answer.stdout) == (status, True), answer.stdout
    assert "a-program-that-is-nowhere" in answer.stdout
