"""The logger process: what a module prints goes through here into a file that does not depend on `jouled`.

    python -I -S _logger_process.py FILE MAX_BYTES

A program of its own, standard library only, started once for each start of a module with the read end of the module's
output as its stdin. It lives in a session of its own, ends when the last process that can write to the pipe has ended,
and so outlives a killed `jouled`. It promises:

* The module never waits for long: the pipe is always drained, a flood at up to 32 MB a second (2 GB a minute). A module
  that prints faster than that waits milliseconds at a time, so that its flood takes little from others. What cannot be
  kept (disk full, thousands of lines a second) is dropped, counted, and the count is written as soon as that is
  possible.
* A flood costs little: while nothing of it may be kept, its lines are counted and not looked at.
* Memory is bounded whatever comes: one chunk, and at most `MAX_LINE_BYTES` of an unfinished line.
* Each line is stamped with the local time. Bytes that are no UTF-8 and control characters but the tab are shown
  escaped, so that a log is inert in a terminal.
* FILE holds about MAX_BYTES at most, and FILE.1 what was before that. Several loggers may append to one file.

`jouled` puts lines of its own between the module's: the byte 0x1E begins one, and ends a line left unfinished.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import select
import signal
import sys
import time

MAX_LINE_BYTES = 8192
CHUNK_BYTES = 65536
IDLE_S = 2.0  # a prompt without a newline is shown after this long
BURST_LINES = 5000  # a traceback or a chatty start passes whole
LINES_PER_S = 1000  # more than anybody reads; keeps a flood from wearing out an SD card
BATCH_LINES = 100  # of a flood, ten pieces a second are kept that can be read, not single lines
FLOOD_PAUSE_S = 0.002  # and so 32 MB a second at most, 2 GB a minute: a flood without end would take a core of ours
DAEMON_LINES = 2  # of each chunk kept whatever the rate: why a flood was ended must be in its log
DAEMON_LINE = b"\x1e"

# C0 but the tab, DEL, C1; and what can turn text around or break lines: U+2028 to 202E, U+2066 to 2069.
_INERT = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(9), *range(10, 32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}


def show(line: bytes) -> str:
    """Return a line as text that no terminal acts upon."""
    return line.removeprefix(DAEMON_LINE).removesuffix(b"\r").decode("utf-8", "backslashreplace").translate(_INERT)


def stamp(now_s: float) -> str:
    """Return local time, as ISO 8601 with milliseconds and offset."""
    local = time.localtime(now_s)
    zone = time.strftime("%z", local)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{int(now_s % 1 * 1000):03d}{zone[:3]}:{zone[3:]}"


def shorten(line: bytes, length: int) -> bytes:
    """Return a line as it was, or its beginning with a note.

    Args:
        line: The line, or as much of its beginning as was kept.
        length: Of the whole line, in bytes.
    """
    if length <= MAX_LINE_BYTES:
        return line
    return b"%b [%d bytes cut]" % (line[:MAX_LINE_BYTES], length - MAX_LINE_BYTES)


class Lines:
    """Cuts a stream of bytes into lines, and long lines short."""

    def __init__(self) -> None:
        self._head = b""
        self._length = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes, as bytes: a flood is counted at the speed of `split`."""
        has_marks = DAEMON_LINE in chunk
        pieces = (chunk.replace(DAEMON_LINE, b"\n" + DAEMON_LINE) if has_marks else chunk).split(b"\n")
        self._extend(pieces[0])
        if len(pieces) == 1:
            return []
        lines = [self._take(), *(shorten(piece, len(piece)) for piece in pieces[1:-1])]
        self._extend(pieces[-1])
        return _without_marks([*lines, pieces[-1]]) if has_marks else lines

    @property
    def is_cut(self) -> bool:
        """Whether the line that is not yet complete is too long already."""
        return self._length > MAX_LINE_BYTES

    def skip(self, chunk: bytes) -> tuple[int, bytes]:
        """Take a chunk without a mark whose lines nobody wants; returns how many it completes, and the last of them."""
        end = chunk.rfind(b"\n")
        if end < 0:
            self._extend(chunk)
            return 0, b""
        begin = chunk.rfind(b"\n", 0, end)
        if begin < 0:
            self._extend(chunk[:end])
            last = self._take()
        else:
            self._head, self._length = b"", 0
            last = shorten(chunk[begin + 1 : end], end - begin - 1)
        self._extend(chunk[end + 1 :])
        return chunk.count(b"\n"), last

    def flush(self) -> list[bytes]:
        """Return what was left without an end, as a line; nothing where there is nothing."""
        return [self._take()] if self._length else []

    def _extend(self, piece: bytes) -> None:
        self._head += piece[: MAX_LINE_BYTES - len(self._head)]
        self._length += len(piece)

    def _take(self) -> bytes:
        line = shorten(self._head, self._length)
        self._head, self._length = b"", 0
        return line


def _without_marks(lines: list[bytes]) -> list[bytes]:
    """Drop the empty lines that a mark behind a newline has made, and the last of `lines`, which is unfinished."""
    pairs = itertools.pairwise(lines)
    return [line for line, following in pairs if line or not following.startswith(DAEMON_LINE)]


