"""Contract 1D: `stop()` and `start()`."""

import argparse
import asyncio
import contextlib
import logging
import signal
import subprocess
import threading
import time

import pytest

from joule import BaseModule, CompositeModule, FilterModule, ReaderModule

SIGNALS = [signal.SIGINT, signal.SIGTERM]

ENDLESS, POLITE = "True", "not self.stop_requested"
PATIENT = "STOP_TIMEOUT = 3600\n"  # so that nothing but the module itself, or a second signal, ends it in time


def reader(condition, *members):
    """A 20 Hz reader with this loop condition and these lines in its class."""
    lines = "\n".join(f"    {line}" for line in "\n".join(members).splitlines())
    return f"""
class R(ReaderModule):
{lines}

    async def run(self, parsed_args, output):
        while {condition}:
            await output.write([[time_now(), 1.0]])
            await asyncio.sleep(0.05)

R().start()
"""


def stop(body):
    return f"def stop(self):\n    {body}\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_r36_a_signal_calls_stop_in_the_event_loop(programs, number):
    program = programs.start(reader(ENDLESS, stop("print('closing in', asyncio.get_running_loop().is_running())")))
    program.read_line()
    program.signal(number)
    ended = program.end()
    assert ended.returncode == 0
    assert "closing in True" in ended.stdout


def test_r37_the_default_stop_sets_the_flag_that_is_readable_from_the_start():
    class NoSuper(ReaderModule):
        def __init__(self):
            self.own = 1

    for module in (ReaderModule(), NoSuper()):
        assert module.stop_requested is False
        module.stop()
        assert module.stop_requested is True
    assert NoSuper().stop_requested is False


async def test_r37_it_is_readable_when_a_test_calls_run_itself():
    class R(ReaderModule):
        async def run(self, parsed_args, output):
            return self.stop_requested

    assert await R().run(argparse.Namespace(), None) is False


@pytest.mark.parametrize("number", SIGNALS)
def test_r38_a_reader_that_looks_at_the_flag_stops_by_itself(programs, number):
    program = programs.start(reader(POLITE, PATIENT))
    program.read_line()
    program.signal(number)
    ended = program.end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)


@pytest.mark.parametrize("number", SIGNALS)
def test_r38_an_endless_reader_is_cancelled_after_its_grace_time(programs, number):
    program = programs.start(reader(ENDLESS))
    program.read_line()
    start_s = time.monotonic()
    program.signal(number)
    ended = program.end()
    assert 1.9 <= time.monotonic() - start_s < 5  # 2 s, and what the machine's load adds
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)


def test_r38_a_second_signal_cancels_at_once(programs):
    program = programs.start(reader(ENDLESS, PATIENT, stop("print('stopping')")))
    program.read_line()
    program.signal(signal.SIGINT)
    while program.read_line() != "stopping":  # the handler has run: the next signal is a second one
        pass
    program.signal(signal.SIGINT)
    ended = program.end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)


def test_r38_a_second_signal_ends_a_call_that_blocks_the_event_loop(programs):
    ended = programs.run(
        """
        import signal, time

        class R(ReaderModule):
            STOP_TIMEOUT = 3600

            def stop(self):
                print("stopping")

            async def run(self, parsed_args, output):
                deadline = time.monotonic() + 10
                signal.raise_signal(signal.SIGINT)
                while time.monotonic() < deadline:  # as a serial port without a timeout would
                    time.sleep(0.05)
                    signal.raise_signal(signal.SIGTERM)
                print("was not interrupted")

        R().start()
        """
    )
    assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr) == (0, "stopping\n", False)


def test_r38_the_programs_own_signal_handlers_come_back():
    class R(ReaderModule):
        async def run(self, parsed_args, output):
            self.handlers = [signal.getsignal(number) for number in SIGNALS]

    module = R()
    before = [signal.getsignal(number) for number in SIGNALS]
    module.start(argparse.Namespace())
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert not set(module.handlers) & set(before)


def test_r38_further_signals_end_a_module_that_catches_its_cancellation(programs):
    program = programs.start(
        """
        class R(ReaderModule):
            STOP_TIMEOUT = 0

            async def run(self, parsed_args, output):
                while True:
                    try:
                        await output.write([[time_now(), 1]])
                        await asyncio.sleep(0.05)
                    except:
                        print("caught", flush=True)

        R().start()
        """
    )
    program.read_line()
    program.signal(signal.SIGINT)
    deadline = time.monotonic() + 15
    while "cancelled and has not ended" not in program.stderr and time.monotonic() < deadline:
        program.read_line()
    while program.popen.poll() is None and time.monotonic() < deadline:
        program.signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.popen.wait(0.25)
    ended = program.end()
    assert ended.returncode == 1
    assert "the process ends at this further signal" in ended.stderr
    assert "write `except Exception:`" in ended.stderr


def test_r38_signals_that_come_while_it_ends_change_nothing(programs):
    program = programs.start(
        """
        import os

        class R(ReaderModule):
            STOP_TIMEOUT = 0

            async def run(self, parsed_args, output):
                device, _ = os.pipe()
                try:
                    await output.write([[1, 1]])
                    await asyncio.to_thread(os.read, device, 1)
                finally:
                    print("ending")

        R().start()
        """
    )
    program.read_line()
    program.signal(signal.SIGINT)
    assert program.read_line() == "ending"
    program.signal(signal.SIGINT)  # now it waits a moment for the thread
    program.signal(signal.SIGTERM)
    ended = program.end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)


