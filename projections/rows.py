"""What a projection says of an event, as data: rows to write, and content to remove. Pure.

A row is partial: what it does not name stays as it is, so the same rows written twice, or in one
batch or in many, leave the same table.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from bus.decider import Recorded


class Row(Struct, frozen=True):
    """Values for one row of one table, its key among them. `workspace_id` is not said.

    The last word on a column counts; with `first`, the first: for words that anybody may repeat.
    """

    table: str
    values: dict[str, Any]
    first: bool = False


Fold = Callable[[Recorded], Iterable[Row]]
"""One event to its rows. It does no I/O and reads no clock."""
