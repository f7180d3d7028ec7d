"""Calling what module authors wrote, and saying by name what they forgot to write."""

from __future__ import annotations

import contextlib
import inspect
import logging
import types
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from joule.errors import EmptyPipeError, ModuleError
from joule.pipes import Pipe

__all__ = ["call_run", "check_coroutine", "check_setup"]

_log = logging.getLogger("joule.client")


def check_coroutine(method: Callable[..., Any], module: str, signature: str) -> None:
    """Refuse a method that is an ordinary function: it would block the loop, or be a coroutine by accident only.

    Args:
        method: The bound method.
        module: Name of its class.
        signature: What it should be, such as `run(self, parsed_args, output)`.

    Raises:
        ModuleError: It is neither a coroutine function nor an async generator function. (Callable objects, such as
            mocks, are taken at their word.)
    """
    name = signature.partition("(")[0]
    if not callable(method):
        raise ModuleError(f"{module}.{name} is {method!r}; it must be a method: async def {signature}")
    function = inspect.unwrap(method)
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if not is_async and isinstance(function, (types.FunctionType, types.MethodType)):
        raise ModuleError(
            f"{module}.{name} is not a coroutine: write `async def {signature}` and `await` pipes and sleeps in it"
        )


def check_setup(setup: Callable[..., Any], module: str, signature: str) -> bool:
    """Return whether `setup` is the hook: in eras without one, authors gave that name to methods of their own.

    Args:
        setup: The bound method.
        module: Name of its class.
        signature: What the hook looks like, such as `setup(self, parsed_args, app, output)`.

    Raises:
        ModuleError: It takes the hook's arguments and is no coroutine.
    """
    try:
        inspect.signature(setup).bind(*[None] * signature.count(","))
    except (TypeError, ValueError):  # other arguments, or no callable at all
        _log.warning(
            "%s.setup is not called before run(), as its arguments are its own; the hook is `async def %s`",
            *(module, signature),
        )
        return False
    check_coroutine(setup, module, signature)
    return True


async def call_run(run: Callable[..., Any], *arguments: Any, module: str, output: Pipe | None = None) -> None:
    """Call `run` and wait for its end; write what it yields if it is an async generator.

    Its end by `EmptyPipeError` is a normal one: the module reads in an endless loop, and its input has ended.

    Raises:
        ModuleError: It returned something that cannot be awaited.
    """
    try:
        result = run(*arguments)
        if inspect.isasyncgen(result) and output is not None:
            await _write_all(result, output)
        elif isinstance(result, Awaitable):
            await result
        else:
            raise ModuleError(
                f"{module}.run() returned {type(result).__name__}, not a coroutine: write `async def run`"
            )
    except EmptyPipeError as end:
        _log.info("%s.run() ended: %s", module, end)


async def _write_all(arrays: Any, output: Pipe) -> None:
    async with contextlib.aclosing(arrays) as generator:
        generator_: AsyncIterator[Any] = generator
        async for array in generator_:
            await output.write(array)
