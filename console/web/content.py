"""The content of a step, opened for who may read it, with its words' origins marked."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from console.view.differences import Difference, Held, difference
from console.view.origins import Marked, Read, marked, sources
from console.view.state import Run, Step
from crypto.sealing import ContentKeys, open_event
from schemas.actions import ActionFinished, ApprovalDecided, ObservationRecorded, ProposalMade
from schemas.content import Content, Sealed, opened
from schemas.tools import Policy, Trust

SEALED = "sealed: it was erased, or this console does not hold its key"
WITHHELD = "not shown to your role"


class Opened(Struct, frozen=True):
    """What a page shows of a step. `why` says why there are no arguments, or is empty; `wanted` is
    what a person said should be different.
    """

    arguments: tuple[Marked, ...]
    purpose: str
    result: str
    why: str = ""
    wanted: str = ""


def opened_step(
    run: Run, step: Step, keys: ContentKeys, policy: Policy | None, *, may_read: bool
) -> Opened:
    """The step's content, where it opens and may be read."""
    if not may_read:
        return Opened((), "", "", WITHHELD)
    proposal = open_event(step.made, keys).body
    assert isinstance(proposal, ProposalMade)
    result = ""
    if step.finished_event is not None:
        done = open_event(step.finished_event, keys).body
        assert isinstance(done, ActionFinished)
        result = _text(done.result)
    wanted = _wanted(step, keys)
    if isinstance(proposal.arguments, Sealed):
        return Opened((), _text(proposal.purpose), result, SEALED, wanted)
    arguments = marked(
        opened(proposal.arguments), sources(run.intent, _read(run, step, keys, policy))
    )
    return Opened(arguments, _text(proposal.purpose), result, wanted=wanted)


def _wanted(step: Step, keys: ContentKeys) -> str:
    for answer in step.answers:
        if answer.event is not None:
            said = open_event(answer.event, keys).body
            assert isinstance(said, ApprovalDecided)
            return _text(said.change) if said.change is not None else ""
    return ""


def _read(run: Run, step: Step, keys: ContentKeys, policy: Policy | None) -> Iterator[Read]:
    """What the run had been given when it proposed this step."""
    for event in run.observations:
        body = open_event(event, keys).body
        if event.at <= step.made.at and isinstance(body, ObservationRecorded):
            yield Read(body.source, body.content, body.trust)
    tools = {tool.name: tool for tool in policy.tools} if policy is not None else {}
    for other in run.steps.values():
        done, tool = other.finished_event, tools.get(other.tool)
        if done is None or done.at > step.made.at:
            continue
        body = open_event(done, keys).body
        if isinstance(body, ActionFinished):
            trust = tool.trust if tool is not None else Trust.UNTRUSTED
            yield Read(other.tool, body.result, trust, tool.trusted if tool is not None else ())


def changes(run: Run, step: Step, keys: ContentKeys, policy: Policy | None) -> Difference | None:
    """What the step would change of what the run had read of its object; None where nothing."""
    proposal = open_event(step.made, keys).body
    assert isinstance(proposal, ProposalMade)
    tools = policy.tools if policy is not None else ()
    tool = next((one for one in tools if one.name == step.tool), None)
    return difference(tool, opened(proposal.arguments), _held(run, step, keys))


def _held(run: Run, step: Step, keys: ContentKeys) -> Iterator[Held]:
    """What the tools had given the run, confirmed, when it proposed this step; the latest first,
    and opened only as it is asked for.
    """
    for other in sorted(run.steps.values(), key=lambda one: one.finished_at, reverse=True):
        done = other.finished_event
        if done is None or done.at > step.made.at or other.state != "confirmed":
            continue
        asked, came = open_event(other.made, keys).body, open_event(done, keys).body
        assert isinstance(asked, ProposalMade) and isinstance(came, ActionFinished)
        arguments = opened(asked.arguments)
        if isinstance(arguments, dict):
            yield Held(other.tool, arguments, opened(came.result), done.at)


def _text(content: Content) -> str:
    if isinstance(content, Sealed):
        return SEALED
    value: Any = opened(content)
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
