"""Pages of a list that grows: a cursor names the last item shown, by a key that never changes.

What is appended while somebody turns pages shifts nothing, and what leaves the list in between
(a question that was answered) is simply not there. Opaque to who uses it, and bound to its list.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import TypeVar

from console.api.errors import BadRequest
from console.api.shapes import Page

T = TypeVar("T")
S = TypeVar("S")


def page(
    name: str,
    items: Iterable[tuple[int, T]],
    shape: Callable[[T], S],
    *,
    cursor: str | None,
    limit: int,
    latest_first: bool = True,
) -> Page[S]:
    """A page of `items`, which come with their keys in the order of the list.

    Raises `BadRequest` where the cursor is of another list, or none of ours.
    """
    last = None if cursor is None else key_of(name, cursor)
    found: list[tuple[int, T]] = []
    for key, item in items:
        if last is not None and (key >= last if latest_first else key <= last):
            continue
        if len(found) == limit:
            return Page([shape(one) for _, one in found], cursor_of(name, found[-1][0]))
        found.append((key, item))
    return Page([shape(one) for _, one in found], None)


def cursor_of(name: str, key: int) -> str:
    """The cursor after the item of this key, in the list of this name."""
    return base64.urlsafe_b64encode(f"{name}:{key}".encode()).decode().rstrip("=")


def key_of(name: str, cursor: str) -> int:
    """The key in a cursor of that list. Raises `BadRequest`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    before, _, key = text.partition(":")
    if before != name or not key.isdecimal() or cursor_of(name, int(key)) != cursor:
        raise BadRequest(
            "cursor: it is none of this list",
            fix="give back `next` as it was, with the same address, or leave it out to begin anew",
        )
    return int(key)
