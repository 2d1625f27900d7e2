"""How one run's calls become facts for the gate's own copy of the pattern engine."""

from collections.abc import Mapping
from typing import Any

import msgspec

from classify.credentials import credentials_in
from schemas.leases import Lease
from schemas.names import Classification
from schemas.patterns import FactKind
from schemas.tools import Policy, Tool, Trust
from sidecar.gate.grounding import Ground, ground_destination
from sidecar.gate.knowledge import Knowledge
from sidecar.gate.parts import destinations, parts
from sidecar.gate.wish import Wish
from sidecar.supervision.calls import call_fact
from sidecar.supervision.engine import Fact, SupervisionState, watching
from sidecar.supervision.patterns import DEFAULT_PATTERNS

_LOOKED_AT = 256 * 1024


def under(policy: Policy, state: SupervisionState) -> SupervisionState:
    """The engine's state under a policy's patterns, or the built-in ones."""
    return watching(state, policy.patterns if policy.patterns is not None else DEFAULT_PATTERNS)


def proposed_fact(
    known: Knowledge,
    wish: Wish,
    tool: Tool,
    arguments: Mapping[str, Any],
    *,
    lease: Lease,
    policy: Policy,
    at: int,
    digest: bytes,
) -> Fact:
    """The call as the fact it would be."""
    reached = destinations(parts(tool, arguments))
    named = all(ground_destination(known, wish, one).ground >= Ground.OWN for one in reached)
    return call_fact(
        tool,
        arguments,
        lease=lease,
        policy=policy,
        at=at,
        digest=digest,
        named=named if reached else None,
    )


def read_fact(fact: Fact, content: object) -> Fact:
    """The fact of a read, once its result is known: whether a secret stood in it."""
    text = content if isinstance(content, str) else msgspec.json.encode(content).decode()
    return msgspec.structs.replace(fact, credential=bool(credentials_in(text[:_LOOKED_AT])))


def arrival_fact(
    lease: Lease,
    content: object,
    sensitivity: Classification,
    *,
    trust: Trust,
    at: int,
    digest: bytes,
) -> Fact:
    """Something that came by itself."""
    fact = Fact(
        run=lease.run,
        rep=lease.rep,
        agent=lease.agent,
        at=at,
        kind=FactKind.ARRIVAL,
        digest=digest,
        sensitivity=sensitivity,
        trust=trust,
    )
    return read_fact(fact, content)


def answer_fact(
    lease: Lease, kind: FactKind, tool: str, layers: tuple[int, ...], *, at: int, digest: bytes
) -> Fact:
    """The gate's own refusal or hold, or a person's approval."""
    return Fact(
        run=lease.run,
        rep=lease.rep,
        agent=lease.agent,
        at=at,
        kind=kind,
        digest=digest,
        tool=tool,
        layers=layers,
    )
