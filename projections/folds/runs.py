"""Runs, from request to end. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bus.decider import Recorded
from projections.rows import Row
from schemas import runs

RUN_EVENTS: Final = frozenset(
    {
        *(runs.RunRequested, runs.RunRefused, runs.RunStarted, runs.RunParked, runs.RunHalted),
        *(runs.RunCompleted, runs.LeaseGranted, runs.LeaseRenewed),
        *(runs.LeaseRevoked, runs.LeaseExpired),
    }
)
"""What has a word on a run."""


def run_rows(recorded: Recorded) -> Iterator[Row]:
    """What the event says of its run's life."""
    run = recorded.event.run
    values = _values(recorded) if run is not None else None
    if values is not None:
        # A rep may ask again under a run's name: that changes nothing of what was asked first.
        first = isinstance(recorded.event.body, runs.RunRequested)
        yield Row("runs", {"run": run, **values}, first)


def _values(recorded: Recorded) -> dict[str, Any] | None:
    event, body = recorded.event, recorded.event.body
    match body:
        case runs.RunRequested():
            return {
                "index": recorded.index,
                "rep": body.rep,
                "agent": body.agent,
                "intent": msgspec.to_builtins(body.intent),
                "tools": list(body.tools),
                "max_actions": body.max_actions,
                "request": recorded.digest,
                "requested_at": event.at,
                "state": "requested",
            }
        case runs.RunRefused():
            return {"state": "refused", "reason": body.reason, "ended_at": event.at}
        case runs.LeaseGranted() | runs.LeaseRenewed():
            lease = body.lease
            return {
                "rep": lease.rep,
                "agent": lease.agent,
                "intent": msgspec.to_builtins(lease.intent),
                "tools": list(lease.tools),
                "policy": lease.policy,
                "attempt": lease.attempt,
                "max_actions": lease.max_actions,
                "lease_from": lease.not_before,
                "lease_until": lease.not_after,
                "state": "leased",
            }
        case runs.LeaseRevoked():
            return {"lease_until": event.at, "reason": body.reason}
        case runs.LeaseExpired():
            return {"lease_until": body.not_after}
        case runs.RunStarted():
            return {
                "attempt": body.attempt,
                "confined_by": [wall.value for wall in body.confined_by],
                "started_at": event.at,
                "state": "running",
            }
        case runs.RunParked():
            return {"state": "parked"}
        case runs.RunHalted():
            return {"state": "halted", "reason": body.reason, "ended_at": event.at}
        case runs.RunCompleted():
            return {
                "state": "completed",
                "outcome": body.outcome.value,
                "reason": body.reason,
                "ended_at": event.at,
            }
        case _:
            return None
