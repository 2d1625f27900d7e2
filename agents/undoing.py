"""All or nothing: what a run that was asked for that does once not all of it can be done.

Pure. As soon as an effect has not come about, whatever the planner says, what was done before is
undone, the latest first, by what the tools' declarations name. Each undoing is a proposal like any
other. The orchestrator takes nobody's word for it: it says what stands from the ledger.
"""

from agents.planners.planner import Finish, History, Propose, Step, Turn
from schemas.compensation import undoing_of
from schemas.tools import Effect, Tool


def undoing(history: History) -> Turn | None:
    """The next thing to undo, or the end once there is nothing more; None while all is well."""
    tools = {tool.name: tool for tool in history.tools}
    begun = any(step.compensates is not None for step in history.steps)
    if not begun and not any(_missed(step, tools) for step in history.steps):
        return None
    return _next(history, tools)


def given_up(history: History) -> Turn:
    """The same for a planner that says itself that it has not succeeded."""
    return _next(history, {tool.name: tool for tool in history.tools})


def _next(history: History, tools: dict[str, Tool]) -> Turn:
    tried = {step.compensates for step in history.steps}
    for step in reversed(history.steps):
        if step.outcome != "confirmed" or step.compensates is not None or step.proposal in tried:
            continue
        tool = tools.get(step.tool)
        call = undoing_of(tool.compensation if tool else None, step.arguments, step.result)
        if call is not None and call.tool in tools:
            return Propose(
                tool=call.tool,
                arguments=call.arguments,
                purpose=f"undo {step.tool}: not all of what belongs together was done",
                compensates=step.proposal,
            )
    return Finish(success=False, summary="not all was done; what could be undone was")


def _missed(step: Step, tools: dict[str, Tool]) -> bool:
    """Whether it was to have an effect and has none, or may have none; one to come instead is no
    miss.
    """
    tool = tools.get(step.tool)
    reads = tool is not None and tool.effect is Effect.READ
    to_come = step.change is not None or bool(step.wanted)
    return step.outcome != "confirmed" and not reads and not to_come
