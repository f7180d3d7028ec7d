"""When something that ended is started again, and when that is given up: pure rules, no clock."""

from __future__ import annotations

import dataclasses
from typing import Literal

__all__ = ["HEALTHY_S", "EndHistory", "Verdict", "failures_after", "restart_delay_s"]

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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from an end.

    Attributes:
        is_failed: There were too many within the window.
        delay_s: How long to wait before the next start; None until somebody starts it.
    """

    is_failed: bool
    delay_s: float | None


class EndHistory:
    """The ends of one module since somebody last started it, and what follows from each.

    Attributes:
        in_a_row: Ends without a healthy minute before them.
    """

    def __init__(self) -> None:
        self.in_a_row = 0
        self._ends_s: list[float] = []
        self._is_failed = False

    def recent(self, now_s: float, window_s: float) -> int:
        """Return how many ends there were within `window_s` before now."""
        return sum(end_s > now_s - window_s for end_s in self._ends_s)

    def note_end(
        self,
        *,
        now_s: float,
        ran_s: float,
        max_ends: int | None,
        window_s: float,
        on_failed: Literal["retry", "stop"],
        chance: float,
    ) -> Verdict:
        """Count an end and return what follows from it.

        A module that has failed is tried once in every window; an end of that try before its healthy minute leaves it
        failed, whatever the window then holds.

        Args:
            now_s: When it ended, on any clock that does not step.
            ran_s: How long it had run.
            max_ends: As many within the window make it failed; None never does.
            window_s: The window.
            on_failed: Whether a failed one is tried again by itself.
            chance: See `restart_delay_s`.
        """
        self.in_a_row = failures_after(self.in_a_row, ran_s)
        self._ends_s = [end_s for end_s in self._ends_s if end_s > now_s - window_s] + [now_s]
        is_still_failed = self._is_failed and ran_s < HEALTHY_S
        self._is_failed = max_ends is not None and (is_still_failed or len(self._ends_s) >= max_ends)
        if not self._is_failed:
            return Verdict(is_failed=False, delay_s=restart_delay_s(self.in_a_row, chance))
        return Verdict(is_failed=True, delay_s=window_s if on_failed == "retry" else None)

    def note_no_start(self, chance: float) -> float:
        """Count a start that did not even give a process; returns how long to wait before the next, s."""
        self.in_a_row += 1
        return restart_delay_s(self.in_a_row, chance)
