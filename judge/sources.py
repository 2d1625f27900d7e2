"""Where a proposal's steering values come from, as far as its judge can see.

The judge follows its run: the intent, what the agent was given, and what its tools
returned. It remembers the latest of that, bounded, and remarks on each steering argument in
words of its own: argument and tool names, never a value. The gate's provenance layer
decides on more than this; here it only helps a model to see.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from judge.rules import named, values_of
from schemas.leases import Intent
from schemas.tools import Tool, Trust

KEPT: Final = 16
LONGEST: Final = 65_536
_TRACED: Final = 32


class Source(Struct, frozen=True, kw_only=True):
    """One thing the agent was given: by which tool (empty: by itself), and its folded text."""

    tool: str
    trust: Trust
    text: str


Sources = tuple[Source, ...]
"""The latest `KEPT`, oldest first."""


def with_source(sources: Sources, tool: str, trust: Trust, content: object) -> Sources:
    """`sources` and one more. Of longer content the first `LONGEST` characters are kept."""
    text = "\n".join(_texts(content))[:LONGEST].casefold()
    return (*sources, Source(tool=tool, trust=trust, text=text))[-KEPT:]


def remarks(
    tool: Tool, arguments: Mapping[str, Any], intent: Intent, sources: Sources
) -> tuple[str, ...]:
    """One remark for each steering argument and origin, for the first values of a proposal."""
    found: dict[str, None] = {}
    traced = 0
    for part, names in (
        ("destination", tool.destinations),
        ("amount", tool.amounts),
        ("path", tool.paths),
        ("record", tool.objects),
    ):
        for name in names:
            for value in values_of(arguments, name):
                traced += 1
                if traced > _TRACED:
                    return (*found, "there are more steering values than were looked into")
                for origin in _origins(value, intent, sources):
                    found[f"{part} {name}: a value {origin}"] = None
    return tuple(found) or ("the call has no steering value",)


def _origins(value: str, intent: Intent, sources: Sources) -> list[str]:
    if named(value, intent) or value in intent.objects or _holds(intent.summary.casefold(), value):
        return ["that the intent names"]
    if len(value.strip()) < 3:
        return ["too short to trace"]
    found = {
        f"from {f'a result of {source.tool}' if source.tool else 'what the agent was given'},"
        f" which is {source.trust.value}"
        for source in sources
        if _holds(source.text, value)
    }
    return sorted(found) or ["from nowhere that the judge has seen: made up, or put together"]


def _holds(text: str, value: str) -> bool:
    """Whether folded `text` has `value` as a whole, not as a part of a longer word."""
    wanted = value.strip().casefold()
    if not wanted or wanted not in text:
        return False
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None


def _texts(content: object) -> Iterator[str]:
    stack = [content]
    while stack:
        held = stack.pop()
        if isinstance(held, Mapping):
            stack.extend(reversed([*held.keys(), *held.values()]))
        elif isinstance(held, list | tuple):
            stack.extend(reversed(held))
        elif isinstance(held, str | int | float):
            yield str(held)
