"""Plays cases through the gate as a library.

What a proposal gives back reaches the runtime unless the proposal was refused: of a hold the
worst is assumed, that a person said yes. An action that was held counts as not done.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from immutables import Map
from msgspec import Struct

from schemas.actions import (
    ApprovalDecided,
    Decision,
    LayerResult,
    ObservationRecorded,
    ProposalMade,
    Verdict,
    VerdictGiven,
)
from schemas.content import plain, value_of
from schemas.leases import Intent, Lease
from schemas.names import NO_DIGEST, SECOND
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, LeaseRevoked, RepRevoked
from schemas.tools import Policy
from sidecar.destinations.schedule import Destination
from sidecar.gate.gate import LAYERS, GateResult, Layer
from sidecar.gate.library import (
    Recording,
    Step,
    advance,
    proposal_digest,
    propose,
    start,
)
from sidecar.gate.outcome import Case, Word, passed
from sidecar.gate.reading import failed
from tests.redteam.loader import Attack, Honest, Line, Owner
from tests.redteam.workspaces import NOW, policy_of, workspace

LAYER_NAMES: Final = (*(name for name, _ in LAYERS), "review")


class Played(Struct, frozen=True):
    """One proposal of a case, as it was made, and the gate's answer."""

    proposal: ProposalMade
    harm: bool
    result: GateResult


def play(case: Attack | Honest, *, without: str = "") -> Iterator[Played]:
    """Each proposal of a case with the gate's answer, in order."""
    layers = layers_without(without)
    place = workspace(case.workspace)
    policy = policy_of(place, case.policy)
    recording = start(policy, lease_of(case, policy), owned=_owned(case.owned))
    recording = msgspec.structs.replace(recording, now=NOW - case.early * SECOND)
    lines = list(_repeated(case.steps))
    harmful = any(line.harm for line in lines)
    last = max((i for i, line in enumerate(lines) if line.propose), default=-1)
    number = 0
    made: Played | None = None
    for index, line in enumerate(lines):
        at = recording.now + int(line.wait * SECOND)
        if not line.propose:
            body = _body(line, case, made, _next(case, lines[index:], number))
            recording = advance(recording, Step(body=body, at=at))
            if isinstance(body, ApprovalDecided) and made is not None:
                again, recording = propose(recording, made.proposal, again=True, layers=layers)
                made = Played(made.proposal, made.harm, again)
            continue
        if made is not None:
            yield made
        number += 1
        proposal = _proposal(line, number)
        dated = at + line.clock * SECOND if line.clock else None
        step = Step(body=proposal, at=at, dated=dated, by=line.by)
        recording = advance(recording, step)
        result, recording = propose(recording, proposal, step=step, layers=layers)
        if line.approved and result.result is LayerResult.HOLD:
            said = ApprovalDecided(proposal=proposal_digest(proposal), decision=Decision.APPROVE)
            recording = advance(recording, Step(body=said, at=at))
            result, recording = propose(recording, proposal, again=True, layers=layers)
        made = Played(proposal, line.harm if harmful else index == last, result)
        recording = _answered(recording, line, made, place.records)
    if made is not None:
        yield made


def layers_without(name: str) -> tuple[tuple[str, Layer], ...]:
    """The gate's layers, with one replaced by one that passes everything."""
    return tuple((one, _passes if one == name else layer) for one, layer in LAYERS)


def lease_of(case: Attack | Honest, policy: Policy) -> Lease:
    """The lease that a case's run has: all of the policy's tools for ten minutes, if it says
    nothing else.
    """
    said: dict[str, Any] = dict(case.lease)
    ttl = said.pop("ttl_s", 600)
    intent = Intent(summary=case.intent) if isinstance(case.intent, str) else case.intent
    granted = Lease(
        run="run-1",
        rep="maya",
        agent="assistant",
        request=NO_DIGEST,
        intent=intent,
        tools=case.tools if case.tools is not None else tuple(t.name for t in policy.tools),
        policy=1,
        not_before=NOW,
        not_after=NOW + ttl * SECOND,
        max_actions=200,
        attempt=1,
        keys=(),
    )
    return msgspec.structs.replace(granted, **said)


