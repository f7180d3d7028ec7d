"""How much a module gives way to others, or they to it: its `nice`."""

from __future__ import annotations

import os

__all__ = ["add_niceness"]


def add_niceness(pid: int, nice: int) -> str:
    """Change the niceness of a process that was just started, and of what it starts from now on.

    Args:
        pid: Of the process, and of its group.
        nice: What is added to our own niceness; positive gives way to others.

    Returns:
        Why it could not be changed, for people; empty when it was.
    """
    if not nice:
        return ""
    wanted = max(-20, min(19, os.getpriority(os.PRIO_PROCESS, 0) + nice))
    try:
        os.setpriority(os.PRIO_PGRP, pid, wanted)
    except ProcessLookupError:  # it has ended already
        return ""
    except PermissionError:
        return f"nice = {nice} is not permitted to this user: it runs with the niceness of jouled"
    return ""
