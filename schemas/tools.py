"""Tools and policy: what a workspace lets its agents do, declared as data.

A tool's declaration says how it acts (its effect class), which arguments steer it
(destinations, amounts, paths) and which merely fill it (contents). The gate reads
declarations only; it knows no tool by name. The policy is signed into the ledger,
so every decision can be derived again from the ledger alone.
"""

from enum import Enum
from typing import Annotated, Any

from msgspec import Meta, Struct

from schemas.names import Classification, Name, Text, ToolName


class Effect(Enum):
    """What running a tool does to the world."""

    READ = "read"
    MUTATION = "mutation"
    EGRESS = "egress"
    PAYMENT = "payment"
    COMMUNICATION = "communication"

    @property
    def high_stakes(self) -> bool:
        """Anything but a read is reviewed, written ahead and confirmed at the tool."""
        return self is not Effect.READ


class Trust(Enum):
    """Whether a source's text may steer an action."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


class Tool(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One declared tool. `arguments` is a JSON Schema (draft 2020-12) for an object.

    `destinations`, `amounts`, `paths`, `objects` and `contents` name top-level arguments
    by the part they play. `trust` and `classification` are those of the result.
    `confirm` says in words how success is read back at the target.
    """

    name: ToolName
    summary: Text
    arguments: dict[str, Any]
    effect: Effect
    destinations: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    trust: Trust = Trust.UNTRUSTED
    classification: Classification = Classification.CONFIDENTIAL
    confirm: Text = ""


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A workspace's rules.

    `max_ttl_s` and `max_actions` bound every lease. `organisation` lists the domains inside
    the organisation (`boeing.example`, no `@`). Effects in `human_effects` always need a
    person. `skew_s` is how far a producer's clock may be off. `verdict_s` is how long the
    gate waits for the judge, `approval_s` for a person.
    """

    version: Annotated[int, Meta(ge=1)]
    tools: tuple[Tool, ...]
    organisation: tuple[str, ...] = ()
    agents: tuple[Name, ...] = ()
    human_effects: tuple[Effect, ...] = (Effect.PAYMENT,)
    max_ttl_s: Annotated[int, Meta(ge=1, le=86_400)] = 3_600
    max_actions: Annotated[int, Meta(ge=1, le=100_000)] = 200
    skew_s: Annotated[int, Meta(ge=1, le=3_600)] = 120
    verdict_s: Annotated[int, Meta(ge=1, le=3_600)] = 60
    approval_s: Annotated[int, Meta(ge=1, le=604_800)] = 86_400
