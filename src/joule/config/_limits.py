"""The limits of a module: keys of its [Main] that say what it may use and when it counts as hung or failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from joule.config._fields import Fields
from joule.config._model import Limits
from joule.core import parse_duration, parse_size

__all__ = ["LIMIT_KEYS", "parse_limits"]

LIMIT_KEYS = (
    "timeout",
    "max_memory",
    "max_cpu",
    "max_processes",
    "nice",
    "max_restarts",
    "restart_window",
    "on_failed",
)
_ON_FAILED: dict[str, Literal["retry", "stop"]] = {"retry": "retry", "stop": "stop"}
_NONE = frozenset({"", "none", "no"})
_SHORTEST_US = 1_000_000  # what is shorter would count ordinary pauses of a busy machine

_Value = TypeVar("_Value", int, float)


def parse_limits(fields: Fields) -> Limits:
    """Return the limits in a module's [Main], defaults for what is left out or wrong."""
    default = Limits()
    return Limits(
        timeout_us=_value(fields, "timeout", default.timeout_us, _span),
        max_memory_bytes=_value(fields, "max_memory", default.max_memory_bytes, _memory),
        max_cpu_percent=_value(fields, "max_cpu", default.max_cpu_percent, _percent),
        max_processes=_value(fields, "max_processes", default.max_processes, _count),
        nice=_value(fields, "nice", default.nice, _niceness) or 0,
        max_restarts=_value(fields, "max_restarts", default.max_restarts, _count),
        restart_window_us=fields.parsed("restart_window", _span, default.restart_window_us),
        on_failed=fields.choice("on_failed", _ON_FAILED, default.on_failed),
    )


def _value(fields: Fields, key: str, default: _Value | None, read: Callable[[str], _Value]) -> _Value | None:
    """Return what `read` makes of a key's value; None for `none`; the default, with a fault, for what it refuses."""
    entry = fields.entry(key)
    if entry is not None and entry.value.lower() in _NONE:
        return None
    return fields.parsed(key, read, default, "or none")


def _span(text: str) -> int:
    span_us = parse_duration(text)
    if span_us < _SHORTEST_US:
        raise ValueError("write a duration of 1s or more")
    return span_us


def _memory(text: str) -> int:
    size_bytes = parse_size(text)
    if size_bytes < 1_000_000:
        raise ValueError("write a size of 1 MB or more: a Python process alone has some 30 MB")
    return size_bytes


def _percent(text: str) -> float:
    words = "write a part of one core such as 80 %, above 0"
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        raise ValueError(words) from None
    if not 0 < percent <= 100_000:  # of one core: 400 % are four; this refuses NaN too
        raise ValueError(words)
    return percent


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= 1_000_000):
        raise ValueError("write a whole number from 1 on")
    return int(text)


def _niceness(text: str) -> int:
    words = "write a whole number from -20 (goes first) to 19 (gives way)"
    try:
        nice = int(text)
    except ValueError:
        raise ValueError(words) from None
    if not -20 <= nice <= 19:
        raise ValueError(words)
    return nice
