"""Composites: several modules in one process and one event loop, joined by local pipes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Iterable
from typing import Any

from joule.client._author import check_coroutine
from joule.client._base_module import BaseModule
from joule.client._interface import serving
from joule.client._wiring import needed, open_wiring
from joule.errors import EmptyPipeError, ModuleError
from joule.pipes import Composition, Pipe

__all__ = ["CompositeModule"]

_log = logging.getLogger("joule.client")


class CompositeModule(BaseModule):
    """Base of modules made of modules: implement `setup`."""

    async def setup(
        self, parsed_args: argparse.Namespace, inputs: dict[str, Pipe], outputs: dict[str, Pipe]
    ) -> list[Awaitable[Any]]:
        """Build the child modules and their local pipes. Must be implemented.

        Web pages of a composite are its own `routes()`; those of its children are not served.

        Args:
            parsed_args: The arguments that `custom_args` defined.
            inputs: Pipes by the names in the module's file.
            outputs: Likewise.

        Returns:
            What runs: coroutines such as `reader.run(parsed_args, pipe)`, tasks or futures. The composite ends when
            all have ended, or when one fails: then the others are cancelled, and the error is the composite's.
        """
        raise ModuleError(_missing_setup(self))

    async def run_as_task(self, parsed_args: argparse.Namespace, app: Any) -> asyncio.Task[Any]:
        """Return a task that opens the pipes, calls `setup`, waits for the children and closes the pipes.

        Raises:
            ModuleError: `setup` is missing, or no coroutine.
        """
        if type(self).setup is CompositeModule.setup:
            raise ModuleError(_missing_setup(self))
        check_coroutine(self.setup, type(self).__name__, "setup(self, parsed_args, inputs, outputs)")
        return asyncio.create_task(self._work(parsed_args, app))

    async def _work(self, parsed_args: argparse.Namespace, app: Any) -> None:
        name = type(self).__name__
        async with open_wiring(parsed_args, module=name, column=self.column_data) as opened:
            wiring = needed(opened, name)
            composition = wiring.compose()
            with composition.setting_up() if composition else contextlib.nullcontext():
                made = await self.setup(parsed_args, wiring.inputs, wiring.outputs)
            children = _checked(made, name)
            if composition is not None:
                _begin(composition, children)
            async with serving(app):
                await _run_children(children, name, composition)
            _log.info("all %d children returned", len(children))


def _begin(composition: Composition, children: list[Awaitable[Any]]) -> None:
    try:
        composition.begin(children)
    except BaseException:
        _discard(children)
        raise


async def _run_children(children: list[Awaitable[Any]], module: str, composition: Composition | None) -> None:
    """Wait for all; when one fails, end the others and raise its error (or a group, where several failed)."""
    try:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(_child(child, module, composition))
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from None
        raise


async def _child(child: Awaitable[Any], module: str, composition: Composition | None) -> None:
    if composition is not None:
        composition.enter(child)
    try:
        await child
    except EmptyPipeError as end:
        _log.info("a child of %s ended: %s", module, end)
    if composition is not None:
        composition.leave(child)


def _checked(children: object, module: str) -> list[Awaitable[Any]]:
    """Return what `setup` returned as a list, or refuse it."""
    found: list[Any] = [children]
    if isinstance(children, Iterable) and not isinstance(children, Awaitable):  # a future is both
        found = list(children)
    strangers = [child for child in found if not isinstance(child, Awaitable)]
    if strangers:
        _discard(found)
        came = type(strangers[0]).__name__
        raise ModuleError(
            f"{module}.setup() must return a list of coroutines ([reader.run(args, pipe), ...]), not {came}"
        )
    return found


def _discard(children: Iterable[Any]) -> None:
    """Close coroutines that will never run."""
    for child in children:
        if inspect.iscoroutine(child):
            child.close()


def _missing_setup(module: CompositeModule) -> str:
    return (
        f"{type(module).__name__} has no setup: implement `async def setup(self, parsed_args, inputs, outputs)`, which "
        "returns a list of coroutines to run"
    )
