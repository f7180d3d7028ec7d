"""One shape for every error answer, whoever raises it: `{"error": {"code", "message", "detail"}}`.

The status follows from the class, so no handler names one. What nobody expected is answered with 500 and no detail;
its traceback is in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from joule.errors import (
    BadLayoutError,
    BadMoveError,
    BadRequestError,
    BadTextError,
    ConfigurationError,
    FolderNotEmptyError,
    JouleError,
    LayoutMismatchError,
    ModuleError,
    NameTakenError,
    NodeError,
    NotFoundError,
    StreamHeldError,
)

__all__ = ["error_shape", "fault"]

_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[JouleError], int], ...] = (
    (NotFoundError, 404),
    (BadRequestError, 400),
    (BadTextError, 400),
    (ConfigurationError, 409),
    (ModuleError, 409),
    (BadLayoutError, 400),
    (BadMoveError, 400),
    (LayoutMismatchError, 409),
    (FolderNotEmptyError, 409),
    (NameTakenError, 409),
    (StreamHeldError, 409),
)


@web.middleware
async def error_shape(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every exception of a handler into an answer of the one shape."""
    try:
        return await handler(request)
    except JouleError as error:
        return _answer(error, _status(error))
    except web.HTTPException as error:  # the router's own: no such route, wrong method, body too large
        headers = {name: value for name, value in error.headers.items() if name == "Allow"}
        return _answer(_of_router(request, error), error.status, headers)
    except ConnectionError:
        raise  # the client has gone, there is nobody to answer: aiohttp ends the connection quietly
    except Exception:  # noqa: BLE001  # the seam of every request
        return _answer(fault(f"{request.method} {request.path}"), 500)


def fault(what: str) -> NodeError:
    """Log the exception that is being handled, which nobody expected; returns what is said of it to who asked."""
    _log.exception("%s failed", what)
    return NodeError("the node has a fault; its log has the details")


def _status(error: JouleError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _of_router(request: web.Request, error: web.HTTPException) -> JouleError:
    what = f"{request.method} {request.path}"
    if isinstance(error, web.HTTPNotFound):
        return NotFoundError(f"{what}: the API has no such route", path=request.path)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = sorted(error.allowed_methods)
        return BadRequestError(f"{what}: this route takes {', '.join(allowed)}", allowed=allowed)
    return BadRequestError(f"{what}: {error.reason}")


def _answer(error: JouleError, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(error.to_wire(), status=status, headers=headers)
