"""The limits of a module as one line for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joule.cli._text import duration, size

__all__ = ["limits_text", "recent_ends_text"]


def limits_text(limits: Mapping[str, Any]) -> str:
    """Return what a module may use and when it counts as failed, such as `memory 800 MB, 500 processes, ...`.

    Args:
        limits: By the names of `joule.config.Limits`; those of a newer node are not shown.
    """
    parts = [
        f"a row every {duration(limits['timeout_us'])}" if limits.get("timeout_us") else "",
        f"memory {size(limits['max_memory_bytes'])}" if limits.get("max_memory_bytes") else "",
        f"CPU {limits['max_cpu_percent']:g} %" if limits.get("max_cpu_percent") else "",
        f"{limits['max_processes']} processes" if limits.get("max_processes") else "",
        f"niceness {limits['nice']:+d}" if limits.get("nice") else "",
        _failed(limits),
    ]
    return ", ".join(part for part in parts if part)


def recent_ends_text(recent_ends: int, limits: Mapping[str, Any]) -> str:
    """Return how near a module is to being called failed; nothing where it has not ended lately."""
    window_us = limits.get("restart_window_us")
    return f"{recent_ends} within {duration(window_us)}" if recent_ends and window_us else ""


def _failed(limits: Mapping[str, Any]) -> str:
    most, window_us = limits.get("max_restarts"), limits.get("restart_window_us")
    if not most or not window_us:
        return "never failed" if limits else ""
    then = "then left so" if limits.get("on_failed") == "stop" else "then tried once in that time"
    return f"failed at {most} ends within {duration(window_us)}, {then}"
