"""Adding a restriction to a policy, a lease or a verdict never allows more."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.actions import (
    Verdict,
    VerdictGiven,
)
from schemas.names import Classification
from schemas.patterns import FactKind, Pattern, Response
from schemas.patterns import Step as PatternStep
from schemas.tools import Budget, Effect, Pace, Policy, Trust
from sidecar.gate.gate import GateResult
from sidecar.gate.library import decide_run, proposal_digest
from sidecar.supervision.patterns import DEFAULT_PATTERNS
from tests.redteam.arbitrary import (
    PLAYED,
    SALES,
    STRICTNESS,
    SUMMARIES,
    lease_for,
    proposal_of,
    sequence_of,
)

RESTRICTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "a lower budget per run": {"per_run": Budget(calls=2)},
    "a lower budget of effects": {"per_run": Budget(effects=1)},
    "a ceiling on records": {"per_run": Budget(records=1)},
    "a budget per tool": {"per_tool": {"mail.send": Budget(calls=1)}},
    "a budget per day": {"per_day": Budget(calls=1)},
    "a smaller pace": {"pace": Pace(same_read=1, effects_per_minute=1, objects_per_tool=1)},
    "only the allowlist": {"allowlist_only": True},
    "fewer tools": {"tools": tuple(t for t in SALES.tools if not t.name.startswith("mail."))},
    "people for every message": {"human_effects": (Effect.PAYMENT, Effect.COMMUNICATION)},
    "people for every change": {"human_effects": (Effect.PAYMENT, Effect.MUTATION)},
    "two people for every message": {"four_eyes": (Effect.COMMUNICATION,)},
    "two people for every read": {"four_eyes": (Effect.READ,)},
    "a passkey for every message": {"passkey": ("communication",)},
    "another agent only": {"agents": ("scribe",)},
    "less skew": {"skew_s": 1},
    "no organisation": {"organisation": ()},
    "a lower ceiling on what tools carry": {
        "tools": tuple(
            msgspec.structs.replace(tool, ceiling=Classification.PUBLIC) for tool in SALES.tools
        )
    },
    "results that are all restricted": {
        "tools": tuple(
            msgspec.structs.replace(tool, classification=Classification.RESTRICTED)
            for tool in SALES.tools
        )
    },
    "nothing trusted": {
        "tools": tuple(
            msgspec.structs.replace(tool, trust=Trust.UNTRUSTED, trusted=()) for tool in SALES.tools
        )
    },
    "fewer actions in a lease": {"max_actions": 100},
    "shorter leases": {"max_ttl_s": 60},
    "one more pattern to look for": {
        "patterns": (
            *DEFAULT_PATTERNS,
            Pattern(
                name="any-deletion",
                description="something is deleted",
                steps=(PatternStep(kinds=(FactKind.EFFECT,), tools=("crm.delete",)),),
                within_s=60,
                response=Response.HOLD,
            ),
        )
    },
    "a customer's rule that forbids": {
        "rules": 'forbid(principal, action == Action::"mail.send", resource);'
    },
}


@pytest.mark.parametrize("name", RESTRICTIONS)
@settings(max_examples=40, deadline=None)
@given(calls=PLAYED, summary=SUMMARIES)
def test_a_restriction_never_allows_what_was_not_allowed(
    name: str, calls: list[tuple[str, dict[str, Any]]], summary: str
) -> None:
    stricter = msgspec.structs.replace(SALES, **RESTRICTIONS[name])
    _assert_no_laxer(calls, summary, SALES, stricter)


@settings(max_examples=60, deadline=None)
@given(calls=PLAYED, summary=SUMMARIES, kept=st.sets(st.sampled_from(["mail.send", "crm.update"])))
def test_fewer_tools_in_the_lease_never_allow_more(
    calls: list[tuple[str, dict[str, Any]]], summary: str, kept: set[str]
) -> None:
    wide = lease_for(SALES, summary)
    narrow = lease_for(SALES, summary, tools=tuple(sorted(kept)))
    last = _last(decide_run(SALES, wide, sequence_of(calls[-1:])))
    assert _last(decide_run(SALES, narrow, sequence_of(calls[-1:]))) >= last


@settings(max_examples=60, deadline=None)
@given(calls=PLAYED, summary=SUMMARIES, verdict=st.sampled_from(Verdict))
def test_no_verdict_of_the_judge_allows_more_than_its_approval(
    calls: list[tuple[str, dict[str, Any]]], summary: str, verdict: Verdict
) -> None:
    tool, arguments = calls[-1]
    proposal = proposal_of(1, tool, arguments)
    digest = proposal_digest(proposal)

    def decided(word: Verdict) -> int:
        said = VerdictGiven(proposal=digest, verdict=word, reason="")
        return _last(decide_run(SALES, lease_for(SALES, summary), [said, proposal]))

    unjudged = _last(decide_run(SALES, lease_for(SALES, summary), [proposal]))
    assert unjudged <= decided(Verdict.APPROVE) <= decided(verdict)


@settings(max_examples=40, deadline=None)
@given(calls=PLAYED, summary=SUMMARIES)
def test_verdicts_for_other_proposals_change_only_that_a_judge_is_expected(
    calls: list[tuple[str, dict[str, Any]]], summary: str
) -> None:
    lease = lease_for(SALES, summary)
    other = VerdictGiven(proposal=bytes(range(32)), verdict=Verdict.APPROVE, reason="")
    before = decide_run(SALES, lease, sequence_of(calls))
    after = decide_run(SALES, lease, [other, *sequence_of(calls)])
    assert all(
        STRICTNESS[a.result] >= STRICTNESS[b.result] for a, b in zip(after, before, strict=True)
    )


def _assert_no_laxer(
    calls: list[tuple[str, dict[str, Any]]], summary: str, policy: Policy, stricter: Policy
) -> None:
    """On the last call, after the same steps: what was done before is the same in both."""
    lease = lease_for(policy, summary)
    sequence = sequence_of(calls)
    loose = decide_run(policy, lease, sequence)
    tight = decide_run(stricter, lease, sequence)
    for one, other in zip(loose, tight, strict=True):
        assert STRICTNESS[other.result] >= STRICTNESS[one.result], (one.decisive, other.decisive)
        if one.result is not other.result:
            break


def _last(results: Sequence[GateResult]) -> int:
    return STRICTNESS[results[-1].result]
