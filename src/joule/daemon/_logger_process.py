"""The logger process: what a module prints goes through here into a file that does not depend on `jouled`.

    python -I -S _logger_process.py FILE MAX_BYTES

A program of its own, standard library only, started once for each start of a module with the read end of the module's
output as its stdin. It lives in a session of its own, ends when the last process that can write to the pipe has ended,
and so outlives a killed `jouled`. It promises:

* The module never waits for long: the pipe is always drained. What cannot be kept (disk full, thousands of lines a
  second) is dropped, counted, and the count is written as soon as that is possible.
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
    """How many lines may be written now: a bucket that fills with time."""

    def __init__(self, now_s: float) -> None:
        self._lines = float(BURST_LINES)
        self._at_s = now_s

    def take(self, wanted: int, now_s: float) -> int:
        """Return how many of `wanted` lines may be written."""
        self._lines = min(BURST_LINES, self._lines + max(0.0, now_s - self._at_s) * LINES_PER_S)
        self._at_s = now_s
        granted = min(wanted, int(self._lines))
        self._lines -= granted
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
        if granted < len(lines):
            self._reason = f"more than {LINES_PER_S} in a second"
            self._drop(lines[granted:])

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

    def _drop(self, lines: list[bytes]) -> None:
        self._dropped += len(lines)
        self._last = lines[-1:]


def pump(source: int, logger: Logger) -> None:
    """Move lines from a pipe to the log until every writer has closed it."""
    lines = Lines()
    while True:
        if not select.select([source], [], [], IDLE_S)[0]:
            logger.write(lines.flush(), time.time(), time.monotonic())
            continue
        chunk = os.read(source, CHUNK_BYTES)
        logger.write(lines.feed(chunk) if chunk else lines.flush(), time.time(), time.monotonic())
        if not chunk:
            return


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
