"""Folding verified events into spans and measures: one trace an action, one span a hop.

    gated action     runtime        proposal to receipt, refusal, or the run's end
      judge          judge          proposal to verdict
      approval       console        question to a person's answer
      gate           sidecar        the last thing the gate waited for, to its decision
      execute        sidecar        written ahead to read back
      receipt        sidecar        read back to receipt

State is bounded by the proposals that are under way. Pure.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from bus.decider import Recorded
from ledger.telemetry import observed as o
from ledger.telemetry.observed import Attributes, Measure, Span, Told
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    EntryRejected,
    LayerOutcome,
    LayerResult,
    ModelCalled,
    ProposalMade,
    Receipt,
    ReceiptIssued,
    VerdictGiven,
)
from schemas.authority import AUTHORITY
from schemas.events import Event
from schemas.runs import RunCompleted, RunHalted
from schemas.supervision import SupervisorFlagged
from schemas.witnesses import WitnessRefused

_RECEIPT: Final = msgspec.msgpack.Decoder(Receipt)


class _Live(Struct):
    """An action under way: when each thing was said (ns), 0 before it was."""

    run: str
    tool: str
    proposed: int
    waited: int
    asked: int = 0
    started: int = 0
    finished: int = 0
    outcome: str = ""


class Telemetry:
    """Folds a ledger in order, from any entry on; what came before is told as far as it shows."""

    def __init__(self) -> None:
        self._live: dict[bytes, _Live] = {}
        self._proposal: dict[bytes, bytes] = {}

    @property
    def under_way(self) -> int:
        """How many actions are."""
        return len(self._live)

    def observe(self, recorded: Recorded) -> Iterator[Told]:
        """What the next verified entry adds."""
        body, event = recorded.event.body, recorded.event
        if isinstance(body, ProposalMade) and event.run is not None:
            self._live[recorded.digest] = _Live(event.run, body.tool, event.at, event.at)
        elif isinstance(body, ReceiptIssued):
            yield from self._receipt(recorded, body)
        elif isinstance(body, RunCompleted | RunHalted):
            outcome = body.outcome.value if isinstance(body, RunCompleted) else "halted"
            yield Measure(o.RUNS, 1, {"anyteam.outcome": outcome})
            yield from self._run_ended(recorded)
        elif isinstance(body, EntryRejected):
            yield Measure(o.REJECTED, 1, {})
        elif isinstance(body, SupervisorFlagged):
            yield Measure(o.FLAGS, 1, {"anyteam.pattern": body.pattern})
        elif isinstance(body, WitnessRefused):
            yield Measure(o.FLAGS, 1, {"anyteam.pattern": "witness-refused"})
        elif isinstance(body, ModelCalled):
            for kind, count in (("input", body.input_tokens), ("output", body.output_tokens)):
                attributes: Attributes = {
                    "gen_ai.request.model": body.model,
                    "gen_ai.token.type": kind,
                }
                yield Measure(o.TOKENS, count, attributes)
        else:
            proposal: bytes | None = getattr(body, "proposal", None)
            live = self._live.get(proposal) if proposal is not None else None
            if proposal is not None and live is not None:
                yield from self._step(recorded, proposal, live)

    def _step(self, recorded: Recorded, proposal: bytes, live: _Live) -> Iterator[Told]:
        body, event = recorded.event.body, recorded.event
        if isinstance(body, VerdictGiven):
            attributes: Attributes = {"anyteam.verdict": body.verdict.value}
            yield from _hop("judge", o.JUDGE_S, recorded, proposal, live.proposed, attributes)
            live.waited = max(live.waited, event.at)
        elif isinstance(body, ApprovalRequested):
            live.asked = live.asked or event.at
            yield Measure(o.DECISIONS, 1, _decision("hold", live.tool, body.layers))
        elif isinstance(body, ApprovalDecided):
            attributes = {"anyteam.decision": body.decision.value}
            asked = live.asked or live.proposed
            yield from _hop("approval", o.APPROVAL_S, recorded, proposal, asked, attributes)
            live.waited = max(live.waited, event.at)
        elif isinstance(body, ActionStarted):
            live.started = event.at
            self._proposal[recorded.digest] = proposal
            attributes = _decision("execute", live.tool, body.layers)
            yield Measure(o.DECISIONS, 1, attributes)
            yield from _hop("gate", o.GATE_S, recorded, proposal, live.waited, attributes)
        elif isinstance(body, ActionRefused):
            attributes = _decision("refuse", live.tool, body.layers)
            yield Measure(o.DECISIONS, 1, attributes)
            yield from _hop("gate", o.GATE_S, recorded, proposal, live.waited, attributes)
            yield self._root(proposal, live, event, "refused")
        elif isinstance(body, ActionFinished):
            live.finished, live.outcome = event.at, body.outcome.value
            attributes = {"anyteam.tool": live.tool, "anyteam.outcome": body.outcome.value}
            yield Measure(o.ACTIONS, 1, attributes)
            began, bad = live.started or live.waited, body.outcome is not ActionOutcome.CONFIRMED
            yield from _hop("execute", o.EXECUTE_S, recorded, proposal, began, attributes, bad)

    def _receipt(self, recorded: Recorded, body: ReceiptIssued) -> Iterator[Told]:
        try:
            action = _RECEIPT.decode(body.receipt).action
        except (ValueError, RecursionError):
            return
        proposal = self._proposal.get(action)
        live = self._live.get(proposal) if proposal is not None else None
        if proposal is None or live is None:
            return
        began = live.finished or live.started
        yield from _hop("receipt", o.RECEIPT_S, recorded, proposal, began, {})
        took = _seconds(live.proposed, recorded.event.at)
        yield Measure(o.WHOLE_S, took, {"anyteam.tool": live.tool})
        yield self._root(proposal, live, recorded.event, live.outcome)

    def _run_ended(self, recorded: Recorded) -> Iterator[Told]:
        run = recorded.event.run
        for proposal in [digest for digest, live in self._live.items() if live.run == run]:
            yield self._root(proposal, self._live[proposal], recorded.event, "unfinished")

    def _root(self, proposal: bytes, live: _Live, event: Event, outcome: str) -> Span:
        del self._live[proposal]
        for action in [one for one, of in self._proposal.items() if of == proposal]:
            del self._proposal[action]
        return Span(
            trace=o.trace_of(proposal),
            id=o.span_of(proposal, o.ROOT),
            parent=b"",
            name=o.ROOT,
            component="runtime",
            start=live.proposed,
            end=max(event.at, live.proposed),
            attributes={
                "anyteam.workspace": event.workspace,
                "anyteam.run": live.run,
                "anyteam.tool": live.tool,
                "anyteam.outcome": outcome,
            },
            failed=outcome in (ActionOutcome.FAILED.value, ActionOutcome.UNKNOWN.value),
        )


def _hop(
    name: str,
    measure: str,
    recorded: Recorded,
    proposal: bytes,
    start: int,
    attributes: Attributes,
    failed: bool = False,
) -> Iterator[Told]:
    event = recorded.event
    # Clocks of two processes need not agree to the microsecond.
    start = min(start, event.at)
    yield Measure(measure, _seconds(start, event.at), {})
    yield Span(
        trace=o.trace_of(proposal),
        id=o.span_of(recorded.digest, name),
        parent=o.span_of(proposal, o.ROOT),
        name=name,
        component="console" if name == "approval" else event.actor.role.value,
        start=start,
        end=event.at,
        attributes={
            **attributes,
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.destination.template": _template(event),
            "messaging.message.id": event.id,
            "anyteam.ledger.index": recorded.index,
        },
        failed=failed,
    )


def _decision(decision: str, tool: str, layers: tuple[LayerOutcome, ...]) -> Attributes:
    """What the gate decided, and by which layer: the first that refused, else the first to hold."""
    found: Attributes = {"anyteam.decision": decision, "anyteam.tool": tool}
    for result in (LayerResult.REFUSE, LayerResult.HOLD):
        decisive = next((one for one in layers if one.result is result), None)
        if decisive is not None:
            return {**found, "anyteam.layer": decisive.layer}
    return found


def _template(event: Event) -> str:
    topic: Any = AUTHORITY[event.type][0]
    return f"ws.{{workspace}}.run.{{run}}.{topic}"


def _seconds(start: int, end: int) -> float:
    return max(end - start, 0) / 1e9
