"""How what a run reads and does enters the gate's memory of it: one fold for bus and library."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.names import Classification
from schemas.tools import Tool, Trust
from sidecar.gate.conduct import Conduct, done, undone
from sidecar.gate.days import day_tokens
from sidecar.gate.flows import carried_words, flows
from sidecar.gate.grounding import Ground, ground_destination, ground_object
from sidecar.gate.knowledge import RANKS, Knowledge, observe
from sidecar.gate.normal import fold, spaced
from sidecar.gate.parts import Audience, Part, parts
from sidecar.gate.values import tokens
from sidecar.gate.wish import Wish, nouns_of

_CONFIDENTIAL: Final = RANKS[Classification.CONFIDENTIAL]


class Memory(Struct, frozen=True, kw_only=True):
    """What the gate remembers of one run: what it was given to read, and what it did."""

    knowledge: Knowledge = Knowledge()
    conduct: Conduct = Conduct()


def given(
    memory: Memory,
    wish: Wish,
    content: object,
    *,
    trust: Trust = Trust.UNTRUSTED,
    sensitivity: Classification = Classification.CONFIDENTIAL,
) -> Memory:
    """After something came by itself: a mail, a transcript, earlier context."""
    known = observe(
        memory.knowledge,
        wish,
        content,
        tool=None,
        pointed=False,
        named=False,
        unbidden=trust is Trust.UNTRUSTED,
        trust=trust,
        sensitivity=sensitivity,
    )
    return _replace(memory, knowledge=known)


def answered(
    memory: Memory,
    wish: Wish,
    tool: Tool,
    arguments: Mapping[str, Any],
    content: object,
    *,
    sensitivity: Classification = Classification.PUBLIC,
) -> Memory:
    """After a tool's result came back. The declaration's classification is the least it has."""
    pointed = points_to(memory.knowledge, wish, tool, arguments)
    known = observe(
        memory.knowledge,
        wish,
        content,
        tool=tool,
        pointed=pointed is not Pointed.NOT,
        named=pointed is Pointed.THE_THING
        or (pointed is Pointed.BY_NAME and isinstance(content, str)),
        unbidden=False,
        trust=tool.trust,
        written=memory.conduct.written,
        echoed=_echo(tool, arguments),
        sensitivity=max(tool.classification, sensitivity, key=RANKS.__getitem__),
    )
    conduct = _tainted_result(memory, tool, arguments, content)
    if tool.effect.high_stakes:
        said = [str(one.value) for one in parts(tool, arguments)]
        fresh = _unvouched(memory.knowledge, wish, said)
        conduct = _replace(conduct, written=conduct.written | fresh)
    return _replace(memory, knowledge=known, conduct=conduct)


def began(
    memory: Memory,
    wish: Wish,
    tool: Tool,
    arguments: Mapping[str, Any],
    at: int,
    *,
    seen: Audience,
) -> Memory:
    """After an action was written ahead. `seen` is who sees its effect."""
    conduct = done(memory.conduct, tool, dict(arguments), at)
    if not tool.effect.high_stakes and seen is Audience.NONE:
        return _replace(memory, conduct=conduct)
    said = tuple(parts(tool, arguments))
    texts = [str(one.value) for one in said if one.part in (Part.CONTENT, Part.PLAIN)]
    fresh = _unvouched(memory.knowledge, wish, [str(one.value) for one in said])
    conduct = _replace(conduct, written=conduct.written | fresh)
    if seen is Audience.NONE:
        found = flows(memory.knowledge, wish, texts, _CONFIDENTIAL)
        conduct = _taint(conduct, _written(tool, arguments), frozenset(f.number for f in found))
        return _replace(memory, conduct=conduct)
    sent = conduct.sent.mutate()
    for number, stems in carried_words(memory.knowledge, wish, texts, _CONFIDENTIAL).items():
        sent[number] = sent.get(number, frozenset()) | stems
    return _replace(memory, conduct=_replace(conduct, sent=sent.finish()))


def failed(memory: Memory, tool: Tool, arguments: Mapping[str, Any]) -> Memory:
    """After an action turned out not to have been done."""
    return _replace(memory, conduct=undone(memory.conduct, tool, dict(arguments)))


def _echo(tool: Tool, arguments: Mapping[str, Any]) -> str:
    if not tool.effect.high_stakes:
        return ""
    return "\n".join(spaced(str(one.value)) for one in parts(tool, arguments))


def _unvouched(known: Knowledge, wish: Wish, texts: list[str]) -> frozenset[str]:
    """The addresses, links and accounts in `texts` that neither rep nor record vouches for."""
    found = frozenset[str]().union(*(tokens(text) for text in texts))
    return frozenset(
        token
        for token in found
        if token[0] in "eua" and ground_destination(known, wish, token[2:]).ground < Ground.OWN
    )


def _written(tool: Tool, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """What an effect writes to: its objects, and short names among its plain values."""
    return tuple(
        fold(str(one.value))
        for one in parts(tool, arguments)
        if one.part is Part.OBJECT or (one.part is Part.PLAIN and len(str(one.value)) <= 80)
    )


def _taint(conduct: Conduct, written: tuple[str, ...], segments: frozenset[int]) -> Conduct:
    if not segments:
        return conduct
    tainted = conduct.tainted.mutate()
    for name in written:
        tainted[name] = tainted.get(name, frozenset()) | segments
    return _replace(conduct, tainted=tainted.finish())


def _tainted_result(
    memory: Memory, tool: Tool, arguments: Mapping[str, Any], content: object
) -> Conduct:
    """What a tool says it wrote goes by the identifiers in its result, too."""
    if not tool.effect.high_stakes or not isinstance(content, Mapping):
        return memory.conduct
    segments = frozenset[int]().union(
        *(memory.conduct.tainted.get(name, frozenset()) for name in _written(tool, arguments))
    )
    own = (str(content[key]) for key in tool.trusted if isinstance(content.get(key), str | int))
    return _taint(memory.conduct, tuple(fold(name) for name in own), segments)


class Pointed(Enum):
    """Whether the rep's words point to what a call reads: to the very thing, by its name, by
    its kind, or not.
    """

    THE_THING = "the thing"
    BY_NAME = "by name"
    BY_KIND = "by kind"
    NOT = "not"


def points_to(known: Knowledge, wish: Wish, tool: Tool, arguments: Mapping[str, Any]) -> Pointed:
    """By a value that they name; by one that stands in what they already pointed to, or by the
    kind of thing that the tool reads; or not at all.
    """
    best = Pointed.BY_KIND if nouns_of(tool) & wish.stems else Pointed.NOT
    for one in parts(tool, arguments):
        text = str(one.value)
        if isinstance(one.value, bool) or len(text) < 3:
            continue
        if one.part is Part.DESTINATION:
            found = ground_destination(known, wish, text)
        else:
            found = ground_object(known, wish, text, one.name)
        if found.ground is Ground.NAMED and (one.part is Part.OBJECT or day_tokens(text)):
            return Pointed.THE_THING
        if found.ground is Ground.NAMED and (
            one.part is Part.DESTINATION or spaced(text) in wish.quoted
        ):
            best = Pointed.BY_NAME
        elif found.ground >= Ground.POINTED and best is Pointed.NOT:
            best = Pointed.BY_KIND
    return best


_replace = msgspec.structs.replace
