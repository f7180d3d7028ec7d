"""Contract 1E: isolated execution, with standard output as the stream."""

import argparse
import asyncio
import io
import json
import random
import re
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest

import joule.client
from joule import CompositeModule, LocalNumpyPipe, ReaderModule
from joule.errors import BadRowsError, ClosedPipeError, PipeError
from joule.pipes import StdoutPipe

ROW = re.compile(r"^\d+( \S+)+$")


def writes(*arrays):
    """A reader that writes these arrays, and ends."""
    lines = "\n".join(f"        await output.write({array})" for array in arrays)
    return f"class R(ReaderModule):\n    async def run(self, parsed_args, output):\n{lines}\nR().start()"


def test_r46_a_reader_runs_outside_of_any_environment(programs, page_reader):
    programs.env.clear()
    program = programs.start(programs.file(page_reader, header=""))
    assert ROW.match(program.read_line())
    assert list(programs.home.iterdir()) == []


def test_r47_each_row_is_a_line(programs):
    ended = programs.run(writes("np.arange(1, 13).reshape(3, 4) / 1", "[[20, 1.5, -2.5e-8, float('nan')]]"))
    lines = ended.stdout.splitlines()
    assert len(lines) == 4
    assert all(ROW.match(line) for line in lines)
    assert lines[0] == "1 2.0 3.0 4.0"
    assert lines[3] == "20 1.5 -2.5e-08 nan"


@pytest.mark.parametrize("stamp", ["1485188853650944", "1485188853650944.0", "0", "2.0**53"])
def test_r48_the_timestamp_is_a_decimal_integer(programs, stamp):
    ended = programs.run(writes(f"np.array([[{stamp}, 0.5]])"))
    assert ended.stdout == f"{int(eval(stamp))} 0.5\n"


def bit_patterns(count):
    numbers = random.Random(0)
    return [struct.unpack("<d", numbers.randbytes(8))[0] for _ in range(count)]


def test_r49_values_read_back_as_the_same_float64(programs):
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e22, 123456789.123, *bit_patterns(500)]
    (programs.directory / "values.json").write_text(json.dumps(values))
    ended = programs.run(writes("[[i, v] for i, v in enumerate(json.load(open('values.json')))]"))
    tokens = [line.split()[1] for line in ended.stdout.splitlines()]
    assert "(" not in ended.stdout  # no np.float64(...)
    np.testing.assert_array_equal([float(token) for token in tokens], values)
    assert tokens[0] == "0.1"  # the shortest text


def test_r49_integers_are_plain(programs):
    ended = programs.run(writes("np.array([[1, 2**62 + 1, -7]])"))
    assert ended.stdout == "1 4611686018427387905 -7\n"


def test_r50_the_pages_sample_is_the_random_reader(programs):
    command = [sys.executable, "-m", "joule.builtins.random_reader", "--width", "2", "--rate", "10"]
    popen = subprocess.Popen(command, stdout=subprocess.PIPE, env=programs.env, text=True)
    try:
        rows = [popen.stdout.readline().split() for _ in range(4)]
    finally:
        popen.kill()
        popen.communicate()
    assert [len(row) for row in rows] == [3, 3, 3, 3]
    assert np.diff([int(row[0]) for row in rows]).tolist() == [100_000] * 3


def test_r51_stdout_carries_data_only(programs):
    file = programs.file(writes("[]", "[[1, 2.5]]", "[[2, 3.5]]"))
    with (programs.directory / "f").open("wb") as output:
        program = programs.start(file, stdout=output.fileno())
        ended = program.end()
    assert (programs.directory / "f").read_text() == "1 2.5\n2 3.5\n"
    assert "ignored an empty write" in ended.stderr


def test_r51_a_full_disk_behind_stdout_is_one_clear_error(programs):
    file = programs.file(writes("[[1, 2.5]]"))
    with open("/dev/full", "wb") as full:
        ended = programs.start(file, stdout=full.fileno()).end()
    assert ended.returncode == 1
    assert ended.stderr.count("Traceback") == 1
    assert ended.stderr.endswith(
        "PipeError: pipe 'output': rows cannot be printed to standard output: [Errno 28] No space left on device\n"
    )


