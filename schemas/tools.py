"""Tools and policy: what a workspace lets its agents do, declared as data.

A tool's declaration says how it acts (its effect class), which arguments steer it
(destinations, amounts, paths) and which merely fill it (contents). The gate reads
declarations only; it knows no tool by name. The policy is signed into the ledger,
so every decision can be derived again from the ledger alone.
"""

from enum import Enum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from schemas.compensation import Compensation
from schemas.names import Classification, Name, Text, ToolName
from schemas.patterns import Pattern


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


class Reach(Enum):
    """Where a tool's effect can be seen.

    BY_ADDRESS is inside or outside as its destinations are, held against the policy's
    organisation; INSIDE never leaves the organisation; OUTSIDE always does.
    """

    BY_ADDRESS = "by_address"
    INSIDE = "inside"
    OUTSIDE = "outside"


class Tool(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One declared tool. `arguments` is a JSON Schema (draft 2020-12) for an object.

    `destinations`, `amounts`, `paths`, `objects` and `contents` name top-level arguments
    by the part they play; a value anywhere below such an argument plays that part, and
    `argument.field` names one field below it. Of an effect, every other argument steers too,
    as a plain value.

    `trust` and `classification` are those of the result. `trusted` names the result's fields,
    at any depth, that the system behind the tool writes by itself: they are trusted where the
    rest is not. `asked_by` are words by which a rep asks for this tool, beside those of its
    name and summary. `reach` says who can see its effect, `ceiling` the highest classification
    it may carry there. `cost` is charged per call, in millionths of the policy's currency.
    `compensation` is what undoes it where a run is to do all or nothing.
    `memory` says which of the workspace memory's verbs this tool is, if any; `transcripts` reads
    what reps' devices heard.
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
    trusted: tuple[str, ...] = ()
    classification: Classification = Classification.CONFIDENTIAL
    asked_by: tuple[str, ...] = ()
    reach: Reach = Reach.BY_ADDRESS
    ceiling: Classification = Classification.CONFIDENTIAL
    cost: Annotated[int, Meta(ge=0)] = 0
    memory: Literal["", "retain", "recall", "justify", "forget", "transcripts"] = ""
    compensation: Compensation | None = None
    confirm: Text = ""


class Budget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Ceilings; 0 stands for none. `money` is in millionths of the policy's currency.

    `calls` counts tool calls, `effects` those that are no reads, `records` the objects that
    effects name, `tokens` those that models took and gave.
    """

    money: Annotated[int, Meta(ge=0)] = 0
    calls: Annotated[int, Meta(ge=0)] = 0
    effects: Annotated[int, Meta(ge=0)] = 0
    records: Annotated[int, Meta(ge=0)] = 0
    tokens: Annotated[int, Meta(ge=0)] = 0


class Pace(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When speed or repetition itself is the danger; more than this is held.

    `same_read` and `same_effect` count calls of one tool with the same arguments in one run;
    `effects_per_minute` and `reads_per_minute` all of a run's; `objects_per_tool` the different
    objects one tool changes or removes in one run.
    """

    same_read: Annotated[int, Meta(ge=1)] = 10
    same_effect: Annotated[int, Meta(ge=1)] = 1
    effects_per_minute: Annotated[int, Meta(ge=1)] = 30
    reads_per_minute: Annotated[int, Meta(ge=1)] = 240
    objects_per_tool: Annotated[int, Meta(ge=1)] = 25


class AllowedDestination(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry of the destination allowlist: an address, or `@domain` for all of a domain's.

    `expires` is when the entry ends (0: never). Where `owned` is set the domain's ownership
    fingerprint was taken when the entry was made, and must have been found unchanged lately.
    """

    destination: Text
    expires: Annotated[int, Meta(ge=0, description="ns since the Unix epoch, UTC")] = 0
    owned: bool = False


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A workspace's rules.

    `max_ttl_s` and `max_actions` bound every lease. `organisation` lists the domains inside
    the organisation (`boeing.example`, no `@`). Effects in `human_effects` always need a
    person, those in `four_eyes` two, neither of them the rep whose run it is. What `passkey` names,
    tools or effects, always needs a person who approves with a passkey. `skew_s` is how far
    a producer's clock may be off. `verdict_s` is how long the gate waits for the judge,
    `approval_s` for a person. A run of which all that is open waits for
    a person for `park_s` is parked, 0 for never.

    `destinations` is the allowlist for what leaves the organisation; where `allowlist_only` is
    set nothing else may be reached even if the rep names it. `revalidate_s` is how old the
    last look at an owned entry may be, `fresh_s` how old when something is about to leave: else
    it waits for another. `per_run`, `per_tool` and `per_day` are ceilings.
    `patterns` are what the supervisor looks for, None for the built-in set. `rules` are the
    workspace's own authorisation rules, in Cedar. `reviewer` is the model that reviews
    high-stakes proposals beside the judge's rules, empty for rules alone.
    """

    version: Annotated[int, Meta(ge=1)]
    tools: tuple[Tool, ...]
    organisation: tuple[str, ...] = ()
    agents: tuple[Name, ...] = ()
    human_effects: tuple[Effect, ...] = (Effect.PAYMENT,)
    four_eyes: tuple[Effect, ...] = ()
    passkey: tuple[ToolName, ...] = ()
    max_ttl_s: Annotated[int, Meta(ge=1, le=604_800)] = 3_600
    max_actions: Annotated[int, Meta(ge=1, le=100_000)] = 200
    skew_s: Annotated[int, Meta(ge=1, le=3_600)] = 120
    verdict_s: Annotated[int, Meta(ge=1, le=3_600)] = 60
    approval_s: Annotated[int, Meta(ge=1, le=604_800)] = 86_400
    park_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    destinations: tuple[AllowedDestination, ...] = ()
    allowlist_only: bool = False
    revalidate_s: Annotated[int, Meta(ge=60, le=2_592_000)] = 86_400
    fresh_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    per_run: Budget = Budget()
    per_tool: dict[ToolName, Budget] = {}
    per_day: Budget = Budget()
    pace: Pace = Pace()
    patterns: tuple[Pattern, ...] | None = None
    rules: str = ""
    reviewer: str = ""


def by_passkey(policy: Policy, tool: Tool) -> bool:
    """Whether `policy` wants a person who approves this tool with a passkey."""
    return tool.name in policy.passkey or tool.effect.value in policy.passkey
