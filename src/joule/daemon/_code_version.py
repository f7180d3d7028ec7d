"""Which code a module's command runs: its file with a hash, its version, and the Python that runs it.

Files are only read, nothing is run or imported. What was found is kept as long as the files are the same, so that two
hundred modules of one script cost one look.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from joule.daemon._git import describe_directory, describe_file

__all__ = ["CodeVersion", "find_code_version"]

_LARGEST_BYTES = 64 * 2**20  # larger programs are not hashed: a module's start waits for it
_PYTHON = re.compile(r"python(\d(?:\.\d+)?)?")
_OPTIONS_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CodeVersion:
    """What is known of a command's code; texts are empty where something is not.

    Attributes:
        version: A commit of git, or a distribution with its version.
        script: Path of the file that is run.
        sha256: Of that file.
        python: Version of the Python that runs it.
    """

    version: str = ""
    script: str = ""
    sha256: str = ""
    python: str = ""


def find_code_version(command: Sequence[str], directory: Path) -> CodeVersion:
    """Return which code a command runs. Whatever cannot be found out is left empty.

    Args:
        command: Program and arguments.
        directory: Where relative paths in it begin.
    """
    program = Path(command[0])
    if not _PYTHON.fullmatch(program.name):
        return _of_program(program)
    python = _python_version(program)
    kind, what = _python_argument(command[1:])
    if kind == "module":
        package = what.partition(".")[0]
        return CodeVersion(version=_distribution_of_package(_prefix(program), package), python=python)
    if kind == "script":
        return dataclasses.replace(_of_script(directory / what), python=python)
    return CodeVersion(python=python)


def _python_argument(arguments: Sequence[str]) -> tuple[str, str]:
    """Return what Python is told to run: `script` or `module` and its name; empty texts for anything else."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "-m":
            return "module", next(rest, "")
        if argument == "-c":
            break
        if not argument.startswith("-"):
            return "script", argument
        if argument in _OPTIONS_WITH_VALUE:
            next(rest, "")
    return "", ""


def _of_script(path: Path) -> CodeVersion:
    try:
        status = path.stat()
        content, sha256 = _content(path, status.st_mtime_ns, status.st_size)
    except OSError:
        return CodeVersion(script=str(path))
    return CodeVersion(version=describe_file(path.resolve(), content), script=str(path), sha256=sha256)


def _of_program(path: Path) -> CodeVersion:
    found = _of_script(path)
    interpreter = _interpreter(path)
    if interpreter is None:
        return found
    installed = _distribution_of_script(path.parent.parent, path.name)
    return dataclasses.replace(found, version=installed or found.version, python=_python_version(interpreter))


def _interpreter(path: Path) -> Path | None:
    """Return the Python that the first line of a program names; None for another program."""
    try:
        with path.open("rb") as file:
            line = os.fsdecode(file.readline(256))
    except OSError:
        return None
    words = line.removeprefix("#!").split() if line.startswith("#!") else []
    named = next((word for word in words if _PYTHON.fullmatch(os.path.basename(word))), None)
    found = shutil.which(named) if named else None  # as env looks for it, in the PATH that the module gets
    return Path(found) if found else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Distribution:
    name: str
    version: str
    scripts: frozenset[str]
    packages: frozenset[str]
    source: Path | None

    def describe(self) -> str:
        commit = describe_directory(self.source) if self.source else ""
        return f"{self.name} {self.version}" + (f", {commit}" if commit else "")


@functools.lru_cache(maxsize=256)
def _content(path: Path, mtime_ns: int, size: int) -> tuple[bytes, str]:
    if size > _LARGEST_BYTES:
        return b"", ""
    content = path.read_bytes()
    return (content if size < 2**20 else b""), hashlib.sha256(content).hexdigest()


def _prefix(python: Path) -> Path:
    return python.parent.parent


@functools.lru_cache(maxsize=64)
def _python_version(python: Path) -> str:
    """Return the version of an interpreter, by what lies beside it; empty where that does not tell."""
    if os.path.realpath(python) == os.path.realpath(sys.executable):
        return platform.python_version()
    try:
        settings = (_prefix(python) / "pyvenv.cfg").read_text()
    except OSError:
        settings = ""
    told = re.search(r"^version(?:_info)?\s*=\s*(\d+(?:\.\d+)*)", settings, re.MULTILINE)
    if told:
        return told[1]
    named = _PYTHON.fullmatch(os.path.basename(os.path.realpath(python)))
    return (named[1] or "") if named else ""


def _distribution_of_script(prefix: Path, script: str) -> str:
    return next((found.describe() for found in _installed(prefix) if script in found.scripts), "")


def _distribution_of_package(prefix: Path, package: str) -> str:
    return next((found.describe() for found in _installed(prefix) if package in found.packages), "")


def _installed(prefix: Path) -> Iterator[_Distribution]:
    for places in _site_packages(prefix):
        yield from _distributions(places, places.stat().st_mtime_ns)


def _site_packages(prefix: Path) -> list[Path]:
    return sorted(prefix.glob("lib/python3*/site-packages"))


@functools.lru_cache(maxsize=8)
def _distributions(places: Path, mtime_ns: int) -> list[_Distribution]:
    """Return all that is installed in a place."""
    found = []
    for distribution in importlib.metadata.distributions(path=[str(places)]):
        scripts = frozenset(entry.name for entry in distribution.entry_points if entry.group == "console_scripts")
        # Not `distribution.files`, which makes a path of each of the thousands of files of such as NumPy.
        record = distribution.read_text("RECORD") or ""
        tops = {line.partition(",")[0].partition("/")[0] for line in record.splitlines()}
        modules = {entry.value.partition(":")[0].partition(".")[0] for entry in distribution.entry_points}
        packages = frozenset(name.removesuffix(".py") for name in tops) | modules
        found.append(
            _Distribution(
                name=distribution.name,
                version=distribution.version,
                scripts=scripts,
                packages=packages,
                source=_editable_source(distribution.read_text("direct_url.json")),
            )
        )
    return found


def _editable_source(text: str | None) -> Path | None:
    """Return where the code of an editable installation lies; None for an ordinary one."""
    facts = json.loads(text) if text else {}
    is_editable = facts.get("dir_info", {}).get("editable", False)
    return Path(unquote(urlsplit(facts["url"]).path)) if is_editable else None
