"""What stands of a run that was asked for all or nothing, and did neither: for a person to look at.

Pure, and from the ledger alone: neither the runtime's word nor its undoings count, but confirmed
receipts of actions. What is unknown, or still under way as a halt, the judge's stop or the lease's
end comes, may stand: an undoing among it may be confirmed a moment later.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from agents.orchestration import Deed, LiveRun, OrchestratorState
from bus.decider import Draft, Effect
from schemas.actions import ActionOutcome
from schemas.runs import RunCompleted, RunHalted, RunOutcome, RunRequested
from schemas.tools import Effect as EffectClass
from schemas.tools import Policy


def with_standing(state: OrchestratorState, answer: Draft | Effect) -> Draft | Effect:
    """The end of such a run, with the actions that stand; any other answer as it is."""
    run = state.runs.get(answer.run) if answer.run is not None else None
    if not isinstance(answer, Draft) or run is None or not together(run):
        return answer
    body = answer.body
    failed = isinstance(body, RunCompleted) and body.outcome is not RunOutcome.SUCCESS
    if not failed and not isinstance(body, RunHalted):
        return answer
    standing = tuple(sorted(_standing(run, state.policy)))
    return replace(answer, body=replace(body, standing=standing))


def unmade(run: LiveRun, policy: Policy | None) -> int:
    """How many effects the run began that are not confirmed, or that undid another."""
    return sum(
        proposal in run.undoings or deed.outcome is not ActionOutcome.CONFIRMED
        for proposal, deed in run.deeds.items()
        if not _reads(deed, policy)
    )


def together(run: LiveRun) -> bool:
    """Whether its rep asked for all or nothing."""
    request = run.request.event.body
    return isinstance(request, RunRequested) and request.intent.together


def _standing(run: LiveRun, policy: Policy | None) -> Iterator[bytes]:
    undone = {
        target
        for proposal, target in run.undoings.items()
        if proposal in run.deeds and run.deeds[proposal].outcome is ActionOutcome.CONFIRMED
    }
    for proposal, deed in run.deeds.items():
        if proposal in run.undoings or proposal in undone or _reads(deed, policy):
            continue
        if deed.outcome is not ActionOutcome.FAILED:
            yield deed.started


def _reads(deed: Deed, policy: Policy | None) -> bool:
    tools = policy.tools if policy is not None else ()
    return any(tool.name == deed.tool and tool.effect is EffectClass.READ for tool in tools)
