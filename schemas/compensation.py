"""How an effect is undone: by another tool, as the first one's declaration says (a saga).

The declaration is part of the signed policy and everything else is on record, so what undoes an
action follows from the ledger alone: runtime and gate derive it by the same function, and the gate
lets nothing else be called an undoing. H. Garcia-Molina, K. Salem, "Sagas", SIGMOD 1987.
"""

from collections.abc import Mapping
from typing import Any, Final

import jsonpointer
from msgspec import Struct

from schemas.names import ToolName

ROOTS: Final = ("arguments", "result")


class Compensation(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tool that undoes an effect, and its arguments.

    A text that begins with `/` is a JSON pointer (RFC 6901) into the effect's `/arguments` or its
    `/result`; any other value is itself. An argument that the effect was not given is left out.
    """

    tool: ToolName
    arguments: dict[str, Any] = {}


class Undoing(Struct, frozen=True):
    """A call that undoes an action."""

    tool: str
    arguments: dict[str, Any]


def undoing_of(
    declared: Compensation | None, arguments: Mapping[str, Any], result: Any
) -> Undoing | None:
    """What undoes an effect with these arguments and this result; None where nothing is declared,
    or the result does not hold what it takes.
    """
    if declared is None or problem_of(declared):
        return None
    effect = {"arguments": dict(arguments), "result": result}
    filled: dict[str, Any] = {}
    for name, value in declared.arguments.items():
        found = jsonpointer.resolve_pointer(effect, value, None) if _points(value) else value
        if found is not None and not isinstance(found, jsonpointer.EndOfList):
            filled[name] = found
        elif str(value).startswith("/result"):
            return None
    return Undoing(declared.tool, filled)


def problem_of(declared: Compensation) -> str:
    """What is wrong with a declaration's pointers, or an empty string."""
    for name, value in declared.arguments.items():
        if not _points(value):
            continue
        try:
            first = jsonpointer.JsonPointer(value).parts[0]
        except jsonpointer.JsonPointerException:
            return f"{name} is no JSON pointer (RFC 6901)"
        if first not in ROOTS:
            return f"{name} leads neither into /arguments nor into /result"
    return ""


def _points(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/")
