"""What of this machine is measured, under which names and units, and how psutil tells it.

Which elements there are depends on a `Selection` and on nothing else: a stream keeps its layout when a core is switched
off or a sensor vanishes (their values are then NaN), and a configuration can be carried to another machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import psutil

from joule.builtins.system_reader._rates import CounterRates, LoadMeter, mean
from joule.core import ElementSpec

__all__ = ["SENSORS", "Gauge", "Selection", "gauges", "select"]

SENSORS = ("frequency", "temperature")
_SENSOR_PERIOD_S = 1.0  # reading these may wake hardware (milliseconds each), and neither changes faster than one sees
_CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal", "acpitz")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which elements the stream has, beside those that every machine has.

    Attributes:
        cores: Number of processor cores, each with its own load.
        sensors: Those of `SENSORS` that are measured.
    """

    cores: int
    sensors: tuple[str, ...]

    @property
    def elements(self) -> tuple[ElementSpec, ...]:
        """The stream's elements, in the order of the values in a row."""
        return tuple(element for gauge in gauges(self) for element in gauge.elements)


class Gauge(Protocol):
    """One thing to measure, giving one or more elements."""

    @property
    def elements(self) -> tuple[ElementSpec, ...]:
        """Names and units of the values."""

    def sample(self) -> list[float]:
        """Return the values now, one for each element; NaN where there is none."""


def select() -> Selection:
    """Return the selection that fits this machine."""
    found = {"frequency": _frequency_mhz(), "temperature": _temperature_c()}
    sensors = tuple(name for name in SENSORS if not math.isnan(found[name]))
    return Selection(cores=psutil.cpu_count() or 1, sensors=sensors)


def gauges(selection: Selection) -> list[Gauge]:
    """Return gauges for a selection, none of them read yet: rates and loads count from a first `sample()` on."""
    sensors: dict[str, Gauge] = {
        "frequency": _Slow(ElementSpec(name="frequency", units="MHz"), _frequency_mhz),
        "temperature": _Slow(ElementSpec(name="temperature", units="°C"), _temperature_c),
    }
    return [
        _Load(selection.cores),
        *(sensors[name] for name in SENSORS if name in selection.sensors),
        _Memory(),
        _Traffic(("disk_read", "disk_write"), _disk_counters),
        _Traffic(("network_in", "network_out"), _network_counters),
    ]


class _Load:
    """Load of the processor and of each of its cores."""

    def __init__(self, cores: int) -> None:
        self._meters = [LoadMeter() for _ in range(cores)]

    @property
    def elements(self) -> tuple[ElementSpec, ...]:
        names = ["cpu", *(f"cpu_{core}" for core in range(len(self._meters)))]
        return tuple(ElementSpec(name=name, units="%", default_min=0, default_max=100) for name in names)

    def sample(self) -> list[float]:
        times = psutil.cpu_times(percpu=True)
        loads = [math.nan] * len(self._meters)
        for core, (meter, spent) in enumerate(zip(self._meters, times, strict=False)):
            loads[core] = meter.update(*_busy_and_total(spent._asdict()))
        return [mean(loads), *loads]


def _busy_and_total(spent: dict[str, float]) -> tuple[float, float]:
    """Return the busy and the whole time [s] of a core from the kernel's account of it."""
    total_s = sum(spent.values()) - spent.get("guest", 0) - spent.get("guest_nice", 0)  # in user and nice already
    return total_s - spent["idle"] - spent.get("iowait", 0), total_s


class _Slow:
    """A sensor that is asked once a second at most; in between it repeats its last value."""

    def __init__(self, element: ElementSpec, read: Callable[[], float]) -> None:
        self.elements: tuple[ElementSpec, ...] = (element,)
        self._read = read
        self._value = math.nan
        self._due_s = -math.inf

    def sample(self) -> list[float]:
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._value, self._due_s = self._read(), now_s + _SENSOR_PERIOD_S
        return [self._value]


class _Memory:
    """How much memory is in use: what no program could get without another one losing it."""

    elements: tuple[ElementSpec, ...] = (
        ElementSpec(name="memory", units="%", default_min=0, default_max=100),
        ElementSpec(name="memory_used", units="B", default_min=0),
    )

    def sample(self) -> list[float]:
        memory = psutil.virtual_memory()
        return [memory.percent, float(memory.total - memory.available)]


class _Traffic:
    """Bytes a second in two directions, over all devices together."""

    def __init__(self, names: tuple[str, str], read: Callable[[], dict[str, tuple[float, float]]]) -> None:
        self.elements: tuple[ElementSpec, ...] = tuple(ElementSpec(name=name, units="B/s") for name in names)
        self._read = read
        self._rates = CounterRates()

    def sample(self) -> list[float]:
        try:
            counters = self._read()
        except (OSError, RuntimeError):  # psutil's ways to say that the system does not tell
            counters = {}
        return list(self._rates.update(time.monotonic(), counters))


def _disk_counters() -> dict[str, tuple[float, float]]:
    disks = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return {name: (disks[name].read_bytes, disks[name].write_bytes) for name in _hardware(disks, Path("/sys/block"))}


def _network_counters() -> dict[str, tuple[float, float]]:
    cards = psutil.net_io_counters(pernic=True, nowrap=False) or {}
    names = _hardware((name for name in cards if not name.startswith("lo")), Path("/sys/class/net"))
    return {name: (cards[name].bytes_recv, cards[name].bytes_sent) for name in names}


def _hardware(names: Iterable[str], folder: Path) -> list[str]:
    """Return the devices with hardware behind them, or all where none has.

    Bridges, volumes and partitions only pass bytes on: with them, the same ones would count twice.
    """
    every = sorted(names)
    return [name for name in every if (folder / name / "device").exists()] or every


def _frequency_mhz() -> float:
    try:
        frequency = psutil.cpu_freq()
    except (AttributeError, OSError, RuntimeError, NotImplementedError):  # not on every system, nor in every container
        return math.nan
    return float(frequency.current) if frequency is not None and frequency.current > 0 else math.nan


def _temperature_c() -> float:
    """Return the temperature of the processor, or of the first sensor there is where none names it."""
    try:
        chips = psutil.sensors_temperatures()
    except (AttributeError, OSError, RuntimeError):  # AttributeError: psutil has it for Linux and FreeBSD only
        return math.nan
    for chip in sorted(chips, key=lambda name: _CPU_CHIPS.index(name) if name in _CPU_CHIPS else len(_CPU_CHIPS)):
        for sensor in chips[chip]:
            if sensor.current is not None:
                return float(sensor.current)
    return math.nan


def parse_cores(text: str) -> int:
    """Return the value of `--cores`."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"a machine has 1 to 1000 cores here, not {text}")
    return int(text)


def parse_sensors(text: str) -> tuple[str, ...]:
    """Return the value of `--sensors`: names with commas between them, or `none`."""
    names = [name.strip() for name in text.split(",") if name.strip() not in ("", "none")]
    for name in names:
        if name not in SENSORS:
            raise argparse.ArgumentTypeError(f"there is no sensor {name!r}; sensors are {', '.join(SENSORS)}, or none")
    return tuple(name for name in SENSORS if name in names)