class Allowance:
    """How many lines may be written now: a bucket that fills with time. Once empty it gives a batch at a time."""

    def __init__(self, now_s: float) -> None:
        self._lines = float(BURST_LINES)
        self._at_s = now_s
        self._is_dry = False

    def is_dry(self, now_s: float) -> bool:
        """Return whether nothing may be written now."""
        self._lines = min(BURST_LINES, self._lines + max(0.0, now_s - self._at_s) * LINES_PER_S)
        self._at_s = now_s
        if self._lines >= BATCH_LINES:
            self._is_dry = False
        return self._is_dry

    def take(self, wanted: int, now_s: float) -> int:
        """Return how many of `wanted` lines may be written."""
        if self.is_dry(now_s):
            return 0
        granted = min(wanted, int(self._lines))
        self._lines -= granted
        self._is_dry = granted < wanted
        return granted


class LogFile:
    """An append-only file, bounded by one rotation, that several processes may write to."""

    def __init__(self, path: str, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._fd = -1
        self._is_torn = False

    def append(self, text: str) -> None:
        """Write whole lines.

        Raises:
            OSError: Not all of it could be written.
        """
        self._follow()
        data = text.encode("utf-8", "replace")
        if self._is_torn:
            data = b"\n" + data
        # One write with O_APPEND lands in one piece, whoever else appends.
        written = os.write(self._fd, data)
        self._is_torn = written < len(data) and not data[:written].endswith(b"\n")
        if written < len(data):
            raise OSError("the disk took only a part")
        if os.fstat(self._fd).st_size >= self._max_bytes:
            self._rotate()

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _follow(self) -> None:
        """Have the file open that the path names, also when another logger has rotated or a person has removed it."""
        if self._fd >= 0 and not self._is_current():
            self.close()
        if self._fd < 0:
            os.makedirs(os.path.dirname(self._path) or ".", exist_ok=True)  # somebody has tidied up
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _is_current(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._fd), os.stat(self._path))
        return False

    def _rotate(self) -> None:
        # Two loggers may come here at once: the second one finds the path renamed, and leaves it.
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        if self._is_current():
            os.rename(self._path, self._path + ".1")
        self.close()


class Logger:
    """Stamps lines and writes them; counts what cannot be kept."""

    def __init__(self, file: LogFile, now_s: float) -> None:
        self._file = file
        self._allowance = Allowance(now_s)
        self._dropped = 0
        self._reason = ""
        self._last: list[bytes] = []

    def write(self, lines: list[bytes], now_s: float, monotonic_s: float) -> None:
        """Append lines, as many as may be written now. Never raises for the file."""
        granted = self._allowance.take(len(lines), monotonic_s)
        if granted and not self._append(lines[:granted], now_s):
            self._drop(lines[:granted])
        if granted == len(lines):
            return
        rest = lines[granted:]
        own = [line for line in rest if line.startswith(DAEMON_LINE)][-DAEMON_LINES:]
        self._reason = f"more than {LINES_PER_S} in a second"
        self._drop(rest, len(rest) - len(own))
        if own and not self._append(own, now_s):
            self._drop(own)

    def is_dry(self, monotonic_s: float) -> bool:
        """Return whether lines that come now will not be kept."""
        return self._allowance.is_dry(monotonic_s)

    def skip(self, count: int, last: bytes) -> None:
        """Count lines that were not looked at, the last of them excepted."""
        if count:
            self._reason = f"more than {LINES_PER_S} in a second"
            self._drop([last], count)

    def finish(self, now_s: float) -> None:
        """Say what was dropped at last, and the very last line (how the module ended), if the file takes it."""
        if self._dropped:
            self._dropped -= len(self._last)
            self._append(self._last, now_s)
        self._file.close()

    def _append(self, lines: list[bytes], now_s: float) -> bool:
        mark = f"[{stamp(now_s)}] "
        notice = [f"[{self._dropped} lines dropped: {self._reason}]"] if self._dropped else []
        try:
            self._file.append("".join(f"{mark}{line}\n" for line in (*notice, *map(show, lines))))
        except OSError as error:
            self._reason = str(error)
            return False
        self._dropped = 0
        return True

    def _drop(self, lines: list[bytes], count: int | None = None) -> None:
        self._dropped += len(lines) if count is None else count
        self._last = lines[-1:]


def pump(source: int, logger: Logger) -> None:
    """Move lines from a pipe to the log until every writer has closed it."""
    lines = Lines()
    while True:
        if not select.select([source], [], [], IDLE_S)[0]:
            logger.write(lines.flush(), time.time(), time.monotonic())
            continue
        chunk = os.read(source, CHUNK_BYTES)
        now_s = time.monotonic()
        is_dry = logger.is_dry(now_s)
        if chunk and is_dry and DAEMON_LINE not in chunk:
            logger.skip(*lines.skip(chunk))
        else:
            logger.write(lines.feed(chunk) if chunk else lines.flush(), time.time(), now_s)
        if not chunk:
            return
        if is_dry or lines.is_cut:
            time.sleep(FLOOD_PAUSE_S)  # the pipe fills meanwhile: one wake-up for many small prints


def main() -> None:
    """Run until the pipe ends."""
    path, max_bytes = sys.argv[1], int(sys.argv[2])
    # Who stops a node by signalling all its processes must still find the modules' last words in their logs.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(5)
    logger = Logger(LogFile(path, max_bytes), time.monotonic())
    pump(0, logger)
    logger.finish(time.time())


if __name__ == "__main__":
    main()
