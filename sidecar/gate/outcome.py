"""What a layer can say: pass, hold for a person, refuse, or that it is not yet enforced.

A layer is a pure function of (case, layer state). It gives its reason, the evidence it
rests on and the fix; it quotes no content above INTERNAL.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import LayerOutcome, LayerResult, ProposalMade
from schemas.leases import Certificate, Lease
from schemas.tools import Policy, Tool


class Case(Struct, frozen=True, kw_only=True):
    """All that the layers may look at for one proposal, at one instant.

    `arguments` is None where the proposal's content does not open. `lease_key` is the
    certificate of the lease's runtime. `halts` are the scopes now halted that cover the run.
    `verdict` and `approval` are those for exactly this proposal's digest, where given;
    `approval_until` is when a person who was asked should have answered.
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
    approval_until: int | None = None


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


def absent(case: Case) -> Word:
    """The seat of a layer that this build does not enforce yet. Never counted as passed."""
    return Word(LayerResult.NOT_YET_ENFORCED, reason="this build does not enforce this layer")


def outcome(number: int, name: str, word: Word) -> LayerOutcome:
    """The layer's word, as the record keeps it."""
    return LayerOutcome(
        layer=number,
        name=name,
        result=word.result,
        reason=word.reason,
        evidence=word.evidence,
        fix=word.fix,
    )
