"""The floor under every durable log: a line, an fsync, and nothing else.

Only the standard library: the peers' side imports it in an environment without ours.
"""

import os
import time
from pathlib import Path

LINE = b"x" * 600
TIMES = 200


def fsync_per_s(folder: Path) -> float:
    """Lines of 600 bytes appended to a file a second, each on disk before the next."""
    descriptor = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        started = time.perf_counter()
        for _ in range(TIMES):
            os.write(descriptor, LINE)
            os.fsync(descriptor)
        return TIMES / (time.perf_counter() - started)
    finally:
        os.close(descriptor)
