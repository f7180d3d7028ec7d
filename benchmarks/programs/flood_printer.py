"""A module that prints at the rate that a file says, bytes a second, `inf` without bound: `flood_printer.py FILE`."""

import os
import signal
import sys
import time
from pathlib import Path

BLOCK = (b"x" * 79 + b"\n") * 100
_LOOK_S = 0.01


def main(file: Path) -> None:
    """Print until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        rate = float(file.read_text())
        began_s, sent = time.monotonic(), 0
        while (elapsed_s := time.monotonic() - began_s) < 0.1:
            if sent < rate * elapsed_s:
                sent += os.write(1, BLOCK)
            else:
                time.sleep(_LOOK_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
