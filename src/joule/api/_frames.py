"""How rows travel in an HTTP answer: frames, so that a break is no row, and an answer that broke off is no end.

A frame is a little-endian uint32 `n`, then:

    1 to 2^31    n rows, packed as the layout says (the header `joule-layout` names it)
    0            nothing: the interval ends here
    0xFFFFFFFE   a uint32 length and that many bytes of JSON, the error shape: the node could not go on
    0xFFFFFFFF   nothing: the answer is complete

An answer that ends without one of the last two was cut off.
"""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np

from joule.core import Layout, Rows
from joule.errors import JouleError, NodeError, from_wire
from joule.log import BREAK, Break

__all__ = ["DATA_TYPE", "END_FRAME", "LAYOUT_HEADER", "error_frame", "frame", "read_frames"]

DATA_TYPE = "application/x-joule-rows"
LAYOUT_HEADER = "joule-layout"

_COUNT = struct.Struct("<I")
_ERROR = 0xFFFFFFFE
_END = 0xFFFFFFFF
_MAX_ROWS = 2**31
_MAX_ERROR_BYTES = 2**20
_MAX_FRAME_BYTES = 64 * 2**20

END_FRAME = _COUNT.pack(_END)


def frame(block: Rows | Break) -> bytes:
    """Return rows, or a break, as a frame. No rows at all are no frame."""
    if block is BREAK:
        return _COUNT.pack(0)
    return _COUNT.pack(len(block)) + block.tobytes() if len(block) else b""


def error_frame(error: JouleError) -> bytes:
    """Return the frame that ends an answer with an error."""
    body = json.dumps(error.to_wire()).encode()
    return _COUNT.pack(_ERROR) + _COUNT.pack(len(body)) + body


async def read_frames(layout: Layout, read_exactly: Callable[[int], Awaitable[bytes]]) -> AsyncIterator[Rows | Break]:
    """Yield what frames hold, until the end frame.

    Args:
        layout: Of the rows.
        read_exactly: Returns just as many bytes; raises when there are fewer.

    Yields:
        Writable rows, shape (n,), n > 0; or a break.

    Raises:
        JouleError: What the node said went wrong.
        NodeError: The bytes are no frames.
    """
    while True:
        (count,) = _COUNT.unpack(await read_exactly(_COUNT.size))
        if count == _END:
            return
        if count == _ERROR:
            raise await _read_error(read_exactly)
        if count == 0:
            yield BREAK
            continue
        size = count * layout.row_bytes
        if count > _MAX_ROWS or size > _MAX_FRAME_BYTES:
            raise NodeError(f"the answer is damaged: a frame of {count} rows of {layout}")
        yield np.frombuffer(bytearray(await read_exactly(size)), layout.dtype)


async def _read_error(read_exactly: Callable[[int], Awaitable[bytes]]) -> JouleError:
    (size,) = _COUNT.unpack(await read_exactly(_COUNT.size))
    if size > _MAX_ERROR_BYTES:
        return NodeError(f"the answer is damaged: an error of {size} bytes")
    try:
        return from_wire(json.loads(await read_exactly(size)))
    except ValueError as error:
        return NodeError(f"the answer is damaged: {error}")
