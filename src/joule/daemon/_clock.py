"""The node's one clock: kept beside the system's, never backwards, across restarts of `jouled` and of the machine.

`jouled` alone decides how it goes (the rules are in `joule.core.clock_rules`) and writes that into the node's clock
file; every process of the node reads it there. Nothing here runs for a process to know the time: a killed `jouled`
leaves a clock that goes on.

What a restart of the machine must not lose is written down every half minute, and left to the kernel to bring to the
disk: the time that was reached. Rows that were stored after that count too, where they are not far behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from joule.api import ClockInfo
from joule.core import ClockLaw
from joule.core.clock_rules import DAY_US, NO_STEP_US, Adjustment, ClockState, adjust
from joule.daemon import _clock_words as words
from joule.daemon._system_clock import Sample, SystemClock
from joule.log import ClockFile, ClockMemory, clock_path, following_clock, newest_timestamps, streams_directory

__all__ = ["ClockKeeper", "open_clock"]

_HEARTBEAT_S = 30.0
_UNTOLD_S = 1.0  # how often to look where nobody tells that the clock is set
_ROWS_BEYOND_US = 90_000_000  # a heartbeat, and the half minute after which the kernel writes what is in its cache
_EARLIEST_US = 1_735_689_600_000_000  # 2025-01-01
_LARGE_US = 1_000_000  # what people should see in the log; smaller steps are the daily work of time services

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def open_clock(data_directory: Path, system: SystemClock) -> Iterator[ClockKeeper]:
    """Start the node's clock, and let this process go by it as long as the context lasts.

    Args:
        data_directory: The node's, which is locked by the caller.
        system: The system's clock.

    Raises:
        ForeignFileError: The clock file is none of ours, or of a newer version.
        OSError: It cannot be written.
    """
    with contextlib.closing(ClockFile(clock_path(data_directory))) as file:
        keeper = ClockKeeper(file, system)
        keeper.start(newest_timestamps(streams_directory(data_directory)))
        with following_clock(file.path, mapped=False):  # jouled looks seldom, and outlives a file that is cut off
            try:
                yield keeper
            finally:
                keeper.remember(is_last=True)


class ClockKeeper:
    """Decides how the node's clock goes.

    Args:
        file: Where all processes of the node find it.
        system: The system's clock.

    Attributes:
        state: How it stands to the system's clock.
        unconfirmed_us: By how much it went forward in steps that nobody has confirmed.
    """

    def __init__(self, file: ClockFile, system: SystemClock) -> None:
        self.state = ClockState.FOLLOWING
        self.unconfirmed_us = 0
        self._file = file
        self._system = system
        self._is_in_place = True
        self._offset_us: int | None = None  # the system's clock minus boot time, when we looked last

    @property
    def law(self) -> ClockLaw:
        """How the node's clock goes."""
        assert self._file.law is not None, "start() has published one"
        return self._file.law

    def start(self, newest_us: Iterable[int]) -> None:
        """Go on where the clock was: in the same boot by the same law, else not before the time that it had reached.

        Args:
            newest_us: The newest timestamp of each log of the node.

        Raises:
            OSError: The file cannot be written.
        """
        sample, boot_id, law = self._system.sample(), self._system.boot_id(), self._file.law
        memory = self._file.memory
        self.unconfirmed_us = memory.unconfirmed_us if memory else 0
        if law is None or law.boot_id != boot_id or sample.boot_us < law.pieces[0].boot_us:
            start_us = self._start_us(sample.system_us, memory, list(newest_us))
            sequence = law.sequence + 1 if law else 1
            # First what nobody has confirmed: behind a crash it could not be told from what is known.
            self._file.remember(ClockMemory(floor_us=start_us, unconfirmed_us=self.unconfirmed_us))
            self._file.publish(ClockLaw.start(boot_id, sample.boot_us, start_us, sequence))
        self._adjust(sample)
        self.remember(is_last=True)

    def _start_us(self, system_us: int, memory: ClockMemory | None, newest_us: list[int]) -> int:
        """Return the time at which the clock starts in a new boot; counts how much of it nobody has confirmed."""
        if memory is None:  # a new node, or one whose clock was lost: its rows tell when it was used last
            known_us = max((row_us for row_us in newest_us if row_us <= system_us), default=system_us)
            self.unconfirmed_us += system_us - known_us
            return system_us
        last_us = memory.floor_us + _ROWS_BEYOND_US
        floor_us = max([memory.floor_us, *(row_us for row_us in newest_us if row_us <= last_us)])
        self.unconfirmed_us += max(0, system_us - floor_us)
        return max(system_us, floor_us + 1)

    async def run(self) -> None:
        """Keep the clock, for ever: at once when the system's is set, and every half minute."""
        loop = asyncio.get_running_loop()
        is_set = asyncio.Event()
        remembered_s = loop.time()
        async with self._system.watch(is_set.set) as is_told:
            while True:
                again_us = self.look().again_after_us
                wait_s = _HEARTBEAT_S if is_told else _UNTOLD_S
                wait_s = wait_s if again_us is None else min(wait_s, again_us / 1e6)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(is_set.wait(), wait_s)
                is_set.clear()
                if loop.time() - remembered_s >= _HEARTBEAT_S:
                    self.check_file()
                    self.remember()
                    remembered_s = loop.time()

    def check_file(self) -> None:
        """Mend the clock's file where somebody has cut it off, and say where it is no longer found.

        Raises:
            OSError: The file cannot be written.
        """
        if self._file.mend():
            _log.error("%s was cut off by somebody; it is whole again", self._file.path)
        is_in_place = self._file.is_in_place()
        if self._is_in_place and not is_in_place:
            _log.error(
                "%s was removed or replaced by somebody: modules that start now go by the system's clock; start jouled "
                "again",
                self._file.path,
            )
        self._is_in_place = is_in_place

    def look(self) -> Adjustment:
        """Compare both clocks, and do what is to be done.

        Raises:
            OSError: The file cannot be written; the clock goes on as it did.
        """
        adjustment = self._adjust(self._system.sample())
        is_trusted = self.state is ClockState.FOLLOWING and self.unconfirmed_us and self._system.is_synchronised()
        if is_trusted:
            self._confirm("the kernel calls its clock synchronised")
        return adjustment

    def confirm(self) -> None:
        """Take it from a person that the node's clock is right.

        Raises:
            OSError: The file cannot be written.
        """
        self._confirm("somebody said that it is right")

    def follow(self) -> None:
        """Set the node's clock to the system's, also backwards: nothing that goes by it may run.

        Raises:
            OSError: The file cannot be written.
        """
        sample = self._system.sample()
        back_us = self.law.node_us(sample.boot_us) - sample.system_us
        sequence = self.law.sequence + 1
        self._file.publish(ClockLaw.start(self._system.boot_id(), sample.boot_us, sample.system_us, sequence))
        self.unconfirmed_us = 0
        self.state = ClockState.FOLLOWING
        self._offset_us = sample.system_us - sample.boot_us
        self.remember(is_last=True)
        _log.warning(
            "the node's clock was set back by %s, as somebody said that the system's is right", words.span(back_us)
        )

    def is_ahead(self) -> bool:
        """Whether the node's clock is ahead of the system's."""
        return self.node_us() - self.system_us() > NO_STEP_US

    def node_us(self) -> int:
        """Return the node's time."""
        return self.law.node_us(self._system.sample().boot_us)

    def system_us(self) -> int:
        """Return what the system's clock says."""
        return self._system.sample().system_us

    def cautious_us(self) -> int:
        """Return the present for what removes old rows: without large steps forward that nobody has confirmed."""
        return self.node_us() - self._doubtful_us

    def remember(self, *, is_last: bool = False) -> None:
        """Write down the time that was reached; with `is_last`, also to the disk.

        Raises:
            OSError: It cannot be written.
        """
        self._file.remember(ClockMemory(floor_us=self.node_us(), unconfirmed_us=self.unconfirmed_us))
        if is_last:
            self._file.sync()

    def describe(self) -> ClockInfo:
        """Return how the clock stands, for people and programs."""
        sample = self._system.sample()
        return ClockInfo(
            state=str(self.state),
            node_us=self.law.node_us(sample.boot_us),
            system_us=sample.system_us,
            unconfirmed_us=self._doubtful_us,
            synchronised=self._system.is_synchronised(),
            meets_us=max(0, self.law.settles_us - sample.boot_us) if self.state is ClockState.SLOWING else None,
            note=self.note(),
        )

    def note(self) -> str:
        """Return what a person has to know about the clock at the moment; empty when all is well."""
        if self.state is not ClockState.FOLLOWING:
            return self._consequence(self._system.sample())
        if self._doubtful_us:
            return words.doubt(self._doubtful_us, self.node_us())
        return words.no_time(self.node_us()) if self.node_us() < _EARLIEST_US else ""

    @property
    def _doubtful_us(self) -> int:
        return self.unconfirmed_us if self.unconfirmed_us > DAY_US else 0

    def _adjust(self, sample: Sample) -> Adjustment:
        adjustment = adjust(self.law, *sample)
        was_doubtful_us, before = self._doubtful_us, self.state
        if adjustment.law is not None:
            self._take(adjustment.law, adjustment, sample)
        self.state = adjustment.state
        offset_us = sample.system_us - sample.boot_us
        if self._offset_us is None:
            self._report_start(sample, adjustment.jumped_us)
        elif abs(offset_us - self._offset_us) > NO_STEP_US:
            self._report(words.step(offset_us - self._offset_us), sample, abs(offset_us - self._offset_us))
        elif before is ClockState.SLOWING and self.state is ClockState.FOLLOWING:
            _log.info("the node's clock and the system's have met")
        self._offset_us = offset_us
        if self._doubtful_us > was_doubtful_us:
            _log.warning("%s", words.doubt(self._doubtful_us, self.node_us()))
        return adjustment

    def _take(self, law: ClockLaw, adjustment: Adjustment, sample: Sample) -> None:
        """Let all go by a law; what nobody has confirmed is known before that, lest a row is removed."""
        ahead_us = self.law.node_us(sample.boot_us) - sample.system_us
        lost_us = ahead_us if adjustment.state is ClockState.SLOWING else 0
        unconfirmed_us = max(0, self.unconfirmed_us + adjustment.jumped_us - lost_us)
        if adjustment.jumped_us and unconfirmed_us > DAY_US:
            self._file.remember(ClockMemory(floor_us=self.node_us(), unconfirmed_us=unconfirmed_us))
        self._file.publish(law)
        self.unconfirmed_us = unconfirmed_us

    def _report_start(self, sample: Sample, jumped_us: int) -> None:
        if jumped_us > NO_STEP_US:
            self._report(f"while no jouled ran, {words.step(jumped_us)}", sample, jumped_us)
        elif self.state is not ClockState.FOLLOWING:
            _log.warning("%s", self._consequence(sample))
        elif sample.system_us < _EARLIEST_US:
            _log.warning("%s", words.no_time(sample.system_us))

    def _report(self, what: str, sample: Sample, step_us: int) -> None:
        level = logging.WARNING if step_us >= _LARGE_US else logging.INFO
        _log.log(level, "%s: %s", what, self._consequence(sample))

    def _consequence(self, sample: Sample) -> str:
        ahead_us = self.law.node_us(sample.boot_us) - sample.system_us
        return words.consequence(self.state, ahead_us, self.law.settles_us - sample.boot_us)

    def _confirm(self, why: str) -> None:
        was_doubtful_us = self._doubtful_us
        self.unconfirmed_us = 0
        self.remember()
        if was_doubtful_us:
            _log.info("the clock's step of %s is confirmed: %s", words.span(was_doubtful_us), why)
