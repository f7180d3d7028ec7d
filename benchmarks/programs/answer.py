"""How a measured process talks to the measurement: one JSON object a line on standard output."""

from __future__ import annotations

import json

__all__ = ["answer"]


def answer(**facts: float | bool | list[float]) -> None:
    """Print facts as one line, at once."""
    print(json.dumps(facts), flush=True)
