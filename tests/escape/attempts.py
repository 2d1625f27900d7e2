"""What an attempt is, the list of all of them, and how a list is gone through."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from enum import Enum

from msgspec import Struct

from bus.boot import RunBoot
from bus.client import Client
from tests.escape.field import Field

EVIDENCE = 160


class Control(Enum):
    """Who must be able to do the same without walls, so that the attempt is known as real."""

    ANYBODY = "anybody"
    ROOT = "root"
    NOBODY = "nobody"


class Hands(Struct, frozen=True):
    """What the program holds: the field to play on, its connection, and its boot line or, in the
    control, the components' TLS key."""

    field: Field
    boot: RunBoot | None = None
    client: Client | None = None
    shared: bytes = b""


Act = Callable[[Hands], object]


class Attempt(Struct, frozen=True):
    """`why` it must fail. It succeeds by returning what it got; None or an exception is failure."""

    name: str
    why: str
    control: Control
    act: Act


class Outcome(Struct, frozen=True):
    """`got` is what a success brought; otherwise `refusal` says what stood in the way."""

    name: str
    got: str = ""
    refusal: str = ""


ATTEMPTS: dict[str, Attempt] = {}


def attempt(why: str, control: Control = Control.ANYBODY) -> Callable[[Act], Act]:
    """Put a function on the list, under its own name in words."""

    def listed(act: Act) -> Act:
        name = act.__name__.replace("_", " ")
        assert name not in ATTEMPTS, name
        ATTEMPTS[name] = Attempt(name, why, control, act)
        return act

    return listed


async def made(attempts: Iterable[Attempt], hands: Hands, tell: Callable[[Outcome], None]) -> None:
    """Make each attempt, telling at once: one that ends the process leaves the others' results."""
    for each in attempts:
        try:
            got = each.act(hands)
            if inspect.isawaitable(got):
                got = await _awaited(got)
        except BaseException as error:  # noqa: BLE001 - whatever stops an attempt is its result
            tell(Outcome(each.name, refusal=f"{type(error).__name__}: {error}"[:EVIDENCE]))
        else:
            refusal = "" if got is not None else "came back with nothing"
            tell(
                Outcome(each.name, got="" if got is None else repr(got)[:EVIDENCE], refusal=refusal)
            )


async def _awaited(work: Awaitable[object]) -> object:
    return await work
