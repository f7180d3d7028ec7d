"""A process that has imported everything and forks module processes on request, so that a life costs milliseconds.

Each line on stdin is `ROLE JSON`; each answer on stdout is the process id of the new child. Run as a program.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

import numpy as np

import joule
from joule.core import Layout
from joule.pipes import LogOutput

LAYOUT = Layout("int64", 1)
WINDOW = 5


def write_and_acknowledge(facts: dict) -> None:
    """Write rows without end; after each write has returned, say so in a file with the last timestamp."""

    async def write() -> None:
        source = random.Random(facts["seed"])
        out = LogOutput("out", Path(facts["log"]), LAYOUT, Path(facts["run"]), stream="/out", holder="writer")
        acknowledged = os.open(facts["acknowledged"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        time = max(0, out.log_sink.writer.head.last_us + 1)
        while True:
            count = source.choice([1, 1, 2, 10, 100, 500])
            times = np.arange(time, time + count)
            await out.write(np.column_stack((times, times * 7)))
            time += count
            os.write(acknowledged, f"{time - 1}\n".encode())
            if source.random() < 0.05:
                await out.close_interval()

    asyncio.run(write())


async def write_slowly(pipe, rows: np.ndarray) -> None:
    """Write in small pieces, so that most of a life passes between the first write of a cycle and its commit."""
    for begin in range(0, len(rows), 5):
        await pipe.write(rows[begin : begin + 5])
        await asyncio.sleep(0)


class Squares(joule.FilterModule):
    """Consumes before it writes; passes breaks on."""

    async def run(self, parsed_args, inputs, outputs):
        while True:
            rows = await inputs["in"].read()
            inputs["in"].consume(len(rows))
            await write_slowly(outputs["out"], np.column_stack((rows["timestamp"], rows["data"] * 3 + 1)))
            if inputs["in"].end_of_interval:
                await outputs["out"].close_interval()


class SlidingSums(joule.FilterModule):
    """Leaves the overlap of its windows unconsumed; two outputs, one of them cached."""

    async def run(self, parsed_args, inputs, outputs):
        outputs["second"].enable_cache(50)
        while True:
            rows = await inputs["in"].read()
            windows = max(0, len(rows) - WINDOW + 1)
            if windows:
                sums = np.lib.stride_tricks.sliding_window_view(rows["data"], WINDOW).sum(axis=1)
                made = np.column_stack((rows["timestamp"][WINDOW - 1 :], sums))
                await outputs["out"].write(made)
                inputs["in"].consume(windows)
                await outputs["second"].write(made * [1, -1])
            if inputs["in"].end_of_interval:
                inputs["in"].consume(len(rows) - windows)
                await outputs["out"].close_interval()
                await outputs["second"].close_interval()


class SumOfTwo(joule.FilterModule):
    """Row k of the output is the sum of rows k of two inputs, which come at their own pace."""

    async def run(self, parsed_args, inputs, outputs):
        while True:
            left = await inputs["in"].read()
            right = await inputs["other"].read()
            count = min(len(left), len(right))
            inputs["in"].consume(count)
            inputs["other"].consume(count)
            values = left["data"][:count] + right["data"][:count]
            await write_slowly(outputs["out"], np.column_stack((left["timestamp"][:count], values)))


class SumsInside(joule.CompositeModule):
    """Squares, their sliding sums, and these twice more: squared, and added to another input. Three inner pipes."""

    async def setup(self, parsed_args, inputs, outputs):
        squares, sums, copies = (joule.LocalNumpyPipe(name, "int64_1") for name in ("squares", "sums", "copies"))
        sums.subscribe(copies)
        added = SumOfTwo().run(parsed_args, {"in": copies, "other": inputs["other"]}, {"out": outputs["added"]})
        return [
            Squares().run(parsed_args, {"in": inputs["in"]}, {"out": squares}),
            SlidingSums().run(parsed_args, {"in": squares}, {"out": sums, "second": outputs["second"]}),
            Squares().run(parsed_args, {"in": sums}, {"out": outputs["out"]}),
            asyncio.create_task(added),
        ]


ROLES = {module.__name__: module for module in (Squares, SlidingSums, SumOfTwo, SumsInside)}


def live(role: str, facts: dict) -> None:
    if role == "writer":
        write_and_acknowledge(facts)
    else:
        ROLES[role]().start(argparse.Namespace(pipes=facts["pipes"]))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by the kernel
    for line in sys.stdin:
        role, _, facts = line.partition(" ")
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            live(role, json.loads(facts))
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
