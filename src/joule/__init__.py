"""Data capture and signal processing for people with sensors and a Linux box.

The names that module authors use. Each is loaded when it is first asked for, so that `import joule` costs nothing and
a module process loads only what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joule._version import __version__

if TYPE_CHECKING:
    from joule.client._base_module import BaseModule as BaseModule
    from joule.client._composite_module import CompositeModule as CompositeModule
    from joule.client._filter_module import FilterModule as FilterModule
    from joule.client._fir_filter import FIRFilterModule as FIRFilterModule
    from joule.client._reader_module import ReaderModule as ReaderModule
    from joule.client._yesno import yesno as yesno
    from joule.core.clock import time_now as time_now
    from joule.errors import EmptyPipe as EmptyPipe
    from joule.errors import EmptyPipeError as EmptyPipeError
    from joule.errors import JouleError as JouleError
    from joule.errors import NumpyPipeError as NumpyPipeError
    from joule.errors import PipeError as PipeError
    from joule.pipes import InputPipe as InputPipe
    from joule.pipes import LocalNumpyPipe as LocalNumpyPipe
    from joule.pipes import LocalPipe as LocalPipe
    from joule.pipes import OutputPipe as OutputPipe
    from joule.pipes import Pipe as JoulePipe
    from joule.pipes import Pipe as NumpyPipe
    from joule.pipes import Pipe as Pipe

__all__ = [
    "BaseModule",
    "CompositeModule",
    "EmptyPipe",
    "EmptyPipeError",
    "FIRFilterModule",
    "FilterModule",
    "InputPipe",
    "JouleError",
    "JoulePipe",
    "LocalNumpyPipe",
    "LocalPipe",
    "NumpyPipe",
    "NumpyPipeError",
    "OutputPipe",
    "Pipe",
    "PipeError",
    "ReaderModule",
    "__version__",
    "time_now",
    "yesno",
]

_HOMES = {
    "BaseModule": "joule.client._base_module",
    "CompositeModule": "joule.client._composite_module",
    "EmptyPipe": "joule.errors",
    "EmptyPipeError": "joule.errors",
    "FIRFilterModule": "joule.client._fir_filter",
    "FilterModule": "joule.client._filter_module",
    "InputPipe": "joule.pipes",
    "JouleError": "joule.errors",
    "JoulePipe": "joule.pipes:Pipe",  # the seed page's prose calls pipes this
    "LocalNumpyPipe": "joule.pipes",
    "LocalPipe": "joule.pipes",
    "NumpyPipe": "joule.pipes:Pipe",
    "NumpyPipeError": "joule.errors",
    "OutputPipe": "joule.pipes",
    "Pipe": "joule.pipes",
    "PipeError": "joule.errors",
    "ReaderModule": "joule.client._reader_module",
    "time_now": "joule.core.clock",
    "yesno": "joule.client._yesno",
}

_PACKAGES = ("api", "client", "errors", "models", "pipes", "utilities")
"""What `import joule` makes reachable as `joule.api` and so on, as pages of several eras write it."""


def __getattr__(name: str) -> Any:
    import importlib

    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = home.partition(":")
    value = getattr(importlib.import_module(module), attribute or name)
    globals()[name] = value  # the next access does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
