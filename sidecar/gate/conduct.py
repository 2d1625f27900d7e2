"""What a run has done so far, as counts: the state behind the layers cost and pace.

Counted when an action is written ahead, taken back where it turned out not to have been
done. Money is in millionths of the policy's currency; times are nanoseconds, the events' own.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from immutables import Map
from msgspec import Struct

from schemas.names import SECOND
from schemas.tools import Effect, Tool
from sidecar.gate.normal import fold
from sidecar.gate.parts import Argument, Part, parts
from sidecar.gate.values import tokens

_WINDOW = 60 * SECOND
_KEPT = 1024
_NONE: frozenset[str] = frozenset()


class Spend(Struct, frozen=True, kw_only=True):
    """What was used up; see `schemas.tools.Budget` for the units."""

    money: int = 0
    calls: int = 0
    effects: int = 0
    records: int = 0
    tokens: int = 0


class Conduct(Struct, frozen=True, kw_only=True):
    """One run. `repeats` counts calls by the digest of tool and folded arguments, `objects`
    are those that each tool has changed. `sent` maps a confidential segment to its words that
    effects have carried to others, `tainted` an object that the run wrote to the confidential
    segments in it (see `sidecar.gate.reading`), `written` the addresses that it wrote from
    untrusted text. `effects_at` and
    `reads_at` are the last minute's times.
    """

    spend: Spend = Spend()
    by_tool: Map[str, Spend] = Map()
    repeats: Map[bytes, int] = Map()
    objects: Map[str, frozenset[str]] = Map()
    sent: Map[int, frozenset[str]] = Map()
    tainted: Map[str, frozenset[int]] = Map()
    written: frozenset[str] = frozenset()
    effects_at: tuple[int, ...] = ()
    reads_at: tuple[int, ...] = ()


def cost_of(tool: Tool, said: tuple[Argument, ...]) -> Spend:
    """What one call will use up. `records` counts the objects an effect names, at least one."""
    effect = tool.effect.high_stakes
    named = objects_of(said)
    return Spend(
        money=tool.cost,
        calls=1,
        effects=int(effect),
        records=max(1, len(named)) if effect else 0,
    )


def objects_of(said: Iterable[Argument]) -> frozenset[str]:
    """The records that a call names. Several arguments that name one thing together, such as a
    bucket and a key, are one; each value of a list is one.
    """
    named = [(one.name, str(one.value)) for one in said if one.part is Part.OBJECT]
    if not named:
        return _NONE
    if len({name for name, _ in named}) == len(named) > 1:
        return frozenset((" ".join(value for _, value in named),))
    return frozenset(value for _, value in named)


def plus(spend: Spend, more: Spend, sign: int = 1) -> Spend:
    """The sum, or with `sign` -1 the difference, never below zero."""
    return Spend(
        money=max(0, spend.money + sign * more.money),
        calls=max(0, spend.calls + sign * more.calls),
        effects=max(0, spend.effects + sign * more.effects),
        records=max(0, spend.records + sign * more.records),
        tokens=max(0, spend.tokens + sign * more.tokens),
    )


def call_digest(tool: Tool, said: tuple[Argument, ...]) -> bytes:
    """The same for two calls that differ only in case, invisible characters or blanks.

    A payment is the same payment by whatever tool and whatever is written on it: where it
    goes, and how much.
    """
    paying = tool.effect is Effect.PAYMENT
    weighed = (Part.DESTINATION, Part.AMOUNT)
    folded = [(one.name, _canonical(one)) for one in said if not paying or one.part in weighed]
    # Of two pairs whose names differ, the names' representations tell which comes first.
    distinct = len({name for name, _ in folded}) == len(folded)
    folded.sort(key=_name_first if distinct else repr)
    name = tool.effect.value if paying else tool.name
    return hashlib.sha256(msgspec.json.encode((name, folded))).digest()


def _name_first(pair: tuple[str, object]) -> str:
    return repr(pair[0])


def _canonical(one: Argument) -> object:
    if not isinstance(one.value, str):
        return one.value
    if one.part is Part.DESTINATION:
        typed = sorted([token for token in tokens(one.value) if token[0] in "ea"])
        if typed:
            return typed
    return " ".join(fold(one.value).split())


def done(conduct: Conduct, tool: Tool, arguments: dict[str, Any], at: int) -> Conduct:
    """After one more call."""
    said = tuple(parts(tool, arguments))
    more, digest = cost_of(tool, said), call_digest(tool, said)
    named = objects_of(said)
    effect = tool.effect.high_stakes
    objects = conduct.objects
    if effect and named:
        objects = objects.set(tool.name, objects.get(tool.name, frozenset()) | named)
    return msgspec.structs.replace(
        conduct,
        spend=plus(conduct.spend, more),
        by_tool=conduct.by_tool.set(tool.name, plus(conduct.by_tool.get(tool.name, Spend()), more)),
        repeats=conduct.repeats.set(digest, conduct.repeats.get(digest, 0) + 1),
        objects=objects,
        effects_at=_recent(conduct.effects_at, at) if effect else conduct.effects_at,
        reads_at=conduct.reads_at if effect else _recent(conduct.reads_at, at),
    )


def undone(conduct: Conduct, tool: Tool, arguments: dict[str, Any]) -> Conduct:
    """After a call turned out to have done nothing: it may be made again."""
    digest = call_digest(tool, tuple(parts(tool, arguments)))
    before = conduct.repeats.get(digest, 0)
    if not before:
        return conduct
    left = before - 1
    repeats = conduct.repeats.set(digest, left) if left else conduct.repeats.delete(digest)
    return msgspec.structs.replace(conduct, repeats=repeats)


def within(times: tuple[int, ...], at: int) -> int:
    """How many of `times` lie in the minute before `at`."""
    return sum(1 for time in times if at - _WINDOW < time <= at) if times else 0


def _recent(times: tuple[int, ...], at: int) -> tuple[int, ...]:
    return (*(time for time in times[-_KEPT:] if at - _WINDOW < time), at)
