"""The code of modules that several tests run on a node; `kit.add` makes scripts of them."""

READER = """
    import asyncio
    import joule

    class Reader(joule.ReaderModule):
        async def run(self, parsed_args, output):
            while not self.stop_requested:
                await output.write([[joule.time_now(), 1]])
                await asyncio.sleep(0.005)

    Reader().start()
"""

HEALTHY = """
    import asyncio
    import joule

    class Healthy(joule.ReaderModule):
        async def run(self, parsed_args, output):
            row = 0
            while not self.stop_requested:
                await output.write([[row, row]])
                row += 1
                await asyncio.sleep(0.005)

    Healthy().start()
"""
