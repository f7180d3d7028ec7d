"""The daemon `jouled`: runs the modules of a node, looks after their streams, and answers questions about them.

Process picture of a node:

    jouled ─┬─ module (own session: itself and what it starts)     rows: module → stream log → module, never through
            ├─ logger of that module (own session, nice 5)         jouled
            └─ ...

A module's output goes to its logger, its rows to the logs, its positions to its cursor file: nothing that it holds ends
in `jouled`, which can be killed and started again.
"""

from joule.daemon._main import main

__all__ = ["main"]
