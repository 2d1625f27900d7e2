"""What a watcher without content keys knows of each event, and what it does not pretend to."""

import msgspec
import pytest

from bus.decider import Recorded
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    LayerOutcome,
    LayerResult,
    ObservationRecorded,
    Verdict,
    VerdictGiven,
)
from schemas.content import Sealed
from schemas.events import Actor, AnyBody, Event
from schemas.names import NO_DIGEST, Classification, Role
from schemas.patterns import FactKind
from schemas.tools import Effect, Policy, Reach, Tool, Trust
from sidecar.supervision.engine import Fact
from sidecar.supervision.public import fact_of, reach_of

AT = 1_790_000_000_000_000_000
SEALED = Sealed(key="r-1", nonce=b"n" * 12, ciphertext=b"c" * 16)
MIXED = tuple(
    LayerOutcome(layer=number, name="x", result=result)
    for number, result in (
        (1, LayerResult.PASS),
        (5, LayerResult.REFUSE),
        (7, LayerResult.HOLD),
        (13, LayerResult.REFUSE),
        (14, LayerResult.HOLD),
    )
)


def tool(name: str, effect: Effect, **declared: object) -> Tool:
    base = Tool(name=name, summary=name, arguments={"type": "object"}, effect=effect)
    return msgspec.structs.replace(base, **declared)


POLICY = Policy(
    version=1,
    tools=(
        tool(
            "vault.read",
            Effect.READ,
            trust=Trust.TRUSTED,
            classification=Classification.RESTRICTED,
            reach=Reach.INSIDE,
        ),
        tool("web.post", Effect.EGRESS, reach=Reach.OUTSIDE),
    ),
)


def known(body: AnyBody) -> Fact | None:
    event = Event(
        id="019a0000-0000-7000-8000-000000000000",
        workspace="acme",
        run="r-1",
        actor=Actor(Role.SIDECAR, "sidecar"),
        n=0,
        prev=NO_DIGEST,
        causes=(),
        seen=0,
        at=AT,
        classification=Classification.INTERNAL,
        body=body,
    )
    return fact_of(Recorded(7, b"d" * 32, event, event), "ann", "bot", POLICY)


def like(kind: FactKind, **more: object) -> Fact:
    base = Fact(run="r-1", rep="ann", agent="bot", at=AT, kind=kind, digest=b"d" * 32)
    return msgspec.structs.replace(base, **more)


def started(name: str) -> ActionStarted:
    return ActionStarted(proposal=b"p" * 32, tool=name, arguments=b"a" * 32, layers=())


def test_a_read_is_known_by_its_tools_declaration() -> None:
    assert known(started("vault.read")) == like(
        FactKind.READ,
        tool="vault.read",
        effect=Effect.READ,
        outside=False,
        sensitivity=Classification.RESTRICTED,
        trust=Trust.TRUSTED,
    )


def test_an_effect_is_known_by_its_class_and_reach_and_not_by_what_is_sealed() -> None:
    fact = known(started("web.post"))
    assert fact == like(FactKind.EFFECT, tool="web.post", effect=Effect.EGRESS, outside=True)
    assert fact is not None
    assert (fact.named, fact.destinations, fact.objects) == (None, (), ())


def test_a_tool_that_policy_does_not_declare_is_an_effect_of_no_known_class() -> None:
    assert known(started("gone.tool")) == like(FactKind.EFFECT, tool="gone.tool")


def test_what_a_run_was_given_carries_its_sensitivity_and_trust() -> None:
    given = ObservationRecorded(
        source="mail",
        content=SEALED,
        trust=Trust.TRUSTED,
        sensitivity=Classification.RESTRICTED,
    )
    assert known(given) == like(
        FactKind.ARRIVAL, sensitivity=Classification.RESTRICTED, trust=Trust.TRUSTED
    )


def test_a_refusal_names_the_layers_that_refused_and_a_hold_those_that_held() -> None:
    refused = ActionRefused(
        proposal=b"p" * 32, tool="web.post", layers=MIXED, reason="no", fix="none"
    )
    asked = ApprovalRequested(
        proposal=b"p" * 32, tool="web.post", question="?", layers=MIXED, expires=1
    )
    assert known(refused) == like(FactKind.REFUSAL, tool="web.post", layers=(5, 13))
    assert known(asked) == like(FactKind.HOLD, tool="web.post", layers=(7, 14))


def test_a_yes_is_a_fact_and_a_no_is_none() -> None:
    yes, no = (
        ApprovalDecided(proposal=b"p" * 32, decision=decision)
        for decision in (Decision.APPROVE, Decision.DENY)
    )
    assert known(yes) == like(FactKind.APPROVAL)
    assert known(no) is None


def test_other_events_hold_no_fact() -> None:
    assert known(VerdictGiven(proposal=b"p" * 32, verdict=Verdict.STOP, reason="no")) is None


@pytest.mark.parametrize(
    ("declared", "outside"),
    [
        (tool("t", Effect.READ, reach=Reach.OUTSIDE), True),
        (tool("t", Effect.EGRESS, reach=Reach.INSIDE), False),
        (tool("t", Effect.EGRESS, destinations=("to",)), None),
        (tool("t", Effect.EGRESS), True),
        (tool("t", Effect.MUTATION), False),
    ],
)
def test_what_a_declaration_leaves_open_is_not_guessed(declared: Tool, outside: bool) -> None:
    assert reach_of(declared) is outside
