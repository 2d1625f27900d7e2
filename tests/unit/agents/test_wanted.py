"""What a person wants changed reaches the brain as a person's words, and decides nothing."""

from typing import Any

import pytest

from agents.planners.model import ModelPlanner
from agents.planners.planner import Ask, Finish, History, Propose, Step
from agents.planners.scripted import Plan, PlannedStep, ScriptedPlanner
from agents.runtime import RuntimeState, evolve
from bus.decider import Recorded
from schemas.actions import ActionRefused, ApprovalDecided, Decision
from schemas.content import Content, Plain, Sealed, plain
from schemas.events import AnyBody
from schemas.names import Role
from tests.cases import LEASE, PROPOSAL_DIGEST, RUN, proposal, recorded

PLAN = Plan(
    steps=(
        PlannedStep("files.write", {"path": "a.txt", "content": "long"}, "note it"),
        PlannedStep("files.write", {"path": "b.txt", "content": "long"}, "note it"),
    )
)


def after(*bodies: AnyBody) -> RuntimeState:
    """The runtime's state after the proposal and then these."""
    made = recorded(proposal(), PROPOSAL_DIGEST, Role.RUNTIME, "runtime-1")
    state = evolve(RUN, RuntimeState(), made)
    for number, body in enumerate(bodies):
        entry: Recorded = recorded(body, bytes([number]) * 32, Role.ADMIN, "ada")
        state = evolve(RUN, state, entry)
    return state


def wanting(change: Content | None, of: bytes = PROPOSAL_DIGEST) -> ApprovalDecided:
    return ApprovalDecided(proposal=of, decision=Decision.CHANGE, change=change)


REFUSED = ActionRefused(
    proposal=PROPOSAL_DIGEST, tool="mail.send", layers=(), reason="ada wants another plan", fix=""
)


def test_the_first_persons_words_reach_the_step_that_was_refused() -> None:
    state = after(wanting(plain("shorter")), wanting(plain("longer")), REFUSED)
    assert [(step.outcome, step.wanted) for step in state.steps] == [("refused", "shorter")]


@pytest.mark.parametrize(
    "change",
    [
        None,
        Sealed("r-1", b"n" * 12, b"c" * 16),
        plain({"not": "a text"}),
        Plain(b"\xff"),
    ],
)
def test_what_is_no_text_or_does_not_open_is_no_wish(change: Content | None) -> None:
    state = after(wanting(change), wanting(plain("of another"), b"x" * 32), REFUSED)
    assert [step.wanted for step in state.steps] == [""]


def refused(wanted: str, **more: Any) -> Step:
    return Step(
        proposal=b"1" * 32,
        tool="files.write",
        arguments={"path": "a.txt", "content": "long"},
        outcome="refused",
        wanted=wanted,
        **more,
    )


def test_a_script_takes_arguments_from_a_person_and_makes_nothing_of_words() -> None:
    planner = ScriptedPlanner(PLAN)
    changed = planner.next(History(lease=LEASE, tools=(), steps=(refused('{"content": "x"}'),)))
    assert changed == Propose(
        tool="files.write", arguments={"path": "a.txt", "content": "x"}, purpose="as a person asked"
    )
    then = planner.next(History(lease=LEASE, tools=(), steps=(refused("shorter, please"),)))
    assert isinstance(then, Propose) and then.arguments["path"] == "b.txt"


def test_a_script_goes_on_where_it_was_once_the_changed_step_is_done() -> None:
    done = Step(
        proposal=b"2" * 32,
        tool="files.write",
        arguments={"path": "a.txt", "content": "x"},
        outcome="confirmed",
    )
    last = Step(
        proposal=b"3" * 32,
        tool="files.write",
        arguments={"path": "b.txt", "content": "long"},
        outcome="confirmed",
    )
    steps = (refused('{"content": "x"}'), done, last)
    end = ScriptedPlanner(PLAN).next(History(lease=LEASE, tools=(), steps=steps))
    assert isinstance(end, Finish) and end.success


def test_a_model_is_told_that_the_words_are_a_persons() -> None:
    turn = ModelPlanner("").next(History(lease=LEASE, tools=(), steps=(refused("shorter"),)))
    assert isinstance(turn, Ask)
    assert '"a person wants instead":"shorter"' in turn.messages[-1]["content"]
    plainly = ModelPlanner("").next(History(lease=LEASE, tools=(), steps=(refused(""),)))
    assert isinstance(plainly, Ask) and "wants" not in plainly.messages[-1]["content"]
