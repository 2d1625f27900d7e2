"""What stands of a run that was to do all or nothing is found in the ledger as it ends."""

from typing import Any

import pytest
from immutables import Map

from agents.orchestration import Deed, LiveRun, OrchestratorState
from agents.standing import together, unmade, with_standing
from bus.decider import Draft
from schemas.actions import ActionOutcome
from schemas.events import AnyBody
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunOutcome
from tests.cases import INTENT, POLICY, REQUEST, RUN, SEND, changed, recorded

CONFIRMED, FAILED = ActionOutcome.CONFIRMED, ActionOutcome.FAILED
LOOK = changed(SEND, name="mail.read", effect=type(SEND.effect).READ)
FULL = changed(POLICY, tools=(SEND, LOOK))


def deed(name: str, outcome: ActionOutcome | None, tool: str = "mail.send") -> Deed:
    return Deed(tool=tool, started=name.encode(), outcome=outcome)


def ending(body: AnyBody, deeds: dict[bytes, Deed], *, whole: bool = True, **more: Any) -> AnyBody:
    wish = changed(REQUEST, intent=changed(INTENT, together=whole))
    run = LiveRun(request=recorded(wish, b"q", Role.REP, "ann"), deeds=Map(deeds), **more)
    state = OrchestratorState(workspace="acme", policy=FULL, runs=Map({RUN: run}))
    said = with_standing(state, Draft(body=body, run=RUN, causes=(), since=0))
    assert isinstance(said, Draft)
    return said.body


def completed(outcome: RunOutcome) -> RunCompleted:
    return RunCompleted(outcome=outcome, reason="because", receipts=())


FAILURE = completed(RunOutcome.FAILURE)
HALT = RunHalted(halt=b"h" * 32, reason="enough")


@pytest.mark.parametrize("body", [FAILURE, HALT, completed(RunOutcome.EXPIRED)])
def test_what_is_done_unknown_or_under_way_stands_and_reads_and_failures_do_not(
    body: Any,
) -> None:
    deeds = {
        b"1": deed("done", CONFIRMED),
        b"2": deed("unknown", ActionOutcome.UNKNOWN),
        b"3": deed("begun", None),
        b"4": deed("failed", FAILED),
        b"5": deed("read", CONFIRMED, "mail.read"),
    }
    said = ending(body, deeds)
    assert isinstance(said, RunCompleted | RunHalted)
    assert said.standing == (b"begun", b"done", b"unknown")


@pytest.mark.parametrize(("outcome", "standing"), [(CONFIRMED, ()), (FAILED, (b"done",))])
def test_only_a_confirmed_undoing_takes_an_action_off(
    outcome: ActionOutcome, standing: tuple[bytes, ...]
) -> None:
    deeds = {b"1": deed("done", CONFIRMED), b"2": deed("undo", outcome)}
    said = ending(FAILURE, deeds, undoings=Map({b"2": b"1"}))
    assert isinstance(said, RunCompleted)
    assert said.standing == standing


def test_a_success_and_a_run_that_was_asked_for_otherwise_say_nothing() -> None:
    deeds = {b"1": deed("done", CONFIRMED)}
    success = completed(RunOutcome.SUCCESS)
    assert ending(success, deeds) == success
    assert ending(FAILURE, deeds, whole=False) == FAILURE


def test_all_is_done_only_where_every_effect_is_confirmed_and_none_undid_another() -> None:
    run = LiveRun(request=recorded(REQUEST, b"q", Role.REP, "ann"))
    assert not together(run)
    done = changed(run, deeds=Map({b"1": deed("a", CONFIRMED), b"2": deed("b", CONFIRMED)}))
    assert unmade(done, FULL) == 0
    assert unmade(changed(done, undoings=Map({b"2": b"1"})), FULL) == 1
    read = deed("c", FAILED, "mail.read")
    assert unmade(changed(done, deeds=done.deeds.set(b"3", read)), FULL) == 0
    assert unmade(changed(done, deeds=done.deeds.set(b"3", deed("c", FAILED))), FULL) == 1