def _repeated(steps: tuple[Line, ...]) -> Iterator[Line]:
    for line in steps:
        for turn in range(1, line.repeat + 1):
            if line.repeat == 1:
                yield line
            else:
                yield msgspec.structs.replace(
                    line,
                    repeat=1,
                    arguments=_numbered(line.arguments, turn),
                    gives=_numbered(line.gives, turn),
                )


def _numbered(value: Any, turn: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(turn))
    if isinstance(value, dict):
        return {_numbered(key, turn): _numbered(inner, turn) for key, inner in value.items()}
    return [_numbered(inner, turn) for inner in value] if isinstance(value, list) else value


def _proposal(line: Line, number: int) -> ProposalMade:
    return ProposalMade(
        number=line.number or number,
        tool=line.propose,
        arguments=plain(line.arguments),
        purpose=plain(""),
    )


def _next(case: Attack | Honest, lines: list[Line], number: int) -> bytes:
    """The digest of the proposal that comes next, for a verdict that comes before it."""
    line = next((line for line in lines if line.propose), None)
    return proposal_digest(_proposal(line, number + 1)) if line is not None else NO_DIGEST


def _body(line: Line, case: Attack | Honest, made: Played | None, coming: bytes) -> Any:
    if line.verdict is not None:
        digest = bytes(range(32)) if line.of else coming
        question = "Is this meant?" if line.verdict is Verdict.ROUTE_TO_HUMAN else ""
        return VerdictGiven(
            proposal=digest, verdict=line.verdict, reason=line.verdict.value, question=question
        )
    if line.approve is not None:
        digest = proposal_digest(made.proposal) if made is not None else NO_DIGEST
        decided = Decision.APPROVE if line.approve else Decision.DENY
        return ApprovalDecided(proposal=bytes(range(32)) if line.of else digest, decision=decided)
    if line.halt is not None:
        return HaltEngaged(scope=line.halt, target=_target(line.halt, line, case), reason="case")
    if line.release is not None:
        target = _target(line.release, line, case)
        return HaltReleased(scope=line.release, target=target, reason="case")
    if line.revoke == "lease":
        return LeaseRevoked(reason="case")
    if line.revoke == "rep":
        return RepRevoked(rep="maya", reason="case")
    return ObservationRecorded(
        source=line.source,
        content=plain(line.observe),
        trust=line.trust,
        sensitivity=line.sensitivity,
    )


def _target(scope: HaltScope, line: Line, case: Attack | Honest) -> str:
    own = {HaltScope.RUN: "run-1", HaltScope.REP: "maya", HaltScope.AGENT: "assistant"}
    return line.target or own.get(scope, "")


def _answered(recording: Recording, line: Line, made: Played, records: Any) -> Recording:
    if made.result.result is LayerResult.REFUSE:
        return recording
    content = line.gives
    if line.record:
        over = line.gives if isinstance(line.gives, dict) else {}
        content = {**records[line.record], **over}
    tool = next((one for one in recording.policy.tools if one.name == line.propose), None)
    if line.failed and tool is not None and made.result.result is LayerResult.PASS:
        undone = failed(recording.memory, tool, value_of(made.proposal.arguments))
        recording = msgspec.structs.replace(recording, memory=undone)
    if content is None:
        return recording
    body = ObservationRecorded(
        source=line.source if line.source != "inbound" else line.propose,
        content=plain(content),
        answers=made.proposal.number,
    )
    return advance(recording, Step(body=body, at=recording.now))


def _owned(owned: dict[str, Owner]) -> Map[str, Destination]:
    return Map(
        {
            domain: Destination(
                domain=domain,
                added=NOW - 30 * 86_400 * SECOND,
                expires=NOW + owner.expires * SECOND,
                fingerprint=bytes(32),
                checked=NOW + owner.checked * SECOND,
                changed=owner.changed,
            )
            for domain, owner in owned.items()
        }
    )


def _passes(case: Case) -> Word:
    return passed("switched off")
