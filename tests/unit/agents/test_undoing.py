"""All or nothing: what is undone, in which order, and when it ends."""

from typing import Any

import msgspec
import pytest

from agents.planners.planner import Finish, History, Propose, Step
from agents.undoing import given_up, undoing
from schemas.compensation import Compensation
from schemas.tools import Effect, Tool
from tests.cases import LEASE


def tool(name: str, effect: Effect = Effect.MUTATION, undo: str = "") -> Tool:
    declared = Compensation(tool=undo, arguments={"id": "/result/id"}) if undo else None
    return Tool(name=name, summary=name, arguments={}, effect=effect, compensation=declared)


TOOLS = (
    tool("crm.read", Effect.READ),
    tool("crm.add", undo="crm.remove"),
    tool("crm.remove"),
    tool("mail.send"),
)


def step(number: int, name: str, outcome: str = "confirmed", **more: Any) -> Step:
    result = {"id": f"i-{number}"} if outcome == "confirmed" else None
    return Step(
        proposal=bytes([number]), tool=name, arguments={}, outcome=outcome, result=result, **more
    )


def after(*steps: Step, tools: tuple[Tool, ...] = TOOLS) -> History:
    return History(lease=LEASE, tools=tools, steps=steps)


def test_while_every_effect_comes_about_nothing_is_undone() -> None:
    assert undoing(after()) is None
    assert undoing(after(step(1, "crm.add"), step(2, "mail.send"))) is None


@pytest.mark.parametrize("outcome", ["failed", "unknown", "refused"])
def test_an_effect_that_did_not_come_about_undoes_those_before_it_latest_first(
    outcome: str,
) -> None:
    steps = [step(1, "crm.add"), step(2, "crm.add"), step(3, "mail.send", outcome)]
    first = undoing(after(*steps))
    assert isinstance(first, Propose)
    assert (first.tool, first.arguments) == ("crm.remove", {"id": "i-2"})
    assert first.compensates == bytes([2])
    steps.append(step(4, "crm.remove", compensates=bytes([2])))
    second = undoing(after(*steps))
    assert isinstance(second, Propose) and second.compensates == bytes([1])
    steps.append(step(5, "crm.remove", "failed", compensates=bytes([1])))
    end = undoing(after(*steps))
    assert isinstance(end, Finish) and not end.success and end.claims == ()


def test_a_read_that_fails_and_a_plan_that_judge_or_person_changes_are_no_end() -> None:
    assert undoing(after(step(1, "crm.add"), step(2, "crm.read", "failed"))) is None
    changed = step(2, "mail.send", "refused", change={"to": []})
    assert undoing(after(step(1, "crm.add"), changed)) is None
    wanted = step(2, "mail.send", "refused", wanted="shorter")
    assert undoing(after(step(1, "crm.add"), wanted)) is None


def test_what_has_no_declared_undoing_or_none_in_the_lease_is_passed_over() -> None:
    lost = (step(1, "mail.send"), step(2, "crm.add"), step(3, "crm.add", "failed"))
    without = tuple(one for one in TOOLS if one.name != "crm.remove")
    assert isinstance(undoing(after(*lost, tools=without)), Finish)
    only_mail = undoing(after(step(1, "mail.send"), step(2, "crm.add", "failed")))
    assert isinstance(only_mail, Finish)


def test_a_planner_that_gives_up_has_its_effects_undone() -> None:
    turn = given_up(after(step(1, "crm.add"), step(2, "crm.read")))
    assert isinstance(turn, Propose) and turn.compensates == bytes([1])
    assert isinstance(given_up(after()), Finish)


def test_a_step_is_data_that_survives_its_encoding() -> None:
    made = step(1, "crm.remove", compensates=b"p" * 32)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Step) == made
