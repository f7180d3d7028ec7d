"""When something that ended is started again: pure rules, no clock."""

from __future__ import annotations

__all__ = ["HEALTHY_S", "failures_after", "restart_delay_s"]

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
JITTER = 0.2  # so that modules which fall together do not return together
HEALTHY_S = 60.0


def restart_delay_s(failures: int, chance: float) -> float:
    """Return how long to wait before the next start.

    Args:
        failures: Ends in a row without a healthy minute, 1 or more.
        chance: From 0 to 1, evenly distributed; shortens the delay by up to `JITTER`.

    Returns:
        At most 1 s after the first end, doubling to 30 s at most.
    """
    doublings = min(failures - 1, 10)  # 2^5 is beyond the longest already
    delay_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0**doublings)
    return delay_s * (1.0 - JITTER * chance)


def failures_after(failures: int, ran_s: float) -> int:
    """Return the number of ends in a row, after one more that came `ran_s` after its start."""
    return 1 if ran_s >= HEALTHY_S else failures + 1
