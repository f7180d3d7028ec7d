"""Modules that do what modules should not, all on one node, beside one that is in order (F7, F9, F10)."""

import os
from pathlib import Path

import numpy as np
import pytest

from joule.log import BREAK

from .modules import HEALTHY

pytestmark = pytest.mark.timeout(60)

OFFENDERS = {
    "forker": """
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.close(1)
                os.close(2)
        while True:
            time.sleep(1)
    """,
    "quitter": "raise SystemExit(7)",
    "long line": """
        import os, time
        for _ in range(1600):
            os.write(1, b"x" * 65536)
        os.write(1, b"\\nlong line over\\n")
        time.sleep(600)
    """,
    "garbage": """
        import os, time
        os.write(1, b"\\xff\\xfe\\x00 \\x1b[31mred\\x07 \\xc3\\n")
        os.write(1, os.urandom(2_000_000))
        os.write(1, b"\\ngarbage over\\n")
        time.sleep(600)
    """,
    "flood": """
        import os, time
        for _ in range(800):
            os.write(1, b"spam and eggs and spam\\n" * 2800)
        os.write(1, b"flood over\\n")
        time.sleep(600)
    """,
    "silent": """
        import os, time
        os.close(1)
        os.close(2)
        time.sleep(600)
    """,
    "crasher": """
        import os, signal
        print("about to crash", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    """,
}


def memory_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_offenders_disturb_nobody_and_leave_nothing(kit):
    kit.add("healthy", HEALTHY, outputs="output = /test/count:float64[n]")
    for name, code in OFFENDERS.items():
        kit.add(name.replace(" ", "_"), code)
    jouled = kit.start()
    before = memory_bytes(jouled.pid)
    logs = kit.directory / "logs"
    for name in ("long_line", "garbage", "flood"):
        over = f"{name.replace('_', ' ')} over"
        kit.wait(lambda name=name, over=over: over in kit.log(name) or "lines dropped" in kit.log(name), over)
    kit.wait(lambda: kit.module("quitter").restarts >= 2, "restarts of the quitter")

    modules = {module.name: module for module in kit.ask("modules")}
    assert (modules["healthy"].state, modules["healthy"].restarts) == ("running", 0)
    assert {modules[name].state for name in ("forker", "long_line", "garbage", "flood", "silent")} == {"running"}
    assert modules["quitter"].exit_code == 7
    assert modules["crasher"].exit_code == -11
    assert "signal SIGSEGV" in kit.log("crasher")
    assert memory_bytes(jouled.pid) - before < 8_000_000

    assert "[104849408 bytes cut]" in kit.log("long_line")
    assert "\\xff\\xfe\\x00 \\x1b[31mred\\x07 \\xc3" in kit.log("garbage")
    for path in logs.iterdir():
        assert path.stat().st_size < 2_500_000
        assert not any(byte < 32 and byte not in b"\n\t" for byte in path.read_bytes())

    assert jouled.stop() == 0
    assert kit.processes() == []
    blocks = kit.rows("/test/count")
    rows = np.concatenate([block for block in blocks if block is not BREAK])
    np.testing.assert_array_equal(rows["timestamp"], np.arange(len(rows)))
    assert "Traceback" not in jouled.said()
