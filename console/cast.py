"""The cast: who decides what in an installation, for replay.

People, the root and runtimes are sources of facts: a runtime's proposals are what a brain
assumed hostile said, not decisions to derive again.
"""

from typing import Any

from agents.orchestrator import OrchestratorDecider
from bus.decider import Decider
from judge.decider import JudgeDecider
from schemas.events import Actor
from schemas.names import Role
from sidecar.decider import SidecarDecider
from sidecar.supervision.decider import SupervisorDecider


def cast(actor: Actor, run: str | None) -> Decider[Any] | None:
    """The decider of an actor, or None for a source of facts."""
    if actor.role is Role.ORCHESTRATOR:
        return OrchestratorDecider()
    if actor.role is Role.SIDECAR and actor.instance == "sidecar":
        return SidecarDecider(actor.instance)
    if actor.role is Role.SUPERVISOR:
        return SupervisorDecider()
    if actor.role is Role.JUDGE and run is not None:
        return JudgeDecider(run, actor.instance)
    return None
