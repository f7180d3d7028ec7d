"""Parameters of requests: each parsed once, at the edge, with an error that names it."""

from __future__ import annotations

from aiohttp import web

from joule.errors import BadRequestError

__all__ = ["flag", "integer", "required_text", "stream_key"]


def required_text(request: web.Request, name: str) -> str:
    """Return a parameter that must be there.

    Raises:
        BadRequestError: It is not, or is empty.
    """
    value = request.query.get(name, "")
    if not value:
        raise BadRequestError(f"{request.path} needs the parameter {name!r}", parameter=name)
    return value


def integer(request: web.Request, name: str, *, low: int | None = None, high: int | None = None) -> int | None:
    """Return a whole number; None where the parameter is not given.

    Raises:
        BadRequestError: It is no whole number, or not from `low` to `high`.
    """
    text = request.query.get(name)
    if text is None:
        return None
    try:
        value = int(text)
    except ValueError:
        raise BadRequestError(f"{name!r} is a whole number, not {text!r}", parameter=name) from None
    if (low is not None and value < low) or (high is not None and value > high):
        raise BadRequestError(f"{name!r} is a number from {low} to {high}, not {value}", parameter=name)
    return value


def flag(request: web.Request, name: str) -> bool:
    """Return whether a parameter is set to 1; it may also be 0 or not given.

    Raises:
        BadRequestError: It is anything else.
    """
    return integer(request, name, low=0, high=1) == 1


def stream_key(request: web.Request) -> str | int:
    """Return the stream or folder that a request means, by path or id.

    Raises:
        BadRequestError: It names none, or names it twice.
    """
    if ("path" in request.query) == ("id" in request.query):
        raise BadRequestError(f"{request.path} needs either 'path' or 'id'")
    number = integer(request, "id", low=0, high=2**63 - 1)
    return required_text(request, "path") if number is None else number