def test_r39_what_stop_prints_appears_before_the_end(programs):
    program = programs.start(reader(ENDLESS, PATIENT, stop("print('closing network sockets...')")))
    program.read_line()
    program.signal(signal.SIGTERM)
    while program.read_line() != "closing network sockets...":  # through a pipe, while the process still runs
        pass
    assert program.popen.poll() is None


@pytest.mark.parametrize("prefix", ["", "async "])
def test_r40_a_stop_that_fails_prevents_nothing(programs, prefix):
    failing = prefix + stop("raise ValueError('no socket')")
    program = programs.start(reader(ENDLESS, "STOP_TIMEOUT = 0.2", failing))
    program.read_line()
    program.signal(signal.SIGINT)
    ended = program.end()
    assert ended.returncode == 0
    assert "ValueError: no socket" in ended.stderr
    assert "stopped all the same" in ended.stderr


def test_r42_start_makes_the_loop_parses_and_blocks(monkeypatch):
    class R(ReaderModule):
        def custom_args(self, parser):
            parser.add_argument("--rate", type=float)

        async def run(self, parsed_args, output):
            await asyncio.sleep(0.05)
            self.seen = (parsed_args.rate, asyncio.get_running_loop())

    monkeypatch.setattr("sys.argv", ["r.py", "--rate=3"])
    module = R()
    assert module.start() is None
    rate, loop = module.seen
    assert rate == 3.0
    assert loop.is_closed()


def test_r43_start_returns_when_run_has_exited_and_the_pipe_is_flushed_and_closed(capsys):
    class R(ReaderModule):
        async def run(self, parsed_args, output):
            output.enable_cache(100)
            await output.write([[1, 2.0]])
            self.output = output

    module = R()
    module.start(argparse.Namespace())
    assert module.output.closed
    assert capsys.readouterr().out == "1 2.0\n"


def test_r44_an_exception_in_run_is_a_traceback_and_a_failure(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                raise ValueError("sensor unplugged")

        R().start()
        """
    )
    assert ended.returncode == 1
    assert "Traceback (most recent call last)" in ended.stderr
    assert "ValueError: sensor unplugged" in ended.stderr
    assert "in run" in ended.stderr


def test_r44_an_author_may_end_the_process_with_a_message(programs):
    ended = programs.run(
        """
        class R(ReaderModule):
            async def run(self, parsed_args, output):
                sys.exit("no sensor")

        R().start()
        """
    )
    assert (ended.returncode, ended.stderr) == (1, "no sensor\n")


@pytest.mark.parametrize("attributes", [{}, {"pipes": "unset"}, {"rate": 0.1, "pipes": "unset"}, {"pipes": None}])
def test_r45_a_namespace_may_lack_what_is_reserved(attributes, capsys):
    class R(ReaderModule):
        async def run(self, parsed_args, output):
            await output.write([[1, 2]])

    R().start(argparse.Namespace(**attributes))
    assert capsys.readouterr().out == "1 2\n"


class BareFilter(FilterModule):
    async def run(self, parsed_args, inputs, outputs):
        pass


class BareComposite(CompositeModule):
    async def setup(self, parsed_args, inputs, outputs):
        return []


@pytest.mark.parametrize("kind", [BareFilter, BareComposite, FilterModule, CompositeModule, ReaderModule, BaseModule])
def test_start_with_a_namespace_logs_why_a_module_cannot_run_and_returns(kind, caplog):
    with caplog.at_level(logging.ERROR):
        kind().start(argparse.Namespace(pipes="unset"))
    assert len(caplog.records) == 1


@pytest.mark.parametrize("kind", ["FilterModule", "CompositeModule"])
def test_modules_that_need_pipes_say_so_and_fail(programs, kind):
    method = {"FilterModule": "run", "CompositeModule": "setup"}[kind]
    ended = programs.run(
        f"class M({kind}):\n    async def {method}(self, parsed_args, inputs, outputs):\n        return []\nM().start()"
    )
    assert ended.returncode == 1
    assert "M needs pipes" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_module_can_be_started_in_a_thread_of_its_own(capsys):
    class R(ReaderModule):
        async def run(self, parsed_args, output):
            self.ran_in = threading.current_thread()

    module = R()
    thread = threading.Thread(target=module.start, args=(argparse.Namespace(),))
    thread.start()
    thread.join(10)
    assert module.ran_in is thread


def test_r38_a_reader_that_waits_for_a_device_in_a_thread_stops_all_the_same(programs):
    program = programs.start(
        """
        import os

        class R(ReaderModule):
            STOP_TIMEOUT = 0

            async def run(self, parsed_args, output):
                await output.write([[1, 1]])
                device, _ = os.pipe()
                await asyncio.to_thread(os.read, device, 1)

        R().start()
        """
    )
    program.read_line()
    program.signal(signal.SIGINT)
    ended = program.end()
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
