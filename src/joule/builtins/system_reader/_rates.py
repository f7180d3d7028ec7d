"""From counters that only grow to rates, and from processor times to loads: pure rules, no I/O.

A counter that went back (it wrapped, or its driver was loaded anew) or that is gone (a disk was pulled out) leaves no
way to know what happened in between: the rate of that one sample is NaN, never a guess and never negative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

__all__ = ["CounterRates", "LoadMeter", "mean"]


class CounterRates:
    """Rates of pairs of counters, such as bytes read and written, summed over devices."""

    def __init__(self) -> None:
        self._last: Mapping[str, tuple[float, float]] | None = None
        self._last_s = 0.0

    def update(self, now_s: float, counters: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
        """Return the two rates since the last update, each in counts a second.

        A device that was not there at the last update counts from this one on.

        Args:
            now_s: Time of this reading on any clock that never goes back.
            counters: Both counters of each device.

        Returns:
            NaN at the first update, without time since the last one, and where a counter wrapped or vanished.
        """
        last, elapsed_s = self._last, now_s - self._last_s
        self._last, self._last_s = counters, now_s
        if last is None or elapsed_s <= 0:
            return math.nan, math.nan
        return _growth(last, counters, 0) / elapsed_s, _growth(last, counters, 1) / elapsed_s


def _growth(last: Mapping[str, tuple[float, float]], now: Mapping[str, tuple[float, float]], which: int) -> float:
    grown = [now[device][which] - counts[which] if device in now else math.nan for device, counts in last.items()]
    return math.nan if any(not growth >= 0 for growth in grown) else float(sum(grown))


class LoadMeter:
    """The share of its time that a processor core was busy."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._percent = 0.0

    def update(self, busy_s: float, total_s: float) -> float:
        """Return the load since the last update [%].

        The kernel counts in ticks (of 10 ms, mostly). Between two ticks there is nothing new to know, and the last
        load is given again.

        Args:
            busy_s: Time that the core worked since it started.
            total_s: Time that it worked or idled.

        Returns:
            0 to 100; NaN at the first update, and where a counter went back.
        """
        last, self._last = self._last, (busy_s, total_s)
        if last is None:
            return math.nan
        # The times are sums of floating-point seconds: below a microsecond there is only their rounding, to -0.0 too.
        busy, total = round(busy_s - last[0], 6) + 0.0, round(total_s - last[1], 6)
        if busy < 0 or total < 0:
            return math.nan
        if total > 0:
            # Busy and total come from several counters that do not step at one instant: a little over 100 is possible.
            self._percent = min(100.0, 100 * busy / total)
        return self._percent


def mean(values: Sequence[float]) -> float:
    """Return the mean of the values that are no NaN, NaN where there is none."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
