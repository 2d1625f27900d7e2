"""The parts that arguments play, and who can see the effect: read off the tool's declaration."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from schemas.tools import Effect, Policy, Reach, Tool

Scalar = str | int | float | bool
_SCALAR: Final = (str, int, float)


class Part(Enum):
    """What an argument is for."""

    DESTINATION = "destination"
    AMOUNT = "amount"
    OBJECT = "object"
    CONTENT = "content"
    PLAIN = "plain"


class Argument(Struct, frozen=True):
    """One scalar of the arguments: the part it plays, its innermost name, its value."""

    part: Part
    name: str
    value: Scalar


class Audience(Enum):
    """Who sees an effect beside the rep: nobody, people inside the organisation, or others."""

    NONE = "none"
    INSIDE = "inside"
    OUTSIDE = "outside"


def parts(tool: Tool, given: Mapping[str, Any]) -> Iterator[Argument]:
    """All scalars of the arguments, in order; paths are objects too. Of contents, keys as well."""
    for name, value in given.items():
        if isinstance(value, _SCALAR):
            yield Argument(part_of(tool, name, name), name, value)
            continue
        for inner, scalar in _scalars(name, value):
            yield Argument(part_of(tool, name, inner), inner, scalar)
        if name in tool.contents:
            for key in _keys(value):
                yield Argument(Part.CONTENT, name, key)


def part_of(tool: Tool, name: str, inner: str) -> Part:
    """The part that the field `inner` of the top-level argument `name` plays."""
    below = f"{name}.{inner}"
    if name in tool.destinations or below in tool.destinations:
        return Part.DESTINATION
    if name in tool.amounts or below in tool.amounts:
        return Part.AMOUNT
    for declared in (tool.objects, tool.paths):
        if name in declared or below in declared:
            return Part.OBJECT
    if name in tool.contents or below in tool.contents:
        return Part.CONTENT
    return Part.PLAIN


def destinations(said: Iterable[Argument]) -> tuple[str, ...]:
    """Where an action leads, as proposed."""
    found = [str(one.value) for one in said if one.part is Part.DESTINATION]
    return tuple([value for value in found if value.strip()])


def audience(tool: Tool, said: Iterable[Argument], policy: Policy) -> Audience:
    """Who will see the effect. In doubt, people outside."""
    if tool.reach is Reach.OUTSIDE:
        return Audience.OUTSIDE
    reached = destinations(said)
    if tool.reach is Reach.INSIDE:
        seen = reached or tool.effect in (Effect.COMMUNICATION, Effect.EGRESS)
        return Audience.INSIDE if seen else Audience.NONE
    if not reached:
        quiet = tool.effect in (Effect.READ, Effect.MUTATION)
        return Audience.NONE if quiet else Audience.OUTSIDE
    inside = all(inside_organisation(one, policy) for one in reached)
    return Audience.INSIDE if inside else Audience.OUTSIDE


def inside_organisation(destination: str, policy: Policy) -> bool:
    """Whether an address is one of the organisation's own."""
    address = destination.strip().strip("<>").casefold()
    return address.rpartition("@")[2] in policy.organisation and address.count("@") == 1


def _keys(value: object) -> Iterator[str]:
    """The keys of objects at any depth: where they are free, they carry text like values."""
    stack = [value]
    while stack:
        held = stack.pop()
        if isinstance(held, Mapping):
            yield from map(str, held)
            stack.extend(held.values())
        elif isinstance(held, list | tuple):
            stack.extend(held)


def _scalars(name: str, value: object) -> Iterator[tuple[str, Scalar]]:
    stack: list[tuple[str, object]] = [(name, value)]
    while stack:
        inner, held = stack.pop()
        if isinstance(held, _SCALAR):
            yield inner, held
        elif isinstance(held, list | tuple):
            stack.extend((inner, below) for below in reversed(held))
        elif isinstance(held, Mapping):
            stack.extend((str(key), below) for key, below in reversed(list(held.items())))
