"""Layer 2, lease: in force, within the signed policy, and asked for by the rep.

The gate does not take the orchestrator's word: it holds the lease against the rep's own
signed request and against the workspace's signed policy, so that a hijacked orchestrator
can grant nothing wider than both.
"""

from schemas.leases import Lease
from schemas.names import SECOND, Role
from schemas.runs import RunRequested
from schemas.tools import Policy
from sidecar.gate.outcome import Case, Word, passed, refuse


def lease(case: Case) -> Word:
    """Time, revocation, rep, request and policy."""
    granted, policy = case.lease, case.policy
    if granted is None or policy is None:
        return refuse("no lease is in force for this run", fix="request the run anew")
    if case.lease_ended:
        return refuse(f"the lease has ended: {case.lease_ended}", fix="request a new run")
    if not granted.not_before <= case.now < granted.not_after:
        return refuse("the lease is outside its time", fix="request a new run")
    if not case.rep_active:
        return refuse(f"rep {granted.rep} is not active", fix="activate the rep, or ask another")
    wider = wider_than_policy(granted, policy) or wider_than_request(granted, case)
    if wider:
        return refuse(wider, evidence=f"lease of run {granted.run}, attempt {granted.attempt}")
    if case.actions >= granted.max_actions:
        return refuse(f"the lease allows {granted.max_actions} actions and has had them")
    return passed(f"until {granted.not_after}, action {case.actions + 1}/{granted.max_actions}")


def wider_than_policy(granted: Lease, policy: Policy) -> str:
    """In what the lease exceeds the policy, or an empty string."""
    unknown = sorted(set(granted.tools).difference([tool.name for tool in policy.tools]))
    if unknown:
        return f"the lease names tools that policy does not: {', '.join(unknown)}"
    if policy.agents and granted.agent not in policy.agents:
        return f"the lease is for agent {granted.agent}, which policy does not list"
    if granted.not_after - granted.not_before > policy.max_ttl_s * SECOND:
        return f"the lease lasts longer than policy's {policy.max_ttl_s} s"
    if granted.max_actions > policy.max_actions:
        return f"the lease allows more actions than policy's {policy.max_actions}"
    return ""


def wider_than_request(granted: Lease, case: Case) -> str:
    """In what the lease exceeds the request it answers, or an empty string."""
    recorded = case.request
    if recorded is None or recorded.digest != granted.request:
        return "the lease answers no signed request of this run"
    request = recorded.event.body
    if not isinstance(request, RunRequested) or recorded.event.actor.role is not Role.REP:
        return "the lease answers something that is not a rep's request"
    if granted.rep != request.rep or granted.agent != request.agent:
        return "the lease is for another rep or agent than the request"
    if granted.intent != request.intent:
        return "the lease declares another intent than the request"
    if set(granted.tools) - set(request.tools):
        return "the lease names tools that the rep did not ask for"
    if granted.not_after - granted.not_before > request.ttl_s * SECOND:
        return "the lease lasts longer than the rep asked for"
    if granted.max_actions > request.max_actions:
        return "the lease allows more actions than the rep asked for"
    return ""
