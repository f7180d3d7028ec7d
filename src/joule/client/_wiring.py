"""Where a module's pipes come from: from `jouled` by the manifest in `--pipes`, else none but standard output.

Committing is the runner's: a module whose `run()` returned has dealt with everything that it read. A module that was
cancelled or failed commits nothing more. Its pipes are closed either way.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from joule.client._arguments import pipes_argument
from joule.errors import JouleError, ModuleError
from joule.pipes import Pipe

__all__ = ["Wiring", "open_wiring"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The pipes of one run.

    Attributes:
        inputs: By the names in the module's file.
        outputs: Likewise.
    """

    inputs: dict[str, Pipe]
    outputs: dict[str, Pipe]


@contextlib.asynccontextmanager
async def open_wiring(parsed_args: argparse.Namespace, *, module: str, column: bool) -> AsyncIterator[Wiring | None]:
    """Open the pipes that `jouled` gave the module, and commit when the block ends normally.

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
    from joule.pipes import Manifest, open_manifest  # the stream log is not loaded for a module on its own

    async with contextlib.AsyncExitStack() as stack:
        try:
            session = await stack.enter_async_context(open_manifest(Manifest.parse(text), column=column))
        except (JouleError, OSError) as error:
            raise ModuleError(f"{module} cannot open its pipes: {error}") from error
        yield Wiring(inputs=dict(session.inputs), outputs=dict(session.outputs))
        await session.commit()
