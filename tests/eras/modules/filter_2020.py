#!/usr/bin/env python3
"""2018 to 2024: an offset, added in place, with intervals; ended by an error that today's upstream has renamed."""

from joule.client.filter_module import FilterModule
from joule.models.pipes import EmptyPipe


class Filter2020(FilterModule):
    def custom_args(self, parser):
        parser.add_argument("--offset", type=int, default=0)

    async def run(self, parsed_args, inputs, outputs):
        stream_in = inputs["input"]
        stream_out = outputs["output"]
        while not self.stop_requested:
            try:
                sarray = await stream_in.read()
                sarray["data"] += parsed_args.offset
                assert sarray["data"].ndim == 2
                await stream_out.write(sarray)
                stream_in.consume(len(sarray))
                if stream_in.end_of_interval:
                    await stream_out.close_interval()
            except EmptyPipe:
                break


if __name__ == "__main__":
    f = Filter2020()
    f.start()
