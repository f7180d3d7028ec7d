"""Where a module's pipes come from: from a supervisor by the manifest in `--pipes`, else none but standard output.

The supervisor is this version's `jouled`, whose pipes are logs, or that of another era, whose pipes are descriptors.

Committing is the runner's: a module whose `run()` returned has dealt with everything that it read. A module that was
cancelled or failed commits nothing more. Its pipes are closed either way.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from joule.client._arguments import pipes_argument
from joule.errors import JouleError, ModuleError
from joule.pipes import Composition, DescriptorManifest, Manifest, Pipe, open_descriptors, open_manifest

__all__ = ["Wiring", "needed", "open_wiring"]


class Wiring(Protocol):
    """The open pipes of a module.

    Attributes:
        inputs: By pipe name.
        outputs: By pipe name.
    """

    inputs: dict[str, Pipe]
    outputs: dict[str, Pipe]

    def commit(self) -> None:
        """Make the present positions count."""

    def compose(self) -> Composition | None:
        """Let the module be a composite, whose children each have positions; None where there are none to keep."""


@contextlib.asynccontextmanager
async def open_wiring(parsed_args: argparse.Namespace, *, module: str, column: bool) -> AsyncIterator[Wiring | None]:
    """Open the pipes that a supervisor gave the module, and commit when the block ends normally.

    Args:
        parsed_args: The module's arguments.
        module: Its class's name, for messages.
        column: Shape of one-element rows, see `Pipe.column`.

    Yields:
        The pipes; None when nobody made any.

    Raises:
        ModuleError: They cannot be opened.
    """
    text = pipes_argument(parsed_args)
    if text is None:
        yield None
        return
    async with contextlib.AsyncExitStack() as stack:
        try:
            wiring = await stack.enter_async_context(_open(text, column=column))
        except (JouleError, OSError) as error:
            raise ModuleError(f"{module} cannot open its pipes: {error}") from error
        yield wiring
        wiring.commit()


def _open(text: str, *, column: bool) -> AbstractAsyncContextManager[Wiring]:
    descriptors = DescriptorManifest.parse(text)
    if descriptors is not None:
        return open_descriptors(descriptors, column=column)
    return open_manifest(Manifest.parse(text), column=column)


def needed(wiring: Wiring | None, module: str) -> Wiring:
    """Return the pipes of a module that cannot do without.

    Raises:
        ModuleError: There are none, because the module was not started by `jouled`.
    """
    if wiring is None:
        raise ModuleError(
            f"{module} needs pipes, and only readers can run without: put a file for it into the node's "
            "module_configs and run it under jouled, or call its methods with LocalNumpyPipes in a test"
        )
    return wiring
