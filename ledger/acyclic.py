"""The interpreter's search for cycles, put off while a long ledger is read.

What is made of entries makes no cycles, and goes when its last reference does. Python looks for
some at every 700th object that stays, by default, which costs a tenth of a verification.
"""

import contextlib
import gc
from collections.abc import Iterator
from typing import Final

COLLECT_AT: Final = 100_000
"""Objects made and not yet gone before Python looks for cycles among them."""


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """As above, for the whole process, until it ends; then as it was."""
    threshold = gc.get_threshold()
    gc.set_threshold(COLLECT_AT, *threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