def test_r51_what_an_author_printed_and_nobody_got_is_an_error(programs):
    file = programs.file(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                sys.stdout.reconfigure(line_buffering=False)
                print("1 2.5")

        R().start()
        """
    )
    with open("/dev/full", "wb") as full:
        ended = programs.start(file, stdout=full.fileno()).end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert "what was printed last did not get to standard output: [Errno 28]" in ended.stderr


@pytest.mark.parametrize("stderr", ["None", "open('/dev/full', 'w')"])
def test_r51_a_break_that_cannot_be_shown_ends_nothing_and_is_no_data(programs, stderr):
    ended = programs.run(
        f"""
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                sys.stderr = {stderr}
                await output.write([[1, 2.5]])
                await output.close_interval()
                await output.write([[2, 2.5]])
                sys.stderr = sys.__stderr__

        R().start()
        """
    )
    assert ended.stdout == "1 2.5\n2 2.5\n"


def test_r52_every_write_is_flushed(programs):
    program = programs.start(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                await output.write([[1, 2.5]])
                await asyncio.Event().wait()

        R().start()
        """
    )
    assert program.read_line() == "1 2.5"
    assert program.popen.poll() is None


async def test_r52_whatever_standard_output_is(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, write_through=False))
    await StdoutPipe().write([[1, 2.5]])
    assert raw.getvalue() == b"1 2.5\n"


def test_r53_arguments_are_given_on_the_command_line(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            def custom_args(self, parser):
                parser.add_argument("--scale", type=float)

            async def run(self, parsed_args, output):
                await output.write([[1, parsed_args.scale]])

        R().start()
        """,
        "--scale=2.5",
    )
    assert ended.stdout == "1 2.5\n"


def test_r54_ctrl_c_ends_it(programs, page_reader):
    program = programs.start(programs.file(page_reader, header=""))
    program.read_line()
    program.signal(signal.SIGINT)
    ended = program.end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)


RESILIENT = """
    class R(ReaderModule):
        async def run(self, parsed_args, output):
            while True:
                try:
                    await output.write([[time_now(), 1.0]])
                    {extra}
                except Exception as error:
                    print("carrying on after", error, file=sys.stderr)
                await asyncio.sleep(0.01)

    R().start()
"""


@pytest.mark.parametrize("extra", ["pass", "output.enable_cache(3)"])
def test_r54_a_closed_reader_ends_it_quietly(programs, extra):
    program = programs.start(RESILIENT.format(extra=extra))
    program.read_line()
    program.popen.stdout.close()
    assert program.popen.wait(15) == 0
    assert program.stderr == ""


def test_r54_also_when_it_is_the_authors_print_that_finds_out(programs):
    program = programs.start(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                while True:
                    print("reading")
                    await asyncio.sleep(0.01)

        R().start()
        """
    )
    program.read_line()
    program.popen.stdout.close()
    assert program.popen.wait(15) == 0
    assert program.stderr == ""


@pytest.mark.needs("bash")
@pytest.mark.needs("head")
def test_r54_head_gets_its_lines_and_nobody_complains(programs, page_reader):
    file = programs.file(page_reader, header="")
    shell = ["bash", "-o", "pipefail", "-c", f"{sys.executable} {file} | head -2"]
    ended = subprocess.run(shell, env=programs.env, capture_output=True, text=True, timeout=15)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == 2


STRUCTURED = np.array([(1, [1.5, 2.5]), (2, [3.5, 4.5])], [("timestamp", "<i8"), ("data", "<f4", (2,))])
SCALAR = np.array([(1, 7)], [("timestamp", "<i8"), ("data", "<u2")])


