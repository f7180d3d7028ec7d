"""Rules for all tests: what one needs of the machine and how fast that is, no skips in CI, and Ctrl-C is heard."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Generator

import hypothesis
import pytest


def pytest_configure() -> None:
    """Let what the tests start hear SIGINT, also where a script runs the tests in the background and ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A busy machine is no fault of what is tested, and a test that is stuck ends by its timeout.
    hypothesis.settings.register_profile("any speed", deadline=None)
    hypothesis.settings.load_profile("any speed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose system program is not there, naming it."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if shutil.which(program) is None:
                pytest.skip(f"needs the program {program!r}, which is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skip is a failure: what is not tested there is tested nowhere."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a skip in CI is a failure: {reason}"
    return report
