"""Nothing is depended on that is not used."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    ("requirements", "folder"),
    [(PROJECT["dependencies"], "src/joule"), (PROJECT["optional-dependencies"]["bench"], "benchmarks")],
)
def test_every_dependency_is_imported_somewhere(requirements, folder):
    code = "\n".join(path.read_text() for path in (ROOT / folder).rglob("*.py"))
    names = [re.match(r"[\w.-]+", requirement)[0] for requirement in requirements]
    assert [name for name in names if not re.search(rf"^\s*(from|import) {name}\b", code, re.MULTILINE)] == []
