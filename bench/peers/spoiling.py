"""What somebody does to an audit log, the same to each: a list of its records in, another out.

Only the standard library: the peers' side imports it in an environment without ours.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

Record = TypeVar("Record")

WORD, OTHER = "answer", "ransom"


def dropped(records: Sequence[Record]) -> list[Record]:
    """One in the middle is gone."""
    middle = len(records) // 2
    return [*records[:middle], *records[middle + 1 :]]


def swapped(records: Sequence[Record]) -> list[Record]:
    """Two neighbours in the middle have changed places."""
    middle = len(records) // 2
    return [*records[:middle], records[middle + 1], records[middle], *records[middle + 2 :]]


def repeated(records: Sequence[Record]) -> list[Record]:
    """One in the middle is there twice."""
    middle = len(records) // 2
    return [*records[: middle + 1], *records[middle:]]


def cut(records: Sequence[Record]) -> list[Record]:
    """The last quarter is gone."""
    return list(records[: len(records) * 3 // 4])


def emptied(records: Sequence[Record]) -> list[Record]:
    """Nothing is left."""
    return []


KINDS: dict[str, Callable[[Sequence[object]], list[object]]] = {
    "dropped": dropped,
    "swapped": swapped,
    "repeated": repeated,
    "cut": cut,
    "emptied": emptied,
}
"""Beside these: `edited`, one word of one record; `rebuilt`, the whole log written anew with that
word changed, by somebody who holds all that verifying it takes.
"""
ALL = ("edited", *KINDS, "rebuilt")
