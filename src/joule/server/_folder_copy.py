"""The route that copies a folder: it may take long, so its answer tells how far it is, line by line.

Each line is a JSON object. The last one is `{"done": true}`, or the error shape when it went wrong; an answer without
either was cut off, and left nothing behind. So does a client that goes away.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from joule.api import CopyProgress
from joule.errors import JouleError, NodeError
from joule.server._body import read_body
from joule.server._errors import fault
from joule.server._view import NodeView

__all__ = ["FolderCopyRoutes"]


class FolderCopyRoutes:
    """The handler."""

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.post("/folder/copy", self.copy)]

    async def copy(self, request: web.Request) -> web.StreamResponse:
        """POST /folder/copy {src_path|src_id, dest_path[, start][, end]}: `dest_path` is where the copy will be.

        `start` is inclusive, `end` exclusive, both in us.
        """
        body = await read_body(request)
        source, destination = body.key("src_"), body.text("dest_path")
        copying = self._node.changes.copy_folder(source, destination, body.time("start"), body.time("end"))
        async with aclosing(copying):
            first = await anext(copying)  # what cannot begin is an ordinary error
            answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
            await answer.prepare(request)
            await answer.write(_line(first.to_json()))
            await answer.write(_line(await _rest(answer, copying)))
        await answer.write_eof()
        return answer


async def _rest(answer: web.StreamResponse, copying: AsyncIterator[CopyProgress]) -> dict[str, Any]:
    """Send how far it is until it ends; returns how it ended, since the status is out."""
    try:
        async for progress in copying:
            await answer.write(_line(progress.to_json()))
    except ConnectionError:  # the client has gone: nothing is left to be said
        raise
    except JouleError as error:
        return error.to_wire()
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        return NodeError(f"the folder is not copied: {what}").to_wire()
    except Exception:  # noqa: BLE001  # the same seam as `error_shape`, behind the headers
        return fault("the copying of a folder").to_wire()
    return {"done": True}


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"
