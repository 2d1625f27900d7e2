"""What stands: policy, people, keys, halts, flags, destinations, memory, erasures. Pure."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bus.decider import Recorded
from projections.rows import Row
from schemas import destinations, memories, runs
from schemas.erasure import ContentErased
from schemas.leases import Certificate
from schemas.patterns import Response
from schemas.runs import HaltScope
from schemas.supervision import SupervisorFlagged

STANDING_EVENTS: Final = frozenset(
    {
        *(runs.PolicySet, runs.RepActivated, runs.RepRevoked),
        *(runs.KeyCertified, runs.KeyRevoked, runs.LeaseGranted, runs.LeaseRenewed),
        *(runs.HaltEngaged, runs.HaltReleased, SupervisorFlagged, ContentErased),
        *(memories.MemoryRetained, memories.MemoryForgotten, memories.MemoryWithdrawn),
        *(destinations.DestinationAllowed, destinations.DestinationRevalidated),
        *(destinations.DestinationUnverified, destinations.DestinationBlocked),
        *(destinations.DestinationReadmitted, destinations.DestinationExpired),
    }
)
"""What changes what stands."""


def standing_rows(recorded: Recorded) -> Iterator[Row]:
    """What the event says stands from here on."""
    index, event, body = recorded.index, recorded.event, recorded.event.body
    now: dict[str, Any] = {"at": event.at, "index": index}
    match body:
        case runs.PolicySet():
            policy = {"version": body.policy.version, "policy": msgspec.to_builtins(body.policy)}
            yield Row("policies", policy | now)
        case runs.RepActivated():
            yield Row("reps", {"rep": body.rep, "active": True} | now)
        case runs.RepRevoked():
            yield Row("reps", {"rep": body.rep, "active": False, "reason": body.reason} | now)
        case runs.KeyCertified():
            yield _key(body.certificate, index)
        case runs.LeaseGranted() | runs.LeaseRenewed():
            for certificate in body.lease.keys:
                yield _key(certificate, index)
        case runs.KeyRevoked():
            yield Row("keys", {"key_id": body.key_id, "revoked": index, "reason": body.reason})
        case runs.HaltEngaged():
            by = event.actor.instance
            yield _halt(body.scope, body.target, body.reason, by, event.at, index)
        case runs.HaltReleased():
            values = {
                "scope": body.scope.value,
                "target": body.target,
                "released": index,
                "released_by": event.actor.instance,
                "released_at": event.at,
                "released_because": body.reason,
            }
            yield Row("halts", values)
        case SupervisorFlagged():
            flag: dict[str, Any] = {
                "pattern": body.pattern,
                "response": body.response.value,
                "scope": body.scope.value,
                "target": body.target,
                "reason": body.reason,
                "evidence": list(body.evidence),
            }
            yield Row("flags", flag | now)
            if body.response is Response.HALT:
                by = event.actor.instance
                yield _halt(body.scope, body.target, body.reason, by, event.at, index)
        case memories.MemoryRetained() | memories.MemoryForgotten() | memories.MemoryWithdrawn():
            yield _claim(recorded, now)
        case ContentErased():
            for field in body.fields:
                values = {"event": field.event, "name": field.name, "run": field.run}
                yield Row("erasures", values | {"index": index})
        case _:
            yield from _destination(body, now)


def _key(certificate: Certificate, index: int) -> Row:
    values = {
        "key_id": certificate.key_id,
        "role": certificate.role.value,
        "instance": certificate.instance,
        "run": certificate.run,
        "rep": certificate.rep,
        "public_key": certificate.public_key,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "index": index,
    }
    return Row("keys", values)


def _halt(scope: HaltScope, target: str, reason: str, by: str, at: int, index: int) -> Row:
    values = {
        "scope": scope.value,
        "target": target,
        "engaged": index,
        "engaged_by": by,
        "engaged_at": at,
        "reason": reason,
    }
    return Row("halts", values)


def _claim(recorded: Recorded, now: dict[str, Any]) -> Row:
    event, body = recorded.event, recorded.event.body
    if isinstance(body, memories.MemoryRetained):
        values = {
            "claim": body.claim,
            "event": event.id,
            "run": event.run,
            "rep": body.rep,
            "agent": body.agent,
            "trust": body.trust.value,
            "sensitivity": body.sensitivity.value,
            "state": "retained",
        }
        return Row("memory_claims", values | now)
    assert isinstance(body, memories.MemoryForgotten | memories.MemoryWithdrawn)
    state = "forgotten" if isinstance(body, memories.MemoryForgotten) else "withdrawn"
    return Row("memory_claims", {"claim": body.claim, "state": state} | now)


def _destination(body: object, now: dict[str, Any]) -> Iterator[Row]:
    values: dict[str, Any]
    match body:
        case destinations.DestinationAllowed():
            values = {"state": "allowed", "what": "", **_owner(body)}
        case destinations.DestinationRevalidated():
            values = {"state": "allowed", "what": body.drift, **_owner(body)}
        case destinations.DestinationUnverified():
            values = {"destination": body.domain, "state": "unverified", "what": body.reason}
        case destinations.DestinationBlocked():
            values = {"state": "blocked", "what": body.what, **_owner(body)}
        case destinations.DestinationReadmitted():
            values = {
                "destination": body.domain,
                "state": "readmitted",
                "what": body.reason,
                "fingerprint": body.fingerprint,
            }
        case destinations.DestinationExpired():
            values = {"destination": body.destination, "state": "expired", "what": ""}
        case _:
            return
    yield Row("destinations", values | now)


def _owner(
    body: destinations.DestinationAllowed
    | destinations.DestinationRevalidated
    | destinations.DestinationBlocked,
) -> dict[str, Any]:
    return {
        "destination": body.domain,
        "fingerprint": body.fingerprint,
        "owner": msgspec.to_builtins(body.owner),
    }
