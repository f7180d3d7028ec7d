"""The system reader on the machine that runs the tests, and its configuration files."""

import argparse
import asyncio
import configparser
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from joule.builtins.system_reader import Selection, SystemReader, module_config, select, stream_config
from joule.builtins.system_reader._gauges import gauges
from joule.errors import ModuleError
from joule.pipes import LocalPipe

PROGRAM = [sys.executable, "-m", "joule.builtins.system_reader"]


def arguments(*texts: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    SystemReader().custom_args(parser)
    return parser.parse_args(texts)


def ini(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


async def read_rows(count: int, selection: Selection) -> np.ndarray:
    output = LocalPipe(f"float64_{len(selection.elements)}")
    namespace = argparse.Namespace(rate=100.0, cores=selection.cores, sensors=selection.sensors)
    task = asyncio.ensure_future(SystemReader().run(namespace, output))
    rows = await output.read(flatten=True)
    while len(rows) < count:
        rows = await output.read(flatten=True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return rows


def test_elements_have_names_of_their_own_and_units() -> None:
    elements = Selection(cores=3, sensors=("frequency", "temperature")).elements
    assert [element.name for element in elements] == [
        *("cpu", "cpu_0", "cpu_1", "cpu_2", "frequency", "temperature", "memory", "memory_used"),
        *("disk_read", "disk_write", "network_in", "network_out"),
    ]
    assert all(element.units for element in elements)


async def test_the_first_row_has_loads_and_rates_already() -> None:
    selection = select()
    rows = await read_rows(1, selection)
    assert not np.isnan(rows[0]).any()
    values = dict(zip([element.name for element in selection.elements], rows[0, 1:], strict=True))
    assert 0 <= values["cpu"] <= 100
    assert 0 < values["memory"] <= 100
    assert values["memory_used"] > 1e6
    assert values["network_in"] >= 0


async def test_rows_follow_each_other_in_time() -> None:
    rows = await read_rows(3, select())
    assert (np.diff(rows[:, 0]) > 0).all()


async def test_what_this_machine_does_not_have_is_nan_and_the_rest_is_there() -> None:
    here = select()
    wider = Selection(cores=here.cores + 2, sensors=("frequency", "temperature"))
    rows = await read_rows(1, wider)
    values = dict(zip([element.name for element in wider.elements], rows[0, 1:], strict=True))
    assert math.isnan(values[f"cpu_{here.cores + 1}"])
    assert values["memory"] > 0
    assert math.isnan(values["temperature"]) == ("temperature" not in here.sensors)


async def test_a_stream_of_another_width_is_refused_with_the_remedy() -> None:
    output = LocalPipe("float32_2")
    with pytest.raises(ModuleError, match="--show-config stream"):
        await SystemReader().run(argparse.Namespace(rate=100.0, cores=1, sensors=()), output)


def test_each_gauge_gives_a_value_for_each_of_its_elements() -> None:
    for gauge in gauges(select()):
        assert len(gauge.sample()) == len(gauge.elements)


def test_sensors_are_chosen_by_name() -> None:
    assert arguments("--sensors", "temperature, frequency").sensors == ("frequency", "temperature")
    assert arguments("--sensors", "none").sensors == ()


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("sensors", "humidity", "there is no sensor 'humidity'; sensors are frequency, temperature, or none"),
        ("cores", "0", "1 to 1000 cores"),
        ("rate", "0", "above 0 and at most 100 Hz, not 0"),
        ("rate", "200", "above 0 and at most 100 Hz, not 200"),
    ],
)
def test_an_argument_out_of_range_is_a_usage_error_that_says_the_range(
    option: str, value: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(f"--{option}", value)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_files_that_it_shows_are_those_of_its_own_arguments_and_elements() -> None:
    selection = Selection(cores=2, sensors=("temperature",))
    module = ini(module_config(selection, stream="/system/machine", rate_hz=5))
    given = [f"--{key}={value}" for key, value in module["Arguments"].items()]
    parsed = arguments(*given)
    assert (parsed.rate, parsed.cores, parsed.sensors) == (5, 2, ("temperature",))
    stream = ini(stream_config(selection, folder="/system", name="machine"))
    assert [stream[f"Element{number}"]["name"] for number in range(1, len(selection.elements) + 1)] == [
        element.name for element in selection.elements
    ]
    assert stream["Element1"]["units"] == "%"


@pytest.mark.parametrize(
    ("which", "sections"),
    [(["module"], ["Main", "Arguments", "Outputs"]), (["stream"], ["Main", "Element1"])],
)
def test_show_config_prints_one_file_and_exits(
    which: list[str], sections: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments("--cores", "1", "--sensors", "none", "--show-config", *which)
    assert ended.value.code in (None, 0)
    assert ini(capsys.readouterr().out).sections()[: len(sections)] == sections


def test_the_sample_has_as_many_elements_as_its_arguments_give() -> None:
    sample = configparser.ConfigParser(interpolation=None)
    sample.read(Path(__file__).with_name("sample.conf"))
    parsed = arguments(*(f"--{key}={value}" for key, value in sample["Arguments"].items()))
    names = sample["Outputs"]["output"].partition("[")[2].rstrip("]").split(",")
    selection = Selection(cores=parsed.cores, sensors=parsed.sensors)
    assert names == [element.name for element in selection.elements]


def test_alone_in_a_terminal_it_prints_rows(tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [*PROGRAM, "--rate", "20"], stdout=subprocess.PIPE, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert reader.stdout is not None
    lines = [reader.stdout.readline().split() for _ in range(2)]
    reader.stdout.close()
    assert reader.wait(timeout=10) == 0
    assert int(lines[1][0]) > int(lines[0][0])
    assert len(lines[0]) == 1 + len(select().elements)
