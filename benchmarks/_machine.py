"""What a measurement ran on, so that its figures can be judged: no host names, no paths."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

__all__ = ["commit", "describe", "file_system"]


def describe(directory: Path) -> list[str]:
    """Return facts about the machine, one a line.

    Args:
        directory: Where the logs of the measurements lie.
    """
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "ezmsg"))
    system = f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"
    return [
        f"date: {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, commit {commit()}",
        f"processor: {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB of memory",
        f"system: {system}, logs on {file_system(directory)}",
        f"other work when it began: load average {os.getloadavg()[0]:.1f}",
        f"software: Python {platform.python_version()}, {packages}",
    ]


def commit() -> str:
    """Return the commit that is checked out, with a word where files differ from it."""
    try:
        name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.stdout.strip() + (" with changes" if changes.stdout.strip() else "")


def file_system(directory: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the type of the file system that holds a directory, such as ext4."""
    best, kind = "", "an unknown file system"
    for line in mounts.read_text().splitlines():
        _, point, name, *_ = line.split()
        inside = f"{directory.resolve()}/".startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, name
    return kind


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