@pytest.mark.parametrize(
    ("data", "printed"),
    [
        (np.array([[1, 1.5]]), "1 1.5\n"),
        (np.array([[1, 2], [3, 4]], np.int32), "1 2\n3 4\n"),
        (np.array([[1, 2]], np.uint64), "1 2\n"),
        (np.array([[1, 0.1]], np.longdouble), "1 0.1\n"),
        ([[1, 1.5, 2], (2, 2.5, 3)], "1 1.5 2.0\n2 2.5 3.0\n"),
        (((1, True),), "1 1\n"),
        (STRUCTURED, "1 1.5 2.5\n2 3.5 4.5\n"),
        (STRUCTURED[:0], ""),
        (SCALAR, "1 7\n"),
        (np.empty((1, 0)), ""),
        ([], ""),
    ],
)
async def test_r55_the_stdout_pipe_accepts_what_a_real_pipe_accepts(capsys, data, printed):
    pipe = StdoutPipe()
    await pipe.write(data)
    pipe_at_once = StdoutPipe()
    pipe_at_once.write_nowait(data)
    assert capsys.readouterr().out == printed * 2


@pytest.mark.parametrize(
    "data",
    [
        None,
        1.5,
        "1 2",
        [1, 2],
        [[1, 2], [3]],
        [["a", "b"]],
        np.zeros((2, 2, 2)),
        np.array([[1, 2]], np.float32),
        np.array([[np.nan, 1.0]]),
        np.array([(1, 2)], [("time", "<i8"), ("value", "<f8")]),
        np.array([[1.0]]),
    ],
)
async def test_r55_and_refuses_what_a_real_pipe_refuses(capsys, data):
    with pytest.raises(BadRowsError):
        await StdoutPipe().write(data)
    assert capsys.readouterr().out == ""


async def test_r55_it_has_the_attributes_and_methods_of_a_pipe(capsys):
    pipe = StdoutPipe()
    pipe.enable_cache(10)
    await pipe.write(np.zeros(1, pipe.dtype))
    await pipe.write(STRUCTURED)  # rows of another layout: the cache goes first
    assert (pipe.layout, pipe.width) == ("float32_2", 2)
    await pipe.close_interval()
    await pipe.close_interval()
    await pipe.write([[3, 1]])
    await pipe.flush_cache()
    printed = capsys.readouterr()
    assert printed.out == "0 0.0\n1 1.5 2.5\n2 3.5 4.5\n3 1\n"
    assert printed.err == "--- interval gap ---\n"
    with pytest.raises(PipeError, match="output"):
        await pipe.read()
    await pipe.close()
    pipe.close()
    with pytest.raises(ClosedPipeError, match="closed pipe"):
        await pipe.write([[4, 1]])
    assert pipe.statistics().rows_written == 4


class Numbers(ReaderModule):
    def custom_args(self, parser):
        parser.add_argument("--count", type=int, default=3)

    async def run(self, parsed_args, output):
        for number in range(parsed_args.count):
            await output.write(np.array([[number, number / 2]]))


async def test_r55_the_same_reader_runs_alone_in_a_test_and_in_a_composite(capsys):
    args = argparse.Namespace(count=3, pipes="unset")
    await (await Numbers().run_as_task(args, None))
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]

    direct = LocalNumpyPipe("output", layout="float32_1")
    await Numbers().run(args, direct)

    class Both(CompositeModule):
        async def setup(self, parsed_args, inputs, outputs):
            self.pipe = LocalNumpyPipe("inner", layout="float32_1")
            return [Numbers().run(parsed_args, self.pipe)]

    composite = Both()
    await asyncio.gather(*await composite.setup(args, {}, {}))
    for pipe in (direct, composite.pipe):
        rows = pipe.read_nowait(flatten=True)
        assert rows.tolist() == [[float(stamp), float(value)] for stamp, value in printed]


async def test_the_stdout_pipe_prints_to_what_sys_stdout_is_at_that_moment(monkeypatch):
    pipe = StdoutPipe()
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", first)
    await pipe.write([[1, 2]])
    monkeypatch.setattr("sys.stdout", second)
    await pipe.write([[2, 3]])
    assert (first.getvalue(), second.getvalue()) == ("1 2\n", "2 3\n")


async def test_a_reader_of_the_newer_era_gets_an_output_of_its_shape(capsys):
    class Column(joule.client.ReaderModule):
        async def run(self, parsed_args, output):
            self.shape = output.dtype["data"].shape
            await output.write(np.zeros(1, output.dtype))

    module = Column()
    await (await module.run_as_task(argparse.Namespace(), None))
    assert module.shape == (1,)
    assert capsys.readouterr().out == "0 0.0\n"
