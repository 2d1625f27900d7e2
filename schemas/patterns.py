"""Patterns over time, declared as data: what the supervisor looks for, and what it then does.

A pattern is a sequence of steps. Each step says which facts fit it (a read, an effect, a
refusal) and how many it takes; all steps must be met in order within `within_s` seconds, by
the facts of one run, rep, agent or of the whole workspace. Facts themselves are
`sidecar.supervision.engine`'s: they name tools and records, never what stands in them.

Policies carry patterns, so this room knows none of policy's own types: effect classes and
trust stand here by their values (a test holds them to `schemas.tools`).
"""

from enum import Enum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.names import Classification, Name, Text, ToolName

EffectClass = Literal["read", "mutation", "egress", "payment", "communication"]
Trusted = Literal["trusted", "untrusted"]
PatternScope = Literal["run", "rep", "agent", "workspace"]

MAX_COUNT: Final = 500
"""The most that one step may ask for; a fact costs time in proportion to it."""


class FactKind(Enum):
    """What happened, seen from the gate.

    READ and EFFECT are calls that were written ahead (or, asked beforehand, would be); ARRIVAL
    is something that the run was given to read; REFUSAL and HOLD are the gate's answers;
    APPROVAL is a person's yes to a hold.
    """

    READ = "read"
    ARRIVAL = "arrival"
    EFFECT = "effect"
    REFUSAL = "refusal"
    HOLD = "hold"
    APPROVAL = "approval"


class Property(Enum):
    """A property of a fact by which facts are counted apart or kept together."""

    DESTINATION = "destination"
    OBJECT = "object"
    TOOL = "tool"
    RUN = "run"
    REP = "rep"


class Response(Enum):
    """What follows a match.

    FLAG is put on record. HOLD asks a person before each further effect. HALT lets nothing
    more happen until an admin releases it.
    """

    FLAG = "flag"
    HOLD = "hold"
    HALT = "halt"


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which facts fit, and how many it takes. What is left out is not asked.

    `sensitivity` is the least classification of what was read, `credential` whether a secret
    was seen in it. `outside` asks whether the effect is seen outside the organisation, `named`
    whether its destinations are the rep's own: named by the intent, or in the rep's trusted
    records. Where that is not known of a fact, a step that asks for it is not met. `layers`
    are those of the gate that objected, any of them. With `distinct` set, `at_least` counts
    different values of that property and not facts.
    """

    kinds: Annotated[tuple[FactKind, ...], Meta(min_length=1)]
    effects: tuple[EffectClass, ...] = ()
    tools: tuple[ToolName, ...] = ()
    sensitivity: Classification = Classification.PUBLIC
    credential: bool | None = None
    outside: bool | None = None
    named: bool | None = None
    trust: Trusted | None = None
    layers: tuple[Annotated[int, Meta(ge=1, le=14)], ...] = ()
    at_least: Annotated[int, Meta(ge=1, le=MAX_COUNT)] = 1
    distinct: Property | None = None


class Pattern(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing to look for. `description` is told to people, so it says what is feared.

    With `group_by` set, only facts that share a value of that property belong together. Facts
    that have none (reads, of destinations) are counted among themselves; a step that they meet
    is met for every group.
    """

    name: Name
    description: Text
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=8)]
    within_s: Annotated[int, Meta(ge=1, le=2_592_000)]
    scope: PatternScope = "run"
    group_by: Property | None = None
    response: Response = Response.FLAG
