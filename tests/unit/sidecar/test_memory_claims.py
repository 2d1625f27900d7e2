"""Claims: what is folded, what a query finds, whose they are, and that nothing is laundered."""

from typing import Any

import pytest

from bus.decider import Recorded
from schemas.actions import LayerResult, ObservationRecorded, ProposalMade
from schemas.content import plain
from schemas.leases import Intent
from schemas.memories import MemoryForgotten, MemoryRetained, MemoryWithdrawn
from schemas.names import Classification, Role
from schemas.tools import Effect, Policy, Tool, Trust
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.gate.library import decide_run
from sidecar.memory import claims as fold
from sidecar.memory.claims import Claims, evolve
from sidecar.memory.recalling import answer, claim_id, ranked
from tests.cases import LEASE, changed, recorded

FIRST, SECOND_ = b"\x01" * 32, b"\x02" * 32
ANYTHING: dict[str, Any] = {"type": "object"}
SEND = Tool(
    name="mail.send",
    summary="Send a mail",
    arguments=ANYTHING,
    effect=Effect.COMMUNICATION,
    destinations=("to",),
    contents=("body",),
)
POLICY = Policy(version=1, tools=(*MEMORY_TOOLS, SEND), organisation=("acme.example",))


def retained(text: str, proposal: bytes, rep: str = "ann", **more: Any) -> Recorded:
    body = MemoryRetained(
        claim=claim_id(proposal),
        text=plain(text),
        rep=rep,
        agent="assistant",
        proposal=proposal,
        trust=Trust.UNTRUSTED,
        sensitivity=more.pop("sensitivity", Classification.CONFIDENTIAL),
    )
    return recorded(body, proposal, Role.SIDECAR, "sidecar")


def folded(*entries: Recorded) -> Claims:
    claims = Claims()
    for entry in entries:
        claims = evolve(claims, entry)
    return claims


def asked(claims: Claims, verb: str, rep: str = "ann", **arguments: Any) -> Any:
    return answer(claims, verb, arguments, rep=rep, proposal=b"\x09" * 32)


TWO = folded(
    retained("Boeing prefers calls on Thursday mornings.", FIRST),
    retained("Airbus pays within thirty days.", SECOND_),
)


def test_the_claims_that_share_the_querys_words_are_found_the_best_first() -> None:
    found = asked(TWO, "recall", query="when does Boeing prefer calls").result["claims"]
    assert [one["claim"] for one in found] == [claim_id(FIRST)]


def test_word_forms_and_a_small_slip_do_not_hide_a_claim() -> None:
    assert asked(TWO, "recall", query="payment: paying days").result["claims"]
    assert ranked(TWO.values(), "airbsu pays within", 5)[0].claim == claim_id(SECOND_)


def test_no_more_than_the_limit_is_given_and_what_is_not_meant_is_not() -> None:
    assert len(asked(TWO, "recall", query="Boeing Airbus", limit=1).result["claims"]) == 1
    assert asked(TWO, "recall", query="zebra").result == {"claims": []}


def test_a_reps_claims_are_theirs_alone() -> None:
    assert asked(TWO, "recall", rep="bob", query="Boeing").result == {"claims": []}
    for verb in ("justify", "forget"):
        assert asked(TWO, verb, rep="bob", claim=claim_id(FIRST)).problem
        assert not asked(TWO, verb, claim=claim_id(FIRST)).problem


def test_a_restricted_claim_is_named_and_not_told() -> None:
    claims = folded(
        retained("The reserve is 1.2 million.", FIRST, sensitivity=Classification.RESTRICTED)
    )
    [one] = asked(claims, "recall", query="reserve").result["claims"]
    assert one["claim"] == claim_id(FIRST)
    assert "million" not in one["text"]


@pytest.mark.parametrize(
    "body",
    [
        MemoryForgotten(claim=claim_id(FIRST), proposal=SECOND_),
        MemoryWithdrawn(claim=claim_id(FIRST), reason="asked to"),
    ],
)
def test_what_is_forgotten_is_gone_and_forgetting_again_changes_nothing(body: Any) -> None:
    gone = evolve(TWO, recorded(body, b"\x07" * 32, Role.SIDECAR, "sidecar"))
    assert claim_id(FIRST) not in gone
    assert evolve(gone, recorded(body, b"\x08" * 32, Role.SIDECAR, "sidecar")) is gone


def test_a_claim_is_kept_once_however_often_it_is_on_record() -> None:
    assert evolve(TWO, retained("Something else.", FIRST)) is TWO


def test_a_full_memory_says_so_and_keeps_what_it_has() -> None:
    full = Claims({f"m-{n:024x}": TWO[claim_id(FIRST)] for n in range(fold.MAX_CLAIMS)})
    assert "full" in asked(full, "retain", claim="one more").problem
    assert evolve(full, retained("one more", SECOND_)) is full


def decide(summary: str, recalled: str, **arguments: Any) -> Any:
    """The gate's word on a mail in a run that has recalled a claim."""
    lease = changed(
        LEASE,
        intent=Intent(summary=summary, effects=(Effect.COMMUNICATION,)),
        tools=tuple(tool.name for tool in POLICY.tools),
    )
    asks = ProposalMade(
        number=1, tool="memory.recall", arguments=plain({"query": "x"}), purpose=plain("")
    )
    claims = {"claims": [{"claim": claim_id(FIRST), "text": recalled, "trust": "trusted"}]}
    gives = ObservationRecorded(source="memory", content=plain(claims), answers=1)
    sends = ProposalMade(number=2, tool="mail.send", arguments=plain(arguments), purpose=plain(""))
    return decide_run(POLICY, lease, [asks, gives, sends])[1]


def test_an_address_that_memory_gives_back_leads_nowhere_without_a_person() -> None:
    found = decide(
        "Send the supplier our thanks",
        "The supplier is reached at office@umbra-lens.example.",
        to=["office@umbra-lens.example"],
        body="Thank you.",
    )
    assert found.layers[6].result is not LayerResult.PASS


def test_confidential_text_that_memory_gives_back_leaves_no_more_than_when_it_was_read() -> None:
    secret = "The board approved the purchase of Lumen Analytics subject to due diligence."
    found = decide(
        "Wish jane@partner.example a happy birthday",
        secret,
        to=["jane@partner.example"],
        body=f"Happy birthday. {secret}",
    )
    assert found.layers[7].result is not LayerResult.PASS
