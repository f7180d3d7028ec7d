"""Routes that change streams and folders. Upstream's clients find theirs here, with the bodies that they send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from joule.api import ChangeInfo
from joule.core import DATATYPES, MAX_WIDTH, ElementSpec, Layout, StreamSpec, join_stream_path
from joule.core.attributes import change_stream
from joule.errors import BadAttributeError, LayoutMismatchError
from joule.server._body import read_body
from joule.server._query import flag, stream_key
from joule.server._view import NodeView

__all__ = ["StreamChangeRoutes"]

# What upstream's clients send along with every stream and folder, and no change can give it.
_TOLD = frozenset(
    {
        *("id", "is_configured", "is_source", "is_destination", "updated_at"),
        *("locked", "active", "data_info", "datatype", "layout"),
    }
)
_TOLD_OF_FOLDERS = frozenset({"id", "path", "locked", "updated_at", "children", "folders", "streams", "event_streams"})


class StreamChangeRoutes:
    """Handlers; each makes one change. A body names a stream or folder by `path` or `id`."""

    def __init__(self, node: NodeView) -> None:
        self._node = node

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/stream.json", self.create_stream),
            web.put("/stream.json", self.update_stream),
            web.put("/stream/move.json", self.move_stream),
            web.delete("/stream.json", self.delete_stream),
            web.put("/folder.json", self.update_folder),
            web.put("/folder/move.json", self.move_folder),
            web.delete("/folder.json", self.delete_folder),
        ]

    async def create_stream(self, request: web.Request) -> web.Response:
        """POST /stream.json {stream, dest_path|dest_id}: make one; `stream` has a name, a datatype and elements."""
        body = await read_body(request)
        folder = self._node.changes.folder_path(body.key("dest_"))
        made = await self._node.changes.create_stream(_new_stream(body.object("stream"), folder))
        return web.json_response(made.to_json())

    async def update_stream(self, request: web.Request) -> web.Response:
        """PUT /stream.json {path|id, stream}: change the attributes that `stream` names, and its name."""
        body = await read_body(request)
        key, facts = body.key(), body.object("stream")
        await self._check_layout(key, facts)
        return _changed(await self._node.changes.update_stream(key, _attributes(facts)))

    async def move_stream(self, request: web.Request) -> web.Response:
        """PUT /stream/move.json {src_path|src_id, dest_path|dest_id}: into a folder, which is made if need be."""
        key, folder = await self._move(request)
        return _changed(await self._node.changes.move_stream(key, folder))

    async def delete_stream(self, request: web.Request) -> web.Response:
        """DELETE /stream.json?path=|id=: with all its rows."""
        return _changed(await self._node.changes.delete_stream(stream_key(request)))

    async def update_folder(self, request: web.Request) -> web.Response:
        """PUT /folder.json {path|id, folder}: change `name` and `description`, as far as they are given."""
        body = await read_body(request)
        changes = {name: value for name, value in body.object("folder").items() if name not in _TOLD_OF_FOLDERS}
        for name in changes:
            if name not in ("name", "description"):
                raise BadAttributeError(name, "a folder has none of that name; there are name, description")
        return _changed(await self._node.changes.update_folder(body.key(), changes))

    async def move_folder(self, request: web.Request) -> web.Response:
        """PUT /folder/move.json {src_path|src_id, dest_path|dest_id}: into another folder."""
        key, folder = await self._move(request)
        return _changed(await self._node.changes.move_folder(key, folder))

    async def delete_folder(self, request: web.Request) -> web.Response:
        """DELETE /folder.json?path=|id=[&recursive=1]: an empty one, or with `recursive` all that is in it."""
        recursive = flag(request, "recursive")
        return _changed(await self._node.changes.delete_folder(stream_key(request), recursive=recursive))

    async def _move(self, request: web.Request) -> tuple[str | int, str]:
        body = await read_body(request)
        return body.key("src_"), self._node.changes.folder_path(body.key("dest_"))

    async def _check_layout(self, key: str | int, facts: Mapping[str, Any]) -> None:
        """Refuse another datatype, or another number of elements, than the stream has: rows cannot follow."""
        if "datatype" not in facts and "layout" not in facts:
            return
        stored = await self._node.stream(key)
        width = str(len(facts["elements"])) if isinstance(facts.get("elements"), list) else stored.layout.split("_")[1]
        asked = str(facts.get("layout") or f"{str(facts['datatype']).lower()}_{width}")
        if asked != stored.layout:
            raise LayoutMismatchError(stored.path, stored.layout, asked)


def _changed(change: ChangeInfo) -> web.Response:
    return web.json_response(change.to_json())


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be changed: what a client only tells, or does not know, is left out."""
    changes = {name: value for name, value in facts.items() if name not in _TOLD}
    if isinstance(changes.get("elements"), list):
        changes["elements"] = [_element(element) for element in changes["elements"]]
    return changes


def _element(facts: Any) -> Any:
    if not isinstance(facts, dict):
        return facts
    return {name: value for name, value in facts.items() if name not in ("id", "index")}


def _new_stream(facts: Mapping[str, Any], folder: str) -> StreamSpec:
    """Return the stream that a body describes.

    Raises:
        BadAttributeError, BadPathError, BadLayoutError: It describes none.
    """
    name = facts.get("name")
    if not isinstance(name, str):
        raise BadAttributeError("name", "a stream needs one")
    elements = facts.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= MAX_WIDTH:
        raise BadAttributeError("elements", f"a stream needs a list of 1 to {MAX_WIDTH}, with a name each")
    if not all(isinstance(element, dict) and "name" in element for element in elements):
        raise BadAttributeError("elements", "each needs a name")
    places = tuple(ElementSpec(name=str(place)) for place in range(len(elements)))
    spec = StreamSpec(path=join_stream_path(folder, name), datatype=_datatype(facts), elements=places)
    return change_stream(spec, {key: value for key, value in _attributes(facts).items() if key != "name"})


def _datatype(facts: Mapping[str, Any]) -> str:
    datatype = facts.get("datatype")
    if datatype is None and isinstance(facts.get("layout"), str):
        return Layout.parse(facts["layout"]).datatype
    if not isinstance(datatype, str) or datatype.lower() not in DATATYPES:
        raise BadAttributeError("datatype", f"it is one of {', '.join(DATATYPES)}, not {datatype!r}")
    return datatype.lower()
