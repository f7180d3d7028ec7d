"""The route for rows: stored ones of a time range, or those to come.

Rows are sent as they are read, block by block; a client that reads slowly makes the reading wait, never the writer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from aiohttp import web

from joule.api import DATA_TYPE, END_FRAME, LAYOUT_HEADER, error_frame, frame, read_stored
from joule.core import Rows
from joule.errors import BadRequestError, JouleError, NotFoundError
from joule.log import Break, read_identity
from joule.pipes import follow_log
from joule.server._errors import fault
from joule.server._query import flag, integer, stream_key
from joule.server._view import NodeView

__all__ = ["DataRoutes"]


class DataRoutes:
    """Handlers for rows."""

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/data", self.data)]

    async def data(self, request: web.Request) -> web.StreamResponse:
        """GET /data?path=|id=[&start=][&end=] | [&subscribe=1]: rows in frames (see `joule.api`).

        `start` is inclusive, `end` exclusive, both in us. With `subscribe=1`, rows as they come, without end.
        """
        directory = self._node.stream_log(stream_key(request))
        start_us, end_us = _time(request, "start"), _time(request, "end")
        is_live = flag(request, "subscribe")
        if is_live and not (start_us is None and end_us is None):
            raise BadRequestError("'subscribe' gives rows to come: it takes neither 'start' nor 'end'")
        layout = read_identity(directory).layout
        blocks = (
            follow_log(directory, self._node.run_directory) if is_live else read_stored(directory, start_us, end_us)
        )
        answer = web.StreamResponse(headers={"Content-Type": DATA_TYPE, LAYOUT_HEADER: str(layout)})
        async with aclosing(blocks):
            await answer.prepare(request)
            await _send(answer, blocks)
        await answer.write_eof()
        return answer


def _time(request: web.Request, name: str) -> int | None:
    return integer(request, name, low=-(2**63), high=2**63 - 1)


async def _send(answer: web.StreamResponse, blocks: AsyncIterator[Rows | Break]) -> None:
    """Send all blocks and the end frame. The status is out, so what goes wrong now is said in a frame."""
    try:
        async for block in blocks:
            await answer.write(frame(block))
        await answer.write(END_FRAME)
    except ConnectionError:  # the client has gone: nothing is left to be said
        raise
    except JouleError as error:
        await answer.write(error_frame(error))
    except FileNotFoundError as error:  # a log keeps all its files until it goes as a whole
        await answer.write(error_frame(NotFoundError(f"the stream was deleted while it was read: {error.filename}")))
    except Exception:  # noqa: BLE001  # the same seam as `error_shape`, behind the headers
        await answer.write(error_frame(fault("the sending of rows")))
