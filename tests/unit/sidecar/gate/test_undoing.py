"""An undoing passes because it is exactly what the ledger says it must be, and for nothing else."""

from typing import Any

import pytest

from schemas.actions import ActionFinished, ActionOutcome, ActionStarted, LayerResult
from schemas.compensation import Compensation, Undoing
from schemas.content import plain
from schemas.names import NO_DIGEST, Role
from sidecar import undoing
from sidecar.gate.intent import intent
from sidecar.gate.outcome import Case
from sidecar.gate.pace import pace
from sidecar.gate.provenance import provenance
from tests.cases import POLICY, PROPOSAL_DIGEST, changed, proposal, recorded
from tests.unit.sidecar.gate.building import ERASE, UPDATE, case

DONE = b"d" * 32
ADD = changed(
    UPDATE, compensation=Compensation(tool="crm.delete_deal", arguments={"record": "/result/id"})
)
WORKSPACE = changed(POLICY, tools=(ADD, ERASE))
CALL = {"record": "deal-77"}


def claim(undoes: bool, together: bool = True, **bounds: Any) -> Case:
    made = case(ERASE, CALL, bounds={"together": together, **bounds}, undoes=undoes)
    return changed(made, proposal=changed(made.proposal, compensates=DONE))


def test_an_exact_undoing_needs_no_word_of_the_intent_and_no_ground() -> None:
    for layer in (intent, provenance, pace):
        assert layer(claim(True)).result is LayerResult.PASS
    plainly = case(ERASE, CALL)
    assert {layer(plainly).result for layer in (intent, provenance)} == {LayerResult.HOLD}


def test_what_is_called_an_undoing_and_is_none_is_refused() -> None:
    word = intent(claim(False))
    assert word.result is LayerResult.REFUSE
    assert "not what undoes that action" in word.reason
    assert provenance(claim(False)).result is LayerResult.HOLD


def test_nothing_is_undone_for_a_rep_who_did_not_ask_for_all_or_nothing() -> None:
    word = intent(claim(True, together=False))
    assert word.result is LayerResult.REFUSE
    assert "does not ask for all or nothing" in word.reason


def test_an_effect_class_that_the_rep_did_not_declare_is_refused_all_the_same() -> None:
    communication = type(ERASE.effect).COMMUNICATION
    assert intent(claim(True, effects=(communication,))).result is LayerResult.REFUSE


def made(tool: str, arguments: object, compensates: bytes | None = None) -> Any:
    body = changed(proposal(arguments, tool=tool), compensates=compensates)
    return recorded(body, PROPOSAL_DIGEST, Role.RUNTIME, "runtime-1")


def finished(outcome: ActionOutcome, result: object) -> ActionFinished:
    return ActionFinished(
        action=b"a" * 32,
        proposal=DONE,
        outcome=outcome,
        evidence=NO_DIGEST,
        detail="",
        result=plain(result),
    )


def started() -> ActionStarted:
    return ActionStarted(
        proposal=PROPOSAL_DIGEST, tool="crm.delete_deal", arguments=NO_DIGEST, layers=()
    )


CONFIRMED = finished(ActionOutcome.CONFIRMED, {"id": "deal-77"})
ADDED = made(ADD.name, {"record": "new"})


def test_what_undoes_an_action_is_known_once_that_is_confirmed() -> None:
    known = undoing.after(undoing.Undoings(), CONFIRMED, ADDED, WORKSPACE)
    assert dict(known) == {DONE: Undoing("crm.delete_deal", CALL)}


@pytest.mark.parametrize("outcome", [ActionOutcome.FAILED, ActionOutcome.UNKNOWN])
def test_what_is_not_confirmed_is_not_undone(outcome: ActionOutcome) -> None:
    nothing = undoing.Undoings()
    assert undoing.after(nothing, finished(outcome, {"id": "x"}), ADDED, WORKSPACE) is nothing


@pytest.mark.parametrize(
    ("tool", "arguments", "compensates", "exact"),
    [
        ("crm.delete_deal", CALL, DONE, True),
        ("crm.delete_deal", {"record": "deal-78"}, DONE, False),
        ("crm.delete_deal", {**CALL, "text": "more"}, DONE, False),
        ("crm.delete_deal", None, DONE, False),
        ("crm.update_deal", CALL, DONE, False),
        ("crm.delete_deal", CALL, b"e" * 32, False),
        ("crm.delete_deal", CALL, None, False),
    ],
)
def test_an_undoing_is_the_declared_call_to_the_letter(
    tool: str, arguments: Any, compensates: bytes | None, exact: bool
) -> None:
    known = undoing.Undoings({DONE: Undoing("crm.delete_deal", CALL)})
    body = made(tool, CALL, compensates).event.body
    assert undoing.undoes(known, body, arguments) is exact


def test_an_action_is_undone_once_whatever_comes_of_it() -> None:
    known = undoing.Undoings({DONE: Undoing("crm.delete_deal", CALL)})
    left = undoing.after(known, started(), made("crm.delete_deal", CALL, DONE), WORKSPACE)
    assert dict(left) == {}
    other = made("crm.delete_deal", CALL)
    assert undoing.after(known, started(), other, WORKSPACE) is known
