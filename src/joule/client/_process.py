"""What a process needs that is a module: its messages on stderr, its prints at once, a quiet end behind `| head`.

Nothing here runs at import, nor for a module that a test starts with a Namespace.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys

__all__ = ["drop_broken_stdout", "prepare_process"]


def prepare_process() -> None:
    """Send our messages to stderr, unless the author set logging up, and let every printed line out at once."""
    logger = logging.getLogger("joule")
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def drop_broken_stdout() -> OSError | None:
    """Flush standard output; if that fails, let what is still in its buffer go nowhere, and return why.

    It fails with BrokenPipeError where nobody reads any more. Without this the interpreter fails to flush at its exit,
    complains, and ends with status 120.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return error
    except (AttributeError, ValueError):  # no standard output at all, or a closed one: nothing waits in it
        return None
    return None
