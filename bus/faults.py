"""An exception as a fault: the kinds and places of `schemas.faults`, taken from its traceback."""

import traceback
from collections.abc import Iterator

import msgspec

from schemas.faults import MOST_CAUSES, MOST_FRAMES, CodeName, Fault, Frame, Raised

_UNNAMED = "unnamed"


def fault_of(error: BaseException) -> Fault:
    """`error` and what caused it, without what they say."""
    return Fault(tuple(_raised(one) for one in _chain(error)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception, and the others that a traceback would print before it."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen and len(seen) < MOST_CAUSES:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _raised(error: BaseException) -> Raised:
    kind = type(error)
    walked = list(traceback.walk_tb(error.__traceback__))[-MOST_FRAMES:]
    frames = tuple(
        Frame(
            _code_name(str(frame.f_globals.get("__name__", ""))),
            _code_name(frame.f_code.co_qualname),
            max(line or 0, 0),
        )
        for frame, line in walked
    )
    return Raised(_code_name(f"{kind.__module__}.{kind.__qualname__}"), frames)


def _code_name(name: str) -> str:
    """`name`, or a stand-in where it is none of code's."""
    try:
        return msgspec.convert(name, CodeName)
    except msgspec.ValidationError:
        return _UNNAMED
