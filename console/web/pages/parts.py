"""Which part of a long list a page shows: `?from=`, counted from the first."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct
from starlette.requests import Request

from console.web.errors import BadForm

PAGE: Final = 50
T = TypeVar("T")


class Part(Struct, Generic[T], frozen=True):
    """`items` of a list of `total`, from the place `at` on, `step` at most."""

    items: Sequence[T]
    at: int
    total: int
    step: int = PAGE


def part_of(request: Request, found: Sequence[T]) -> Part[T]:
    """The part that is asked for. Raises `BadForm`."""
    at = number(request.query_params.get("from", "0"))
    return Part(found[at : at + PAGE], at, len(found))


def number(text: str) -> int:
    """A whole number that somebody wrote. Raises `BadForm`."""
    if not text.isdecimal() or len(text) > 9:
        raise BadForm(f"{text[:40]!r} is no number", fix="write digits")
    return int(text)
