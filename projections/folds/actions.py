"""Proposals, verdicts, the gate's decisions layer by layer, approvals, actions, receipts. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from bus.decider import Recorded
from projections.rows import Row
from schemas import actions
from schemas.actions import LayerOutcome, Receipt

ACTION_EVENTS: Final = frozenset(
    {
        *(actions.ProposalMade, actions.VerdictGiven),
        *(actions.ApprovalRequested, actions.ApprovalDecided),
        *(actions.ActionStarted, actions.ActionRefused, actions.ActionFinished),
        *(actions.ReceiptIssued, actions.ModelCalled),
    }
)
"""What has a word on a proposal, or on what became of it."""


def action_rows(recorded: Recorded) -> Iterator[Row]:
    """What the event says of one proposal's way to its receipt."""
    index, event, body = recorded.index, recorded.event, recorded.event.body
    match body:
        case actions.ProposalMade():
            values = {
                "digest": recorded.digest,
                "index": index,
                "event": event.id,
                "run": event.run,
                "number": body.number,
                "tool": body.tool,
                "at": event.at,
                "state": "made",
            }
            yield Row("proposals", values)
        case actions.VerdictGiven():
            values = {
                "index": index,
                "proposal": body.proposal,
                "run": event.run,
                "verdict": body.verdict.value,
                "reason": body.reason,
                "question": body.question,
                "judge": event.actor.instance,
                "at": event.at,
            }
            yield Row("verdicts", values)
        case actions.ApprovalRequested():
            values = {
                "proposal": body.proposal,
                "run": event.run,
                "tool": body.tool,
                "question": body.question,
                "requested_at": event.at,
                "expires": body.expires,
                "index": index,
            }
            yield Row("approvals", values)
            yield from _decision(recorded, body, "held", body.question, None)
        case actions.ApprovalDecided():
            values = {
                "proposal": body.proposal,
                "decision": body.decision.value,
                "note": body.note,
                "decided_by": event.actor.instance,
                "decided_at": event.at,
            }
            yield Row("approvals", values, first=True)
        case actions.ActionStarted():
            values = {
                "digest": recorded.digest,
                "index": index,
                "key": event.id,
                "proposal": body.proposal,
                "run": event.run,
                "tool": body.tool,
                "arguments": body.arguments,
                "started_at": event.at,
            }
            yield Row("actions", values)
            yield from _decision(recorded, body, "started", None, None)
        case actions.ActionRefused():
            yield from _decision(recorded, body, "refused", body.reason, body.fix)
        case actions.ActionFinished():
            values = {
                "digest": body.action,
                "outcome": body.outcome.value,
                "evidence": body.evidence,
                "detail": body.detail,
                "reconciled": body.reconciled,
                "finished_at": event.at,
            }
            yield Row("actions", values)
            yield Row("proposals", {"digest": body.proposal, "state": "finished"})
        case actions.ReceiptIssued():
            yield _receipt(recorded, body)
        case actions.ModelCalled():
            values = {
                "index": index,
                "run": event.run,
                "request": body.request,
                "model": body.model,
                "input_tokens": body.input_tokens,
                "output_tokens": body.output_tokens,
                "cost": body.cost,
                "error": body.error,
                "at": event.at,
            }
            yield Row("model_calls", values)
        case _:
            return


def _decision(
    recorded: Recorded,
    body: actions.ApprovalRequested | actions.ActionStarted | actions.ActionRefused,
    decision: str,
    reason: str | None,
    fix: str | None,
) -> Iterator[Row]:
    values = {
        "index": recorded.index,
        "proposal": body.proposal,
        "run": recorded.event.run,
        "tool": body.tool,
        "decision": decision,
        "reason": reason,
        "fix": fix,
        "at": recorded.event.at,
    }
    yield Row("decisions", values)
    yield Row("proposals", {"digest": body.proposal, "state": decision})
    yield from _layers(recorded.index, body.layers)


def _layers(index: int, layers: Iterable[LayerOutcome]) -> Iterator[Row]:
    for layer in layers:
        values = {
            "index": index,
            "layer": layer.layer,
            "name": layer.name,
            "result": layer.result.value,
            "reason": layer.reason,
            "evidence": layer.evidence,
            "fix": layer.fix,
        }
        yield Row("layers", values)


_RECEIPT = msgspec.msgpack.Decoder(Receipt)


def _receipt(recorded: Recorded, body: actions.ReceiptIssued) -> Row:
    receipt = _RECEIPT.decode(body.receipt)
    values = {
        "index": recorded.index,
        "action": receipt.action,
        "run": receipt.run,
        "rep": receipt.rep,
        "agent": receipt.agent,
        "tool": receipt.tool,
        "outcome": receipt.outcome.value,
        "receipt": body.receipt,
        "mac": body.mac,
        "signature": body.signature,
        "at": receipt.at,
    }
    return Row("receipts", values)
