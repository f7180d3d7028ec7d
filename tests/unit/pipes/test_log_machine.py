"""Any interleaving of writing, reading, killing and trimming equals a model in memory.

The model is a list of timestamps and a list of break positions; the reader's model is where it is. Segments are tiny,
so that every operation crosses their borders.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.log.conftest import LAYOUT, abandon, rows_at

from joule.errors import OutOfOrderError
from joule.log import BREAK, CursorFile, InputPosition, LogWriter, ensure_cursors, read_log, trim_log
from joule.pipes import LogInput


class LogMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.node = Path(self.temporary.name)
        self.directory = self.node / "log"
        self.cursor_file = self.node / "m.cursor"
        self.times: list[int] = []
        self.breaks: list[int] = []
        self.trimmed = 0
        self.committed = InputPosition(0, 0)
        self.open_writer()
        ensure_cursors(self.cursor_file, "m", {"in": self.directory}, {})
        self.open_reader()

    def open_writer(self) -> None:
        self.writer = LogWriter(
            self.directory, LAYOUT, stream="/a", holder="x", segment_bytes=64 + 5 * 16, bells=self.node / "bells"
        )

    def open_reader(self) -> None:
        cursors = CursorFile(self.cursor_file)
        assert cursors.inputs == {"in": self.committed}
        cursors.close()
        at = self.committed
        self.reader = LogInput("in", self.directory, self.node, row=at.row, breaks=at.breaks, column=False)
        self.row, self.delivered, self.passed, self.at_break = at.row, at.row, at.breaks, False

    # The writer

    @rule(gaps=st.lists(st.integers(1, 5), min_size=1, max_size=12))
    def write(self, gaps: list[int]) -> None:
        made = []
        for gap in gaps:
            made.append((made[-1] if made else self.times[-1] if self.times else -1) + gap)
        self.writer.store(rows_at(made))
        self.times += made

    @rule(steps=st.lists(st.integers(-4, 4), min_size=1, max_size=12))
    def write_in_any_order(self, steps: list[int]) -> None:
        offered, time = [], self.times[-1] if self.times else 0
        for step in steps:
            time += step
            offered.append(time)
        good = list(self.times)
        for time in offered:
            if not good or time > good[-1]:
                good.append(time)
        refused = len(offered) - (len(good) - len(self.times))
        if refused:
            with pytest.raises(OutOfOrderError) as caught:
                self.writer.store(rows_at(offered))
            assert caught.value.refused == refused
        else:
            self.writer.store(rows_at(offered))
        self.times = good

    @rule()
    def mark_break(self) -> None:
        self.writer.mark_break()
        if len(self.times) > (self.breaks[-1] if self.breaks else 0):
            self.breaks.append(len(self.times))

    @rule()
    def writer_closes_and_another_opens(self) -> None:
        self.writer.close()
        self.open_writer()

    @rule(garbage=st.binary(max_size=40))
    def writer_dies_and_another_opens(self, garbage: bytes) -> None:
        abandon(self.writer)
        newest = max(self.directory.glob("*.rows"))
        with newest.open("ab") as segment:
            segment.write(garbage)
        self.open_writer()

    # The reader

    @rule()
    def read(self) -> None:
        if self.at_break:
            self.passed += 1
        following = self.breaks[self.passed] if self.passed < len(self.breaks) else None
        self.delivered = len(self.times) if following is None else following
        self.at_break = following is not None
        rows = self.reader.read_nowait()
        assert rows.tobytes() == rows_at(self.times[self.row : self.delivered]).tobytes()
        assert self.reader.end_of_interval == self.at_break
        rows["timestamp"] = 0  # private: changes nothing

    @rule()
    def reread(self) -> None:
        self.reader.reread_last()
        rows = self.reader.read_nowait()
        assert rows["timestamp"].tolist() == self.times[self.row : self.delivered]
        assert self.reader.end_of_interval == self.at_break

    @rule(share=st.floats(0, 1))
    def consume(self, share: float) -> None:
        count = round(share * (self.delivered - self.row))
        self.reader.consume(count)
        self.row += count

    @rule()
    def commit(self) -> None:
        self.committed = InputPosition(self.row, self.passed)
        cursors = CursorFile(self.cursor_file)
        cursors.commit([self.committed], [])
        cursors.close()

    @rule()
    def reader_dies_and_another_opens(self) -> None:
        self.reader.close()
        self.open_reader()

    # Retention

    @precondition(lambda self: self.times)
    @rule(share=st.floats(0, 1))
    def trim(self, share: float) -> None:
        before = self.times[round(share * (len(self.times) - 1))]
        keep = min(self.committed.row, self.row)
        first = self.trimmed
        self.trimmed += trim_log(self.directory, before_us=before, keep_from_row=keep)
        assert self.trimmed <= keep
        assert all(time < before for time in self.times[first : self.trimmed])

    @invariant()
    def what_is_stored_is_what_the_model_holds(self) -> None:
        if not hasattr(self, "times"):
            return
        found: list[int | str] = []
        for block in read_log(self.directory):
            found += ["break"] if block is BREAK else block["timestamp"].tolist()
        expected: list[int | str] = []
        for index in range(self.trimmed, len(self.times)):
            if index in self.breaks and index > self.trimmed:
                expected.append("break")
            expected.append(self.times[index])
        assert found == expected

    def teardown(self) -> None:
        if hasattr(self, "times"):
            self.writer.close()
            self.reader.close()
            self.temporary.cleanup()


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
