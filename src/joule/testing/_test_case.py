"""The `TestCase` of the seed page's unit tests: a fresh event loop for each test.

asynctest, which the page used, is no more. This class keeps what its recipe needs: inside a plain `def test_...`,
`asyncio.get_event_loop()` returns the test's own loop, on every supported Python and without a warning, and the test
may close it. `async def` tests (and `setUp`, `tearDown`) run in that loop.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import unittest
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["TestCase"]


class TestCase(unittest.TestCase):
    """A `unittest.TestCase` with an event loop of its own for each test.

    Attributes:
        loop: The loop of the test that runs now.
    """

    loop: asyncio.AbstractEventLoop

    def __init__(self, methodName: str = "runTest") -> None:  # noqa: N803  # unittest's name
        super().__init__(methodName)
        for name in (methodName, "setUp", "tearDown"):
            method = getattr(self, name, None)
            if inspect.iscoroutinefunction(method):
                setattr(self, name, self._in_loop(method))

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test with a fresh loop as the current one; close it afterwards unless the test did."""
        self._use_fresh_loop()
        try:
            return super().run(result)
        finally:
            _close(self.loop)
            asyncio.set_event_loop(None)

    def _use_fresh_loop(self) -> None:
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)

    def _in_loop(self, method: Callable[[], Awaitable[Any]]) -> Callable[[], None]:
        @functools.wraps(method)
        def run_in_loop() -> None:
            if self.loop.is_closed():  # by the test, and this is its tearDown
                self._use_fresh_loop()
            self.loop.run_until_complete(method())

        # unittest and pytest ask whether the method is a coroutine function, and look behind wrappers to find out.
        del run_in_loop.__wrapped__
        return run_in_loop


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """End what the test left running in the loop, and close it."""
    if loop.is_closed():
        return
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    try:
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
