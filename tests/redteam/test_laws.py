"""Laws of the gate: it never raises, decides alike what is alike, and believes no claims.

The order of what has nothing to do with an action changes nothing about it.
"""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.actions import (
    LayerResult,
    ObservationRecorded,
    ProposalMade,
)
from schemas.content import Plain, Sealed, plain
from schemas.names import SECOND
from sidecar.gate.library import Step, decide_run
from tests.redteam.arbitrary import (
    FINANCE,
    JSON,
    OBJECTS,
    PLAYED,
    RAW,
    SALES,
    SUMMARIES,
    TOOL_NAMES,
    UNHURRIED,
    heard_of,
    lease_for,
    proposal_of,
    sequence_of,
)
from tests.redteam.workspaces import NOW


@UNHURRIED
@given(tool=TOOL_NAMES, arguments=OBJECTS | JSON, heard=JSON, summary=st.text(max_size=200))
def test_no_proposal_whatsoever_makes_the_gate_raise(
    tool: str, arguments: Any, heard: Any, summary: str
) -> None:
    for policy in (SALES, FINANCE):
        sequence = [
            heard_of(heard),
            proposal_of(1, tool, arguments),
            heard_of(arguments, answers=1),
            proposal_of(2, tool, arguments),
        ]
        results = decide_run(policy, lease_for(policy, summary), sequence)
        assert [len(one.layers) for one in results] == [14, 14]


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("tool", ["mail.send", "web.submit", "payments.transfer", "no.such-tool"])
def test_no_bytes_as_arguments_make_the_gate_raise(tool: str, name: str) -> None:
    made = proposal_of(1, tool, Plain(RAW[name]))
    (result,) = decide_run(FINANCE, lease_for(FINANCE, "Send mails, submit forms, pay"), [made])
    assert len(result.layers) == 14


@UNHURRIED
@given(raw=st.binary(max_size=80))
def test_no_chance_bytes_as_arguments_make_the_gate_raise(raw: bytes) -> None:
    (result,) = decide_run(SALES, lease_for(SALES, ""), [proposal_of(1, "mail.send", Plain(raw))])
    assert len(result.layers) == 14


def test_sealed_arguments_do_not_open_and_are_refused() -> None:
    sealed = Sealed(key="run-1", nonce=bytes(12), ciphertext=bytes(32))
    (result,) = decide_run(SALES, lease_for(SALES, "Send"), [proposal_of(1, "mail.send", sealed)])
    assert result.result is LayerResult.REFUSE


@pytest.mark.parametrize("name", RAW)
def test_nothing_that_is_read_makes_the_gate_raise(name: str) -> None:
    heard = ObservationRecorded(source="x", content=Plain(RAW[name]))
    read = proposal_of(1, "mail.read", {"id": "m-1"})
    answer = ObservationRecorded(source="x", content=Plain(RAW[name]), answers=1)
    after = proposal_of(2, "mail.read", {"id": "m-2"})
    results = decide_run(SALES, lease_for(SALES, "Read m-1, m-2"), [heard, read, answer, after])
    assert len(results) == 2


@settings(max_examples=60, deadline=None)
@given(
    summary=SUMMARIES,
    call=PLAYED,
    order=st.permutations(
        [
            "The weather in Oslo is fine and dry.",
            "Lunch menu: soup, bread, apples.",
            {"id": "ev-9", "title": "Dentist", "start": "2026-11-30T08:00"},
            "Der Zug nach Brno hat zehn Minuten Verspätung.",
        ]
    ),
)
def test_the_order_of_unrelated_observations_changes_no_decision(
    summary: str, call: list[tuple[str, dict[str, Any]]], order: list[Any]
) -> None:
    lease = lease_for(SALES, summary)
    tool, arguments = call[-1]
    listed = sorted(order, key=str)

    def decided(heard: list[Any]) -> list[tuple[LayerResult, str]]:
        at = NOW + 30 * SECOND
        steps = [Step(body=heard_of(one), at=at) for one in heard]
        made = Step(body=proposal_of(1, tool, arguments), at=at)
        results = decide_run(SALES, lease, [*steps, made])
        return [(one.result, one.reason) for one in results[0].layers]

    assert decided(order) == decided(listed)


def test_the_order_of_keys_does_not_make_another_call_of_it() -> None:
    one = Plain(b'{"account": "DE75512108001245126199", "amount": 10, "reference": "x"}')
    other = Plain(b'{"reference": "x", "amount": 10, "account": "DE75512108001245126199"}')
    lease = lease_for(FINANCE, "Transfer 10 EUR to DE75512108001245126199")
    made = [proposal_of(1, "payments.transfer", one), proposal_of(2, "payments.transfer", other)]
    first, second = decide_run(FINANCE, lease, made)
    assert first.result is LayerResult.PASS
    assert second.layers[11].result is LayerResult.HOLD


@settings(max_examples=40, deadline=None)
@given(calls=PLAYED, summary=SUMMARIES, said=JSON)
def test_what_the_runtime_says_its_purpose_is_changes_no_decision(
    calls: list[tuple[str, dict[str, Any]]], summary: str, said: Any
) -> None:
    lease = lease_for(SALES, summary)
    sequence = sequence_of(calls)
    claimed = [
        msgspec.structs.replace(one, purpose=plain(said)) if isinstance(one, ProposalMade) else one
        for one in sequence
    ]
    before = [one.result for one in decide_run(SALES, lease, sequence)]
    assert [one.result for one in decide_run(SALES, lease, claimed)] == before


@settings(max_examples=40, deadline=None)
@given(calls=PLAYED, summary=SUMMARIES)
def test_a_run_decided_twice_is_decided_alike(
    calls: list[tuple[str, dict[str, Any]]], summary: str
) -> None:
    lease = lease_for(SALES, summary)
    assert decide_run(SALES, lease, sequence_of(calls)) == decide_run(
        SALES, lease, sequence_of(calls)
    )
