"""The page `docs/benchmarks.md`, written by a whole run."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks._figures import Result, table
from benchmarks._scale import Scale

__all__ = ["DOCUMENT", "report"]

DOCUMENT = "docs/benchmarks.md"

_TEXT = """# Benchmarks

Written by `make bench`; do not edit. `make bench ARGS="--only latency"` measures one thing, `ARGS=--quick` shows that
it works. Machines are shared and noisy: what counts are the ratios, each of two things measured in turn in one run.

{facts}

{table}

**measured** is the ratio of the medians of {rounds} rounds, **rounds** the lowest and highest ratio of two rounds that
ran one after the other (for the start of a process: of {starts} starts; for the idle node: of parts of the time).

## What is measured

* **Module to module**: a writer process and a reader process, asyncio in both, rows of 72 bytes (`float64_8`), NumPy in
  and NumPy out. The rate is that of the reader, from its first row to its last. Chunks of 1,000 and 10,000 rows move
  {volume:.1f} GB a round; 1-row and 10-row chunks move {small:,} and {tens:,} rows through the log, and a tenth of that
  through ezmsg, so that a round lasts some seconds. The log stores every row in files and returns private copies.
  ezmsg, two units in two processes through its shared memory, stores nothing and hands out the message in place; its
  buffers have the right size from the start. It hands out one message at a time and makes the sender wait after 32;
  a `read()` of the log returns all rows that there are, and its writer never waits. Much of the lead with small chunks
  is that.
* **`write()`**: the same volume by plain system calls into fresh files of 64 MiB in the same directory, in the same
  rounds. It is the ceiling of whatever stores, and depends on what else the machine does. Before each round of these
  and of the log, as much is written and removed again, uncounted: a virtual machine hands free memory back to its host,
  and would be measured getting it again.
* **Three readers**: one writer, three reader processes, each reading everything; the rate of the slowest.
* **Latency**: from before `write()` to the filter's `read()` returning, one row at 100 Hz, {latency_rows} rows a round;
  against a coroutine that waits for a descriptor and reads the same 72 bytes from an `os.pipe`.
* **A reader process**: the smallest module on standard output, alone, against a process that imports NumPy and
  asyncio, prints a line and waits. Memory is VmRSS, shared pages included, when the first row is out.
* **An idle node**: `jouled` with ten modules that write a row a second; processor time from the kernel's counters.
* **Many modules**: `jouled` with two hundred random readers at 1 Hz, from its start until each has stored a row; the
  slowest list of modules that it gave meanwhile; processor and memory of the daemon once all run, and a reload then.
* **A flood**: a node with a module that writes single rows as fast as it can and one that prints, in windows of 2 s
  with and without the prints. The logger process of the module that prints runs beside them.

## What limits it

* Big chunks: the kernel's work for fresh pages of the page cache, and the reader's copy of them, which on two cores
  shares the memory with it. See the lines against plain `write()`, which nobody reads meanwhile: the log cannot be
  faster than that, and a peer that reuses the same few buffers in memory can. Overwriting a file that is in the page
  cache was 2.3 times as fast as writing a fresh one (6.4 against 2.8 GB/s, 72 kB a call): reusing trimmed segments
  would lift the limit for streams that are not kept. It is not done.
* Small chunks: Python's work for a call of `write()`, some 8 us, of which two system calls are about 2 us. Bigger
  chunks, or `enable_cache`, are the way to more. A reader of so fast a stream looks once a millisecond and is not woken
  for each write (see [decision 1](explanations/decisions/0001-wake-readers-through-fifos.md)).
* Latency: waking a sleeping process, and the rounds of two event loops. p99 is that of the machine: what else runs on
  its cores shows in both columns.
"""


def report(facts: Sequence[str], results: Sequence[Result], scale: Scale) -> str:
    """Return the page."""
    return _TEXT.format(
        facts="\n".join(f"* {fact}" for fact in facts),
        table=table(results),
        rounds=scale.rounds,
        starts=scale.starts,
        volume=scale.volume_bytes / 1e9,
        small=scale.small_rows * 10,
        tens=scale.small_rows * 100,
        latency_rows=scale.latency_rows,
    )
