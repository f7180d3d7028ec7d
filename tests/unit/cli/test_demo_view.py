"""How the demo looks on a terminal and elsewhere."""

import io
import math

import pytest
from rich.console import Console

from joule.api import ModuleInfo, StreamInfo
from joule.cli._demo_display import open_display
from joule.cli._demo_node import MACHINE, MEANS
from joule.cli._demo_view import picture, plain_line, troubles_text, value_text
from joule.cli._demo_watch import Glance, StreamGlance
from joule.core import ElementSpec

ELEMENTS = (ElementSpec(name="cpu", units="%"), ElementSpec(name="disk_read", units="B/s"))


def glance(*, values=(25.0, 1500.0), means=(50.0, 2000.0), troubles=None, elements=ELEMENTS):
    def seen(path, numbers):
        info = StreamInfo(id=1, path=path, layout="float32_2", elements=elements, rows=1234, last_us=1)
        return StreamGlance(info=info, rate_hz=10.0, values=numbers)

    modules = (
        ModuleInfo(name="System Reader", description="", state="running", reason="", cpu_percent=1.5, memory_bytes=4e7),
        ModuleInfo(name="Composite", description="", state="backing off", reason=""),
    )
    return Glance(modules=modules, streams=(seen(MACHINE, values), seen(MEANS, means)), troubles=troubles or {})


def drawn(shown, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(picture(shown, elapsed_s=65, directory=".demo"))
    return console.file.getvalue()


def test_the_picture_has_states_rates_and_values_with_units():
    text = drawn(glance())
    for part in (".demo", "1min 5s", "Ctrl-C", "running", "backing off", "1.5 %", "40 MB", "10.0", "1,234", "25.0 %"):
        assert part in text
    assert "1.5 kB/s" in text
    assert "████" in text  # half of the bar: the mean, and not the jumping value


def test_the_picture_fits_a_small_terminal():
    assert max(len(line.rstrip()) for line in drawn(glance()).splitlines()) <= 80


def test_the_cores_of_a_large_machine_are_left_out():
    cores = tuple(ElementSpec(name=f"cpu_{core}", units="%") for core in range(64))
    text = drawn(glance(elements=(*ELEMENTS, *cores), values=(25.0,) * 66, means=(25.0,) * 66))
    assert "cpu " in text
    assert "cpu_1" not in text
    assert len(text.splitlines()) < 24


def test_before_there_are_means_the_values_are_shown_alone():
    text = drawn(glance(means=()))
    assert "25.0 %" in text
    assert "nan" not in text


def test_before_there_are_rows_there_is_a_picture_too():
    assert "THIS MACHINE" not in drawn(glance(values=(), means=()))


def test_the_picture_says_which_module_does_not_run_and_what_it_printed():
    text = drawn(glance(troubles={"Composite": ["ImportError: no \x1b[31m red"]}))
    assert "Composite does not run" in text
    assert "no \\x1b[31m red" in text


def test_a_plain_line_has_everything_that_changes():
    line = plain_line(glance(), elapsed_s=12)
    assert "12 s  1 of 2 modules running" in line
    assert f"{MACHINE} 10" in line
    assert "cpu 25.0 %" in line
    assert "Composite: backing off" in line


def test_a_module_that_printed_nothing_is_said_to():
    assert troubles_text({"A": []}) == "A does not run, and printed nothing."


@pytest.mark.parametrize(
    ("value", "units", "text"),
    [
        (math.nan, "%", "-"),
        (12.345, "%", "12.3 %"),
        (2596.1, "MHz", "2596 MHz"),
        (0.12345, "", "0.123"),
        (1234.5, "", "1234"),
        (2.5e9, "B", "2.5 GB"),
        (0.0, "B/s", "0 B/s"),
        (1e6, "B/s", "1 MB/s"),
    ],
)
def test_values_are_shown_as_people_read_them(value, units, text):
    assert value_text(value, units) == text


def test_elsewhere_than_on_a_terminal_a_line_comes_every_two_seconds(capsys):
    with open_display("dir", silent=False) as display:
        for elapsed_s in (0, 0.5, 1.0, 2.1, 2.6):
            display.show(glance(), elapsed_s)
    assert len(capsys.readouterr().out.splitlines()) == 3  # the head, 0 s and 2 s


def test_a_module_s_trouble_is_printed_once(capsys):
    with open_display("dir", silent=False) as display:
        for elapsed_s in (0, 0.5, 1.0):
            display.show(glance(troubles={"Composite": ["boom"]}), elapsed_s)
    assert capsys.readouterr().out.count("boom") == 1


def test_silent_means_silent(capsys):
    with open_display("dir", silent=True) as display:
        display.show(glance(), 0)
    assert display.last is not None
    assert capsys.readouterr().out == ""
