"""Facts from what is public in the ledger: what a watcher can know who holds no content key.

Which tool, what policy declares of it, which layers objected, how sensitive and from whom
what the run was given. Arguments and results are sealed, so destinations and records are
unknown here: a pattern that asks for them is left to the gate's own copy of the engine, and
what the gate then says in layer 13 is a fact here again.
"""

from typing import Final

import msgspec

from bus.decider import Recorded
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    LayerOutcome,
    LayerResult,
    ObservationRecorded,
)
from schemas.patterns import FactKind
from schemas.tools import Effect, Policy, Reach, Tool
from sidecar.supervision.engine import Fact

_QUIET: Final = (Effect.READ, Effect.MUTATION)


def fact_of(recorded: Recorded, rep: str, agent: str, policy: Policy | None) -> Fact | None:
    """The fact in an event of a run of that rep and agent; None where it holds none."""
    event = recorded.event
    body = event.body
    fact = Fact(
        run=event.run or "",
        rep=rep,
        agent=agent,
        at=event.at,
        kind=FactKind.ARRIVAL,
        digest=recorded.digest,
    )
    if isinstance(body, ObservationRecorded):
        return _replace(fact, sensitivity=body.sensitivity, trust=body.trust)
    if isinstance(body, ActionStarted):
        return _called(fact, body.tool, policy)
    if isinstance(body, ActionRefused):
        objecting = _objecting(body.layers, LayerResult.REFUSE)
        return _replace(fact, kind=FactKind.REFUSAL, tool=body.tool, layers=objecting)
    if isinstance(body, ApprovalRequested):
        objecting = _objecting(body.layers, LayerResult.HOLD)
        return _replace(fact, kind=FactKind.HOLD, tool=body.tool, layers=objecting)
    if isinstance(body, ApprovalDecided) and body.decision is Decision.APPROVE:
        return _replace(fact, kind=FactKind.APPROVAL)
    return None


def reach_of(tool: Tool) -> bool | None:
    """Whether a tool's effect is seen outside, as far as its declaration tells."""
    if tool.reach is Reach.OUTSIDE:
        return True
    if tool.reach is Reach.INSIDE:
        return False
    if tool.destinations:
        return None
    return tool.effect not in _QUIET


def _called(fact: Fact, name: str, policy: Policy | None) -> Fact:
    tools = policy.tools if policy is not None else ()
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        return _replace(fact, kind=FactKind.EFFECT, tool=name)
    known = _replace(fact, tool=name, effect=tool.effect, outside=reach_of(tool))
    if tool.effect is not Effect.READ:
        return _replace(known, kind=FactKind.EFFECT)
    return _replace(known, kind=FactKind.READ, sensitivity=tool.classification, trust=tool.trust)


def _objecting(layers: tuple[LayerOutcome, ...], result: LayerResult) -> tuple[int, ...]:
    return tuple(spoken.layer for spoken in layers if spoken.result is result)


_replace = msgspec.structs.replace
