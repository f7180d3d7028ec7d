"""The daemon's own log."""

import logging
import re

import pytest

from joule.daemon import _journal
from joule.daemon._journal import journal_to_file

LOG = logging.getLogger("joule.daemon.test")


def test_a_line_has_time_and_level_and_is_inert(tmp_path):
    with journal_to_file(tmp_path / "jouled.log"):
        LOG.warning("module %s said %s", "x", "\x1b[31mred\r")
    (line,) = (tmp_path / "jouled.log").read_text().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} WARNING module x said ", line)
    assert line.endswith("\\x1b[31mred\\x0d")


def test_a_traceback_keeps_its_lines(tmp_path):
    with journal_to_file(tmp_path / "jouled.log"):
        try:
            raise ValueError("broken")
        except ValueError:
            LOG.exception("trimming failed")
    lines = (tmp_path / "jouled.log").read_text().splitlines()
    assert lines[-1] == "ValueError: broken"


def test_it_is_bounded_by_one_rotation(tmp_path, monkeypatch):
    monkeypatch.setattr(_journal, "_MAX_BYTES", 10_000)
    with journal_to_file(tmp_path / "jouled.log"):
        for number in range(1000):
            LOG.info("line %d", number)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"jouled.log", "jouled.log.1"}
    assert max(sizes.values()) <= 10_000


def test_a_file_that_cannot_be_opened_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"), journal_to_file(tmp_path / "absent" / "jouled.log"):
        pass


def test_afterwards_the_logger_is_as_before(tmp_path):
    root = logging.getLogger("joule")
    before = (root.level, list(root.handlers))
    with journal_to_file(tmp_path / "jouled.log"):
        pass
    assert (root.level, list(root.handlers)) == before
