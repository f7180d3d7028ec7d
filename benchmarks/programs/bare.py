"""A process that imports NumPy and asyncio, prints a line and waits: what a reader process is compared with."""

import asyncio
import sys

import numpy as np


async def main() -> None:
    """Print a line as a reader would, then wait to be killed."""
    sys.stdout.write(f"{np.zeros(2)}\n")
    sys.stdout.flush()
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main())
