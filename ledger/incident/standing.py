"""How a workspace stands after some entry, folded from verified events alone; and what changed.

Pure, and of no decider: a responder's view must not rest on the state that is under suspicion.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from bus.decider import Entry, Recorded
from schemas import destinations as d
from schemas.actions import ActionStarted, ModelCalled
from schemas.memories import MemoryForgotten, MemoryRetained, MemoryWithdrawn
from schemas.runs import (
    HaltReleased,
    KeyCertified,
    KeyRevoked,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    PolicySet,
    RepActivated,
    RepRevoked,
    RunCompleted,
    RunHalted,
    RunRefused,
    RunRequested,
)
from schemas.supervision import halted_by

_ENDED = (RunCompleted, RunHalted, RunRefused)


class Changed(Struct, frozen=True, kw_only=True):
    """One thing that stands otherwise; None where it does not stand at all."""

    area: str
    name: str
    before: Any
    after: Any


def standing(known: Iterable[Entry]) -> dict[tuple[str, str], Any]:
    """What stands, by (area, name): policy, reps, keys, runs, leases, halts, destinations, memory,
    and what was used: actions by tool, and models' tokens and cost."""
    found: dict[tuple[str, str], Any] = {}
    for entry in known:
        if isinstance(entry, Recorded):
            _fold(found, entry)
    return found


def changes(
    before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any]
) -> tuple[Changed, ...]:
    """What differs between two standings, sorted."""
    return tuple(
        Changed(area=key[0], name=key[1], before=before.get(key), after=after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _fold(found: dict[tuple[str, str], Any], entry: Recorded) -> None:
    body, run = entry.event.body, entry.event.run or ""
    halted = halted_by(body)
    if halted is not None:
        scope, target, reason = halted
        found["halt", f"{scope.value} {target}".strip()] = reason
    elif isinstance(body, HaltReleased):
        found.pop(("halt", f"{body.scope.value} {body.target}".strip()), None)
    elif isinstance(body, PolicySet):
        _policy(found, body)
    elif isinstance(body, RepActivated | RepRevoked):
        found["rep", body.rep] = "active" if isinstance(body, RepActivated) else "revoked"
    elif isinstance(body, KeyCertified):
        held = body.certificate
        found["key", held.key_id.hex()] = f"{held.role.value}/{held.instance}"
    elif isinstance(body, KeyRevoked):
        found.pop(("key", body.key_id.hex()), None)
    elif isinstance(body, RunRequested):
        found["run", run] = f"{body.rep}, by {body.agent}"
    elif isinstance(body, LeaseGranted | LeaseRenewed):
        found["lease", run] = {"tools": body.lease.tools, "not_after": body.lease.not_after}
    elif isinstance(body, LeaseRevoked | LeaseExpired):
        found.pop(("lease", run), None)
    elif isinstance(body, _ENDED):
        found.pop(("run", run), None)
        found.pop(("lease", run), None)
    elif isinstance(body, ActionStarted):
        _add(found, "actions", body.tool, 1)
    elif isinstance(body, ModelCalled):
        _add(found, "model", "tokens", body.input_tokens + body.output_tokens)
        _add(found, "model", "cost", body.cost)
    else:
        _remembered(found, body)


def _remembered(found: dict[tuple[str, str], Any], body: object) -> None:
    if isinstance(body, MemoryRetained):
        found["memory", body.claim] = f"{body.rep}, {body.trust.value}"
    elif isinstance(body, MemoryForgotten | MemoryWithdrawn):
        found.pop(("memory", body.claim), None)
    elif isinstance(body, d.DestinationAllowed | d.DestinationReadmitted):
        found["destination", body.domain] = "allowed"
    elif isinstance(body, d.DestinationBlocked):
        found["destination", body.domain] = "blocked"
    elif isinstance(body, d.DestinationExpired):
        found["destination", body.destination] = "expired"


def _policy(found: dict[tuple[str, str], Any], body: PolicySet) -> None:
    for key in [key for key in found if key[0] == "policy"]:
        del found[key]
    said = msgspec.to_builtins(body.policy)
    for tool in said.pop("tools"):
        found["policy", f"tool {tool['name']}"] = tool
    for name, value in said.items():
        found["policy", name] = value


def _add(found: dict[tuple[str, str], Any], area: str, name: str, more: int) -> None:
    found[area, name] = found.get((area, name), 0) + more
