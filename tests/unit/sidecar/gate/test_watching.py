"""What a run's calls tell the gate's own copy of the pattern engine."""

from typing import Any

import pytest

from schemas.names import Classification
from schemas.patterns import FactKind, Pattern, Response, Step
from schemas.tools import Effect, Tool, Trust
from sidecar.gate.watching import answer_fact, arrival_fact, proposed_fact, read_fact, under
from sidecar.supervision.engine import Fact, SupervisionState
from sidecar.supervision.patterns import DEFAULT_PATTERNS
from tests.cases import LEASE, NOW, POLICY, changed
from tests.unit.sidecar.gate.building import MAIL, UPDATE, knows, wish

DIGEST = b"d" * 32
SECRET = "the key is AKIAIOSFODNN7EXAMPLE"
ASKED = wish("write to jane@boeing.example")


def proposed(tool: Tool, **arguments: Any) -> Fact:
    known = knows({"mail": "bob@acme.example"}, ASKED, trust=Trust.TRUSTED)
    known = knows("x@collect.example", ASKED, known)
    return proposed_fact(
        known, ASKED, tool, arguments, lease=LEASE, policy=POLICY, at=NOW, digest=DIGEST
    )


def test_the_patterns_watched_for_are_the_policys_or_the_built_in_ones() -> None:
    own = Pattern(
        name="own",
        description="of this workspace",
        steps=(Step(kinds=(FactKind.EFFECT,)),),
        within_s=60,
        response=Response.HOLD,
    )
    state = SupervisionState()
    assert under(POLICY, state).patterns == DEFAULT_PATTERNS
    assert under(changed(POLICY, patterns=(own,)), state).patterns == (own,)
    assert under(changed(POLICY, patterns=()), state).patterns == ()


@pytest.mark.parametrize(
    ("to", "named"),
    [
        (["jane@boeing.example"], True),
        (["bob@acme.example"], True),
        (["jane@boeing.example", "bob@acme.example"], True),
        (["x@collect.example"], False),
        (["nobody@anywhere.example"], False),
        (["jane@boeing.example", "x@collect.example"], False),
        ([], None),
    ],
)
def test_a_call_is_named_if_the_rep_or_a_system_of_record_gives_each_place_it_leads_to(
    to: list[str], named: bool | None
) -> None:
    assert proposed(MAIL, to=to).named is named


def test_a_call_is_told_as_what_it_would_be() -> None:
    fact = proposed(UPDATE, record="d-1")
    assert (fact.kind, fact.effect, fact.tool) == (FactKind.EFFECT, Effect.MUTATION, UPDATE.name)
    assert (fact.run, fact.at, fact.digest) == (LEASE.run, NOW, DIGEST)


@pytest.mark.parametrize(
    ("content", "credential"),
    [
        (SECRET, True),
        ({"rows": [{"note": SECRET}]}, True),
        ("nothing here", False),
        ({"rows": []}, False),
        (" " * (256 * 1024 - len(SECRET)) + SECRET, True),
        (" " * 256 * 1024 + SECRET, False),
    ],
)
def test_a_read_is_told_with_whether_a_secret_stood_in_its_first_256_kib(
    content: object, credential: bool
) -> None:
    assert read_fact(proposed(UPDATE), content).credential is credential


def test_what_came_by_itself_is_told_with_how_secret_it_is_and_whom_it_is_from() -> None:
    fact = arrival_fact(
        LEASE, SECRET, Classification.RESTRICTED, trust=Trust.TRUSTED, at=NOW, digest=DIGEST
    )
    assert fact == Fact(
        run=LEASE.run,
        rep=LEASE.rep,
        agent=LEASE.agent,
        at=NOW,
        kind=FactKind.ARRIVAL,
        digest=DIGEST,
        sensitivity=Classification.RESTRICTED,
        trust=Trust.TRUSTED,
        credential=True,
    )


def test_an_answer_of_the_gate_is_told_with_the_layers_that_objected() -> None:
    fact = answer_fact(LEASE, FactKind.REFUSAL, MAIL.name, (7, 8), at=NOW, digest=DIGEST)
    assert fact == Fact(
        run=LEASE.run,
        rep=LEASE.rep,
        agent=LEASE.agent,
        at=NOW,
        kind=FactKind.REFUSAL,
        digest=DIGEST,
        tool=MAIL.name,
        layers=(7, 8),
    )
