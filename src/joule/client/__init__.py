"""What module authors extend, and the runner behind `start()`.

A module's file is a program: `ExampleReader().start()` parses the command line, runs `run()` in an event loop, turns
signals into `stop()`, and ends the process as a supervisor expects. The classes of these names in `joule` itself are
the same but for the shape of one-element rows (`BaseModule.column_data`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joule.client._base_module import BaseModule
from joule.client._column import CompositeModule, FilterModule, ReaderModule
from joule.client._yesno import yesno

if TYPE_CHECKING:
    from joule.client._column_fir_filter import FIRFilterModule as FIRFilterModule

__all__ = ["BaseModule", "CompositeModule", "FIRFilterModule", "FilterModule", "ReaderModule", "yesno"]


def __getattr__(name: str) -> Any:
    if name == "FIRFilterModule":
        from joule.client._column_fir_filter import FIRFilterModule

        return FIRFilterModule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
