"""Proposals that have no decision yet, and when each stops waiting. Pure.

The first verdict and question count, and the first answer of each person. When the first proposal
of each run is due is kept beside the runs, since it is asked after every event: looking through all
that wait would have each event cost as much as there are runs.
"""

from collections.abc import Mapping

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from schemas.actions import ApprovalDecided, ApprovalRequested, VerdictGiven
from schemas.names import SECOND
from schemas.tools import Policy


class Open(Struct, frozen=True, kw_only=True):
    """A proposal that has no decision yet. `approval` is the first answer, `more` those of other
    people after it."""

    proposal: Recorded
    repeated: bool
    verdict: Recorded | None = None
    asked: Recorded | None = None
    approval: Recorded | None = None
    more: tuple[Recorded, ...] = ()


Dues = Map[str, int]
"""By run, when (ns) the first of its open proposals stops waiting."""


def due(waiting: Open, policy: Policy) -> int:
    """When (ns) an open proposal stops waiting for its verdict, or for its person."""
    asked = waiting.asked.event.body if waiting.asked is not None else None
    if isinstance(asked, ApprovalRequested):
        return asked.expires
    return waiting.proposal.event.at + policy.verdict_s * SECOND


def with_run(dues: Dues, run: str, proposals: Mapping[bytes, Open], policy: Policy | None) -> Dues:
    """`dues` once these are the open proposals of `run`. Nothing is due without a policy."""
    first = None
    if policy is not None and proposals:
        first = min([due(waiting, policy) for waiting in proposals.values()])
    if first is None:
        return dues.delete(run) if run in dues else dues
    return dues if dues.get(run) == first else dues.set(run, first)


def answered(waiting: Open, entry: Recorded) -> Open:
    """The proposal after an entry that answers it."""
    body = entry.event.body
    if isinstance(body, VerdictGiven) and waiting.verdict is None:
        return _replace(waiting, verdict=entry)
    if isinstance(body, ApprovalRequested) and waiting.asked is None:
        return _replace(waiting, asked=entry)
    if isinstance(body, ApprovalDecided) and waiting.asked is not None:
        if waiting.approval is None:
            return _replace(waiting, approval=entry)
        before = {one.event.actor.instance for one in (waiting.approval, *waiting.more)}
        if entry.event.actor.instance not in before:
            return _replace(waiting, more=(*waiting.more, entry))
    return waiting


_replace = msgspec.structs.replace
