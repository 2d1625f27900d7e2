"""The content of a step, opened for who may read it, with its words' origins marked."""

from typing import Any

import msgspec
from msgspec import Struct

from console.view.origins import Marked, marked, sources
from console.view.state import Run, Step
from crypto.sealing import ContentKeys, open_event
from schemas.actions import ActionFinished, ObservationRecorded, ProposalMade
from schemas.content import Content, Sealed, opened

SEALED = "sealed: it was erased, or this console does not hold its key"
WITHHELD = "not shown to your role"


class Opened(Struct, frozen=True):
    """What a page shows of a step. `why` says why there are no arguments, or is empty."""

    arguments: tuple[Marked, ...]
    purpose: str
    result: str
    why: str = ""


def opened_step(run: Run, step: Step, keys: ContentKeys, *, may_read: bool) -> Opened:
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
    if isinstance(proposal.arguments, Sealed):
        return Opened((), _text(proposal.purpose), result, SEALED)
    read = [
        body
        for event in run.observations
        if event.at <= step.made.at
        and isinstance(body := open_event(event, keys).body, ObservationRecorded)
    ]
    arguments = marked(opened(proposal.arguments), sources(run.intent, read))
    return Opened(arguments, _text(proposal.purpose), result)


def _text(content: Content) -> str:
    if isinstance(content, Sealed):
        return SEALED
    value: Any = opened(content)
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
