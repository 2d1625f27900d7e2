"""What may be undone of a run that is to do all or nothing, and whether a proposal is just that.

Pure. The gate derives each undoing itself, from the signed policy and the action's own record; a
runtime's word for it is only ever compared. Each action is undone once.
"""

from typing import Any

from immutables import Map

from bus.decider import Recorded
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted, ProposalMade
from schemas.compensation import Undoing, undoing_of
from schemas.content import opened
from schemas.tools import Policy
from sidecar.remembering import called

Undoings = Map[bytes, Undoing]
"""What undoes each confirmed action, by its proposal, until that was begun."""


def after(known: Undoings, body: object, proposal: Recorded | None, policy: Policy) -> Undoings:
    """One more where an action is confirmed, one less where one is undone.

    `proposal` is the one that `body` answers, if it does.
    """
    made = proposal.event.body if proposal is not None else None
    if not isinstance(made, ProposalMade):
        return known
    if isinstance(body, ActionStarted):
        target = made.compensates
        return known.delete(target) if target is not None and target in known else known
    if not isinstance(body, ActionFinished) or body.outcome is not ActionOutcome.CONFIRMED:
        return known
    call = called(proposal, policy)
    if call is None:
        return known
    tool, arguments = call
    undoing = undoing_of(tool.compensation, arguments, opened(body.result))
    return known.set(body.proposal, undoing) if undoing is not None else known


def undoes(known: Undoings, proposal: ProposalMade, arguments: Any) -> bool:
    """Whether the proposal is exactly what undoes the action that it names."""
    if proposal.compensates is None:
        return False
    declared = known.get(proposal.compensates)
    return declared is not None and declared == Undoing(proposal.tool, arguments)
