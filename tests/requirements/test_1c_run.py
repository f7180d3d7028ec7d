"""Contract 1C: `run(parsed_args, output)`."""

import argparse
import asyncio
import inspect
import re

import numpy as np
import pytest

from joule import LocalNumpyPipe, OutputPipe, ReaderModule, time_now
from joule.errors import OutOfOrderError
from joule.pipes import StdoutPipe


def test_r29_parsed_args_is_a_namespace_with_every_custom_argument(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            def custom_args(self, parser):
                parser.add_argument("--rate", type=float, default=2.0)
                parser.add_argument("--name", default="a")

            async def run(self, parsed_args, output):
                print(type(parsed_args) is argparse.Namespace, parsed_args.rate, parsed_args.name)

        R().start()
        """,
        "--rate=0.5",
    )
    assert ended.stdout == "True 0.5 a\n"


async def test_r30_the_output_has_an_awaitable_write(monkeypatch):
    for output in (LocalNumpyPipe("output", layout="float32_1"), StdoutPipe()):
        writing = output.write(np.array([[time_now(), 1.0]]))
        assert inspect.isawaitable(writing)
        assert await writing is None


def test_r31_a_run_that_returns_ends_the_module_cleanly(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                await output.write([[1, 2.5]])

        R().start()
        print("after start()")
        """
    )
    assert (ended.returncode, ended.stdout) == (0, "1 2.5\nafter start()\n")
    assert "run() returned after 1 write" in ended.stderr


class CountingTransport:
    """Counts the messages that leave; as much of a StreamWriter as an OutputPipe needs."""

    def __init__(self):
        self.messages = []
        self.closed = False

    def write(self, data):
        self.messages.append(bytes(data))

    async def drain(self):
        pass

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    async def wait_closed(self):
        pass


async def test_r32_a_chunk_is_stored_in_order_and_sent_as_one_message():
    transport = CountingTransport()
    pipe = OutputPipe("output", layout="float32_2", writer=transport)
    chunk = np.column_stack((np.arange(1, 1001), np.arange(1000), np.arange(1000)[::-1]))
    await pipe.write(chunk)
    (message,) = transport.messages
    rows = np.frombuffer(message, pipe.dtype)
    np.testing.assert_array_equal(rows["timestamp"], chunk[:, 0])
    np.testing.assert_array_equal(rows["data"], chunk[:, 1:])


BUSY_READER = """
    import time

    class R(ReaderModule):
        async def run(self, parsed_args, output):
            start_s = time.process_time()
            base = time_now()
            for chunk in range(100):
                ts = np.linspace(base, base + 1e6, 1000, endpoint=False)
                data = np.random.rand(1000)
                await output.write(np.hstack((ts[:, None], data[:, None])))
                base += 1e6
            print(time.process_time() - start_s, file=sys.stderr)

    R().start()
"""


def test_r33_a_kilohertz_costs_a_twentieth_of_a_core_and_100_khz_are_possible(programs):
    ended = programs.run(BUSY_READER)
    assert ended.stdout.count("\n") == 100_000
    cpu_s = float(re.search(r"^\d+\.\d+(e-\d+)?$", ended.stderr, re.MULTILINE)[0])
    assert cpu_s / 100 < 0.05  # CPU seconds for each second of 1 kHz data
    assert cpu_s < 1.0  # for 100,000 rows


@pytest.mark.parametrize("offset", range(8))  # a fraction of the base that suits one way of rounding may suit no other
async def test_r34_fractional_timestamps_become_distinct_integers_in_order(offset):
    base = time_now() + offset / 4
    stamps = np.linspace(base, base + 1e6, 1000)
    pipe = LocalNumpyPipe("output", layout="float32_1")
    await pipe.write(np.column_stack((stamps, np.zeros(1000))))
    stored = (await pipe.read())["timestamp"]
    assert set(np.diff(stored)) == {1001, 1002}
    assert np.abs(stored - stamps).max() <= 0.5


def test_r34_they_are_printed_as_they_are_stored(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                await output.write(np.column_stack((np.linspace(1e15, 1e15 + 1e6, 1000), np.zeros(1000))))

        R().start()
        """
    )
    stamps = np.array([int(line.split()[0]) for line in ended.stdout.splitlines()])
    pipe = LocalNumpyPipe("output", layout="float32_1")
    pipe.write_nowait(np.column_stack((np.linspace(1e15, 1e15 + 1e6, 1000), np.zeros(1000))))
    np.testing.assert_array_equal(stamps, pipe.read_nowait()["timestamp"])
    assert (np.diff(stamps) > 0).all()


async def test_r35_rows_out_of_order_are_reported_and_the_others_kept(capsys):
    pipe = StdoutPipe("power")
    with pytest.raises(OutOfOrderError) as error:
        await pipe.write([[5, 0.5], [2, 0.25], [5, 0.0], [6, 0.75]])
    assert (error.value.timestamp_us, error.value.last_us, error.value.refused) == (2, 5, 2)
    for fact in ("power", " 2 ", " 5"):
        assert fact in str(error.value)
    with pytest.raises(OutOfOrderError) as error:
        await pipe.write([[3, 1.0], [6, 2.0]])
    assert (error.value.timestamp_us, error.value.last_us, error.value.refused) == (3, 6, 2)
    await pipe.write([[7, 3.0]])
    assert capsys.readouterr().out == "5 0.5\n6 0.75\n7 3.0\n"


def test_r35_an_author_who_does_not_care_sees_it_as_the_end_of_the_module(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                await output.write(np.array([[1e15, 1], [2e15, 2]]))
                await output.write(np.array([[1.5e15, 3]]))

        R().start()
        """
    )
    assert ended.returncode == 1
    assert ended.stdout == "1000000000000000 1.0\n2000000000000000 2.0\n"
    for fact in ("OutOfOrderError", "'output'", "1500000000000000", "2000000000000000"):
        assert fact in ended.stderr


async def test_a_run_that_yields_arrays_writes_them(capsys):
    class Yields(ReaderModule):
        async def run(self, parsed_args, output):
            yield [[1, 1.5]]
            await asyncio.sleep(0)
            yield [[2, 2.5]]

    task = await Yields().run_as_task(argparse.Namespace(), None)
    await task
    assert capsys.readouterr().out == "1 1.5\n2 2.5\n"
