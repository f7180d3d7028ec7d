"""Modules under the supervisor of another era: pipes are descriptors, and `--pipes` is written in that era's way."""

import argparse
import asyncio
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import joule
from joule import FilterModule, ReaderModule
from joule.models.pipes import InputPipe, OutputPipe, compute_dtype, interval_token, reader_factory, writer_factory

LAYOUT = "float32_2"


def single(kind):
    """2018: one JSON text."""
    return lambda inputs, outputs: json.dumps({"outputs": entries(outputs, kind), "inputs": entries(inputs, kind)})


def entries(descriptors, kind):
    extra = {"id": 7} if kind == "newer" else {}
    return {name: {"fd": fd, "layout": LAYOUT, **extra} for name, fd in descriptors.items()}


WAYS = {
    "2017": lambda inputs, outputs: json.dumps(
        {"destinations": entries(outputs, "2017"), "sources": entries(inputs, "2017")}
    ),
    "2018": single("2018"),
    "newer": lambda inputs, outputs: json.dumps(single("newer")(inputs, outputs)),
}
MODULE = """
class Offset(FilterModule):
    def custom_args(self, parser):
        parser.add_argument("offset", type=int)

    async def run(self, parsed_args, inputs, outputs):
        pipe_in, pipe_out = inputs["raw"], outputs["moved"]
        while not self.stop_requested:
            try:
                sarray = await pipe_in.read()
            except joule.EmptyPipe:
                break
            sarray["data"] += parsed_args.offset
            await pipe_out.write(sarray)
            pipe_in.consume(len(sarray))
            if pipe_in.end_of_interval:
                await pipe_out.close_interval()

if __name__ == "__main__":
    Offset().start()
"""


def packed(*values):
    rows = np.zeros(len(values), compute_dtype(LAYOUT))
    rows["timestamp"] = np.arange(1, len(values) + 1)
    rows["data"] = np.array(values)[:, None]
    return rows.tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_a_filter_runs_between_descriptors_and_keeps_breaks(programs, way):
    module_end_in, ours_in = os.pipe()
    ours_out, module_end_out = os.pipe()
    text = WAYS[way]({"raw": module_end_in}, {"moved": module_end_out})
    with subprocess.Popen(
        [sys.executable, programs.file(MODULE), "10", "--pipes", text, "--api-socket", "/none", "--socket=/none"],
        pass_fds=(module_end_in, module_end_out),
        env=programs.env,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    ) as process:
        os.close(module_end_in)
        os.close(module_end_out)
        with open(ours_in, "wb") as sending, open(ours_out, "rb") as receiving:
            break_ = interval_token(LAYOUT).tobytes()
            sending.write(packed(1, 2) + break_ + packed(0, 0, 3)[32:])
            sending.close()
            assert receiving.read() == packed(11, 12) + break_ + packed(0, 0, 13)[32:]
        _, said = process.communicate(timeout=15)
        assert process.returncode == 0, said
        assert b"Traceback" not in said


def test_a_reader_ends_with_one_error_when_the_other_end_has_gone(programs):
    file = programs.file("""
        class Endless(ReaderModule):
            async def run(self, parsed_args, output):
                while True:
                    await output.write([[time_now(), 1, 2]])
                    await asyncio.sleep(0.01)

        Endless().start()
    """)
    ours, module_end = os.pipe()
    os.close(ours)
    command = [sys.executable, file, "--pipes", WAYS["newer"]({}, {"output": module_end})]
    ended = subprocess.run(
        command, pass_fds=(module_end,), env=programs.env, capture_output=True, timeout=15, text=True
    )
    os.close(module_end)
    assert ended.returncode != 0
    assert "pipe 'output' has gone" in ended.stderr


@pytest.mark.parametrize(("package", "shape"), [(joule, ()), (joule.client, (1,))])
def test_the_class_decides_the_shape_and_the_stream_has_elements(package, shape):
    class Look(package.FilterModule):
        async def run(self, parsed_args, inputs, outputs):
            self.shapes = [pipe.dtype["data"].shape for pipe in (inputs["i"], outputs["o"])]
            self.stream = outputs["o"].stream

    source, sink = os.pipe()
    entries = {"o": {"fd": sink, "layout": "int16_1", "id": 3}}, {"i": {"fd": source, "layout": "int16_1", "id": None}}
    module = Look()
    module.start(
        argparse.Namespace(pipes=json.dumps(json.dumps(dict(zip(("outputs", "inputs"), entries, strict=True)))))
    )
    assert module.shapes == [shape, shape]
    assert (module.stream.id, module.stream.layout) == (3, "int16_1")
    assert [element.name for element in module.stream.elements] == ["E0"]


class Nothing(ReaderModule):
    async def run(self, parsed_args, output):
        pass


class Several(FilterModule):
    async def run(self, parsed_args, inputs, outputs):
        pass


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"fd": 999, "layout": LAYOUT}, "descriptor 999 is not open"),
        ({"fd": -1, "layout": LAYOUT}, "descriptor -1 is not open"),
        ({"fd": "4", "layout": LAYOUT}, "must be described such as"),
        ({"layout": LAYOUT}, "must be described such as"),
        ([4, LAYOUT], "must be described such as"),
        ("FILE", "neither a pipe nor a socket"),
        ("FIFO", "bad layout"),
    ],
)
def test_a_descriptor_that_cannot_be_a_pipe_is_named_with_its_pipe(entry, what, caplog, tmp_path):
    ours, other = os.pipe()
    with (tmp_path / "file").open("w") as file:
        made = {"FILE": {"fd": file.fileno(), "layout": LAYOUT}, "FIFO": {"fd": other, "layout": "float"}}
        entry = made[entry] if isinstance(entry, str) else entry
        Nothing().start(argparse.Namespace(pipes=json.dumps({"outputs": {"output": entry}, "inputs": {}})))
    os.close(ours)
    os.close(other)
    assert "pipe 'output'" in caplog.text
    assert what in caplog.text
    assert "Traceback" not in caplog.text


def test_pipes_that_are_no_mapping_are_refused(caplog):
    Several().start(argparse.Namespace(pipes='{"inputs": [], "outputs": {}}'))
    assert "must name a descriptor for each pipe" in caplog.text


async def test_pipes_that_an_author_builds_from_descriptors_carry_rows():
    read_end, write_end = os.pipe()
    sending = OutputPipe(name="out", layout="int32_1", writer_factory=writer_factory(write_end))
    receiving = InputPipe(name="in", layout="int32_1", reader_factory=reader_factory(read_end))
    await sending.write(np.array([[1, 5], [2, 6]]))
    await sending.close()
    rows = await asyncio.wait_for(receiving.read(), 10)
    assert rows["data"].tolist() == [[5], [6]]
    await receiving.close()
