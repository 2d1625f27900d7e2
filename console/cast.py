"""The cast: who decides what in an installation, for replay.

People, the root and runtimes are sources of facts: a runtime's proposals are what a brain
assumed hostile said, not decisions to derive again. A decider is imported where it is asked for:
the sidecar's brings the whole gate, and every command would wait for it.
"""

from typing import Any

from bus.decider import Decider
from schemas.events import Actor
from schemas.names import Role


def cast(actor: Actor, run: str | None) -> Decider[Any] | None:
    """The decider of an actor, or None for a source of facts."""
    if actor.role is Role.ORCHESTRATOR:
        from agents.orchestrator import OrchestratorDecider

        return OrchestratorDecider()
    if actor.role is Role.SIDECAR and actor.instance == "sidecar":
        from sidecar.decider import SidecarDecider

        return SidecarDecider(actor.instance)
    if actor.role is Role.SUPERVISOR:
        from sidecar.supervision.decider import SupervisorDecider

        return SupervisorDecider()
    if actor.role is Role.JUDGE and run is not None:
        from judge.decider import JudgeDecider

        return JudgeDecider(run, actor.instance)
    return None
