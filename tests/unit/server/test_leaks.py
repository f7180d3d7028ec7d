"""Starting and stopping the server leaves nothing behind."""

import os
import threading

from joule.api._http_node import HttpNode
from joule.server import create_app, serve_unix


async def test_fifty_starts_and_stops_leave_no_descriptor_and_no_thread(fake, tmp_path):
    path = tmp_path / "api.sock"

    async def once():
        async with serve_unix(create_app(fake), path), HttpNode("x", socket=path, remedy="") as client:
            await client.version()

    await once()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(50):
        await once()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
