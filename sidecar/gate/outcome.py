"""What a layer can say: pass, hold for a person, refuse, or that it is not yet enforced.

A layer is a pure function of (case, layer state). It gives its reason, the evidence it
rests on and the fix; it quotes no content above INTERNAL.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import LayerOutcome, LayerResult, ProposalMade
from schemas.leases import Certificate, Lease
from schemas.names import TEXT_CHARS
from schemas.tools import Policy, Tool
from sidecar.destinations.schedule import Destination
from sidecar.gate.conduct import Conduct, Spend
from sidecar.gate.knowledge import Knowledge
from sidecar.gate.parts import Argument, Audience, audience, parts
from sidecar.gate.wish import Wish, read
from sidecar.passkeys import Passkeys
from sidecar.supervision.engine import Match


class Case(Struct, frozen=True, kw_only=True, dict=True):
    """All that the layers may look at for one proposal, at one instant.

    `arguments` is None where the proposal's content does not open. `lease_key` is the
    certificate of the lease's runtime. `halts` are the scopes now halted that cover the run.
    `verdict` and `approval` are those for exactly this proposal's digest, where given, `more` the
    answers of other people after `approval`; `approval_until` is when a person who was asked
    should have answered.

    `knowledge` is what the run was given to read, `conduct` what it has done, `day` what the
    workspace has used up today, `owned` the destinations whose ownership is watched.
    `matches` are the patterns that this action would complete, `flags` those of the
    supervisor's process that hold the run. `passkeys` are people's. `undoes` says that the proposal
    is exactly what undoes the action it names, one of this run that is confirmed and that nothing
    was to undo before. `reviewed` is False only where a recording is judged without a judge in it.
    """

    now: int
    recorded: Recorded
    proposal: ProposalMade
    arguments: Mapping[str, Any] | None
    policy: Policy | None
    lease: Lease | None
    request: Recorded | None = None
    rep_active: bool = False
    lease_ended: str = ""
    lease_key: Certificate | None = None
    tool: Tool | None = None
    halts: tuple[str, ...] = ()
    actions: int = 0
    repeated: bool = False
    verdict: Recorded | None = None
    approval: Recorded | None = None
    more: tuple[Recorded, ...] = ()
    approval_until: int | None = None
    knowledge: Knowledge = Knowledge()
    conduct: Conduct = Conduct()
    day: Spend = Spend()
    owned: Mapping[str, Destination] = {}
    matches: tuple[Match, ...] = ()
    flags: tuple[str, ...] = ()
    passkeys: Passkeys = Passkeys()
    undoes: bool = False
    reviewed: bool = True

    @cached_property
    def said(self) -> tuple[Argument, ...]:
        """The arguments' scalars with the parts they play; none where they are not known."""
        if self.tool is None or self.arguments is None:
            return ()
        return tuple(parts(self.tool, self.arguments))

    @cached_property
    def whole(self) -> str:
        """All text in the arguments, one after another."""
        return "\n".join([one.value for one in self.said if isinstance(one.value, str)])

    @cached_property
    def seen(self) -> Audience:
        """Who would see the effect. In doubt, people outside."""
        if self.tool is None or self.policy is None:
            return Audience.OUTSIDE
        return audience(self.tool, self.said, self.policy)

    @cached_property
    def wish(self) -> Wish | None:
        """The lease's intent, read."""
        return read(self.lease.intent) if self.lease is not None else None


class Word(Struct, frozen=True):
    """A layer's answer before it is numbered and named."""

    result: LayerResult
    reason: str = ""
    evidence: str = ""
    fix: str = ""


def passed(evidence: str = "") -> Word:
    """The layer has no objection."""
    return Word(LayerResult.PASS, evidence=evidence)


def hold(reason: str, *, evidence: str = "", fix: str = "") -> Word:
    """A person must decide."""
    return Word(LayerResult.HOLD, reason, evidence, fix)


def refuse(reason: str, *, evidence: str = "", fix: str = "") -> Word:
    """It must not happen."""
    return Word(LayerResult.REFUSE, reason, evidence, fix)


def not_asked(reason: str) -> Word:
    """The layer has nothing to go by in a recording. Never counted as passed."""
    return Word(LayerResult.NOT_ASKED, reason=reason)


def outcome(number: int, name: str, word: Word) -> LayerOutcome:
    """The layer's word, as the record keeps it: cut where what it quotes is too long for that."""
    if len(word.reason) + len(word.evidence) + len(word.fix) > TEXT_CHARS:
        word = Word(
            word.result,
            word.reason[:TEXT_CHARS],
            word.evidence[:TEXT_CHARS],
            word.fix[:TEXT_CHARS],
        )
    return LayerOutcome(
        layer=number,
        name=name,
        result=word.result,
        reason=word.reason,
        evidence=word.evidence,
        fix=word.fix,
    )
