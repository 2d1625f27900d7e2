"""Layer 14, review: the judge's verdict for exactly this digest, and a person's where needed.

A verdict other than approval never passes by itself. `route_to_human`, or an effect that
policy reserves to people, passes only with an approval of this proposal by a person
other than the agents: rep or admin, signed with their own key.
"""

from schemas.actions import ApprovalDecided, Decision, Verdict, VerdictGiven
from sidecar.gate.outcome import Case, Word, hold, passed, refuse


def review(case: Case) -> Word:
    """The verdict, then the person."""
    verdict = case.verdict.event.body if case.verdict is not None else None
    if not isinstance(verdict, VerdictGiven) or verdict.proposal != case.recorded.digest:
        return refuse("no verdict for this proposal", fix="see why the judge did not answer")
    if verdict.verdict is Verdict.STOP:
        return refuse(f"the judge stopped the run: {verdict.reason}")
    if verdict.verdict is Verdict.CHANGE_PLAN:
        return refuse(
            f"the judge wants another plan: {verdict.reason}",
            fix="propose again with the judge's change",
        )
    reserved = (
        case.tool is not None
        and case.policy is not None
        and case.tool.effect in case.policy.human_effects
    )
    if verdict.verdict is Verdict.APPROVE and not reserved:
        return passed(f"approved by the run's judge: {verdict.reason}")
    approval = case.approval.event.body if case.approval is not None else None
    if not isinstance(approval, ApprovalDecided) or approval.proposal != case.recorded.digest:
        if case.approval_until is not None and case.now >= case.approval_until:
            return refuse("expired: nobody answered in time", fix="propose again, and answer")
        question = verdict.question or f"May the agent use {case.proposal.tool}?"
        return hold(question, evidence=verdict.reason, fix="`anyteam approve` or `anyteam deny`")
    person = case.approval.event.actor.instance if case.approval is not None else ""
    if approval.decision is Decision.DENY:
        return refuse(f"denied by {person}", evidence=approval.note)
    return passed(f"approved by {person}")
