"""`BaseModule` and the keys of web modules, where module files of the newest era import them from.

The keys come from aiohttp, which takes longer to load than all of a module without web pages: they are loaded when they
are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joule.client._base_module import BaseModule

if TYPE_CHECKING:
    from joule.client._web_keys import state_key as state_key
    from joule.client._web_keys import task_key as task_key

__all__ = ["BaseModule", "state_key", "task_key"]


def __getattr__(name: str) -> Any:
    if name in ("state_key", "task_key"):
        from joule.client import _web_keys

        return getattr(_web_keys, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
