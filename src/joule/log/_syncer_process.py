"""The syncer process: makes what a node has stored durable, round after round.

    python -m joule.log._syncer_process DATA_DIRECTORY [INTERVAL_S]

A process of its own, so that a disk which takes seconds for a sync keeps nobody from anything, and so that the rows of
modules which outlive their `jouled` go on becoming durable. SIGTERM asks for a last round; it ends behind that. Without
an interval one round is all. What it has to say it prints, a level and a sentence on each line, for `jouled` to log;
when there is no `jouled`, nobody hears.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from joule.errors import JouleError
from joule.log._clock_file import clock_path, following_clock
from joule.log._lock import ProcessLock
from joule.log._syncer import Syncer, Task

__all__ = ["SYNCER_LOCK", "main", "pause_s"]

SYNCER_LOCK = "syncer.lock"

_THREADS = 8  # a disk with a queue, or a journal that is committed once for all who wait, takes many syncs at once
_SHORTEST_PAUSE_S = 0.01
_PAUSE_SHARE = 20  # of what a round without news takes: so that looking takes at most a twentieth of a core
_SLOW_S = 5.0
_REMIND_S = 60.0
_STOP = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger("joule.syncer")


def main(arguments: list[str]) -> int:
    """Run until SIGTERM; returns the exit status: 0 when everything was durable at the end."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    logging.raiseExceptions = False  # a jouled that was killed does not listen any more
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)  # they are asked for between rounds
    data_directory = Path(arguments[0])
    interval_s = float(arguments[1]) if len(arguments) > 1 else None
    with contextlib.suppress(OSError, ValueError):  # some files of each stream stay open
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    try:
        with contextlib.closing(ProcessLock(data_directory / SYNCER_LOCK, "the syncer")), _node_time(data_directory):
            return _run(data_directory, interval_s)
    except BlockingIOError as error:
        _log.error("another syncer is at work: %s", error.args[1])
    except JouleError as error:
        _log.error("%s", error.message)
    except OSError as error:
        _log.error("%s: %s", error.filename or data_directory, error.strerror)
    return 1


@contextlib.contextmanager
def _node_time(data_directory: Path) -> Iterator[None]:
    """Go by the node's clock, where it has one."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(JouleError, OSError):
            stack.enter_context(following_clock(clock_path(data_directory)))
        yield


def _run(data_directory: Path, interval_s: float | None) -> int:
    with (
        concurrent.futures.ThreadPoolExecutor(_THREADS) as pool,
        concurrent.futures.ThreadPoolExecutor(1) as worker,
        Syncer(data_directory, run_all=lambda tasks: _at_once(pool, tasks)) as syncer,
    ):
        rounds = _Rounds(lambda: worker.submit(syncer.round))
        while interval_s is not None and signal.sigtimedwait(_STOP, pause_s(interval_s, rounds.look_s)) is None:
            rounds.next()
        return 0 if rounds.next() else 1


def _at_once(pool: concurrent.futures.Executor, tasks: Iterable[Task]) -> None:
    for future in [pool.submit(task) for task in tasks]:
        future.result()


def pause_s(interval_s: float, look_s: float) -> float:
    """Return how long to wait between two rounds, s.

    Args:
        interval_s: What the configuration says; 0 for as often as is sensible.
        look_s: How long a round without news takes.
    """
    return max(interval_s, _SHORTEST_PAUSE_S, _PAUSE_SHARE * look_s)


class _Rounds:
    """Rounds, and what is to be said of them; the same thing not more often than once a minute.

    Attributes:
        look_s: How long the last round without news took.
    """

    def __init__(self, begin: Callable[[], concurrent.futures.Future[bool]], slow_s: float = _SLOW_S) -> None:
        """Args: `begin` begins a round elsewhere, so that a disk that does not answer can be told of meanwhile."""
        self.look_s = 0.0
        self._begin = begin
        self._slow_s = slow_s
        self._is_failing = False
        self._told_s = -_REMIND_S

    def next(self) -> bool:
        """Do a round; returns whether all went well."""
        began_s = time.monotonic()
        try:
            has_news = self._result()
        except OSError as error:
            self._is_failing = True
            self._remind("what is durable cannot be recorded in %s: %s; it is tried again", error)
            return False
        if self._is_failing:
            self._is_failing = False
            _log.info("what is durable can be recorded again")
        if not has_news:
            self.look_s = time.monotonic() - began_s
        return True

    def _result(self) -> bool:
        running = self._begin()
        try:
            return running.result(self._slow_s)
        except TimeoutError:
            self._remind(
                "making rows durable takes longer than %.0f s: the disk is slow, or does not answer", self._slow_s
            )
            return running.result()

    def _remind(self, text: str, value: OSError | float) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < _REMIND_S:
            return
        self._told_s = now_s
        values = (value.filename or "the data directory", value.strerror) if isinstance(value, OSError) else (value,)
        _log.warning(text, *values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
