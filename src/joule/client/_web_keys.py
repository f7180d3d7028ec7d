"""Keys by which a module's web handlers find what belongs to the module. Loads aiohttp, so only web modules load it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from joule.client._interface import Interface

__all__ = ["interface_key", "state_key", "task_key"]

state_key: web.AppKey[dict[Any, Any]] = web.AppKey("state_key", dict)
"""A dictionary of the module's own, for what `run` and its handlers share: `request.app[state_key]`."""

task_key: web.AppKey[asyncio.Task[Any]] = web.AppKey("task_key", asyncio.Task)
"""The task that is the module at work; in applications that `create_dev_app` made."""

interface_key: web.AppKey[Interface] = web.AppKey("interface_key", Interface)
"""What serves the application while the module runs."""
