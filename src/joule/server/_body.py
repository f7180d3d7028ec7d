"""Bodies of requests: one JSON object each, its values taken out one by one, with errors that name them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from joule.errors import BadRequestError

__all__ = ["Body", "read_body"]


class Body:
    """The JSON object that a request carries.

    Args:
        route: For messages.
        values: What it holds.
    """

    def __init__(self, route: str, values: Mapping[str, Any]) -> None:
        self._route = route
        self._values = values

    def text(self, name: str) -> str:
        """Return a text that must be there.

        Raises:
            BadRequestError: It is not, or is no text.
        """
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise BadRequestError(f"{self._route} needs the text {name!r} in its body", parameter=name)
        return value

    def object(self, name: str) -> Mapping[str, Any]:
        """Return an object that must be there.

        Raises:
            BadRequestError: It is not, or is no object.
        """
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise BadRequestError(f"{self._route} needs the object {name!r} in its body", parameter=name)
        return value

    def time(self, name: str) -> int | None:
        """Return a timestamp in us; None where there is none.

        Raises:
            BadRequestError: It is none.
        """
        value = self._values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63):
            raise BadRequestError(f"{self._route}: {name!r} is a number of microseconds, not {value!r}", parameter=name)
        return value

    def key(self, prefix: str = "") -> str | int:
        """Return what names a stream or folder: the path in `<prefix>path`, or the number in `<prefix>id`.

        Raises:
            BadRequestError: There is none, or there are both.
        """
        path, number = self._values.get(f"{prefix}path"), self._values.get(f"{prefix}id")
        if (path is None) == (number is None):
            raise BadRequestError(f"{self._route} needs either '{prefix}path' or '{prefix}id' in its body")
        if isinstance(path, str) and path:
            return path
        if isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) < 19:
            return int(number)
        if isinstance(number, int) and not isinstance(number, bool):
            return number
        raise BadRequestError(f"{self._route}: '{prefix}path' is a path, '{prefix}id' a number")


async def read_body(request: web.Request) -> Body:
    """Return the body of a request.

    Raises:
        BadRequestError: It is no JSON object.
    """
    route = f"{request.method} {request.path}"
    try:
        values = json.loads(await request.read())
    except ValueError as error:
        raise BadRequestError(f"{route}: the body is no JSON ({error})") from None
    if not isinstance(values, dict):
        raise BadRequestError(f"{route}: the body is one JSON object")
    return Body(route, values)
