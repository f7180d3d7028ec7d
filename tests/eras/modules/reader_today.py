#!/usr/bin/env python3
"""Today: `setup`, web pages, and a node's client that is only asked where there is one."""

import asyncio

import numpy as np
from aiohttp import web

from joule.client.base_module import state_key
from joule.client.reader_module import ReaderModule
from joule.errors import ApiError
from joule.utilities import time_now


class ReaderToday(ReaderModule):
    async def setup(self, parsed_args, app, output):
        app[state_key]["count"] = self.count = 0
        self.app = app
        output.enable_cache(2)
        try:
            self.stream = await self.node.event_stream_get("/events", create=True)
        except ApiError as e:
            print(f"no events: {e}")

    async def run(self, parsed_args, output):
        while not self.stop_requested:
            await output.write(np.array([[time_now(), self.count, self.count**2]]))
            self.count += 1
            self.app[state_key]["count"] = self.count
            await asyncio.sleep(0.02)

    def routes(self):
        return [web.get("/count.json", self.show)]

    async def show(self, request):
        return web.json_response({"count": request.app[state_key]["count"]})


def create_dev_app(loop):
    return ReaderToday().create_dev_app(loop)


if __name__ == "__main__":
    ReaderToday().start()
