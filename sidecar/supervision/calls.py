"""Facts from a call as the gate sees it, opened: with destinations and records.

The sidecar observes these as it folds its ledger, and asks the engine about the next one
before it is done. Destinations are compared in one canonical form, so that case, a display
name or a tag in the address make no second destination.
"""

from collections.abc import Mapping
from typing import Any

from schemas.leases import Lease
from schemas.names import Classification
from schemas.patterns import FactKind
from schemas.tools import Effect, Policy, Tool
from sidecar.gate.domains import address_of, host_of
from sidecar.gate.normal import fold
from sidecar.gate.parts import Audience, Part, audience, destinations, parts
from sidecar.supervision.engine import Fact


def call_fact(
    tool: Tool,
    arguments: Mapping[str, Any],
    *,
    lease: Lease,
    policy: Policy,
    at: int,
    digest: bytes,
    named: bool | None,
    credential: bool = False,
    sensitivity: Classification | None = None,
) -> Fact:
    """The fact that this call is, done or only proposed.

    `named` says whether every destination is the rep's own (named by the intent, or in the
    rep's trusted records), None where it has none. `sensitivity` is what a read gave, where
    that is known to be more than the tool declares; `credential` whether a secret was in it.
    """
    reads = tool.effect is Effect.READ
    said = tuple(parts(tool, arguments))
    seen = audience(tool, said, policy)
    given = sensitivity or tool.classification
    return Fact(
        run=lease.run,
        rep=lease.rep,
        agent=lease.agent,
        at=at,
        kind=FactKind.READ if reads else FactKind.EFFECT,
        digest=digest,
        tool=tool.name,
        effect=tool.effect,
        outside=seen is Audience.OUTSIDE,
        named=named,
        destinations=tuple(canonical(one) for one in destinations(said)),
        objects=tuple(
            f"{tool.name} {fold(str(one.value))}" for one in said if one.part is Part.OBJECT
        ),
        sensitivity=given if reads else Classification.PUBLIC,
        credential=credential,
        trust=tool.trust if reads else None,
    )


def canonical(destination: str) -> str:
    """One form for all the ways in which a destination is written."""
    box = address_of(destination)
    if box is not None:
        return f"{box.local}@{box.host}"
    if "//" in destination or "." in destination:
        host = host_of(destination)
        if host is not None:
            return host
    return " ".join(fold(destination).split())
