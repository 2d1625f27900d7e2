"""Layer 14, review: the judge's verdict for exactly this digest, and a person's where needed.

A verdict other than approval never passes by itself. Where the judge routes to a person, a
layer holds, or policy reserves the effect to people, only an approval of this proposal by a
person passes: rep or admin, signed with their own key, bound to the digest, in time. Where policy
wants four eyes, it is two people's, and the rep whose run it is is neither; where it wants a
passkey, an approval that lacks one refuses.
"""

from typing import Final

from schemas.actions import ApprovalDecided, Decision, LayerOutcome, Verdict, VerdictGiven
from sidecar.gate.outcome import Case, Word, hold, not_asked, passed, refuse
from sidecar.gate.stepping_up import lacking, wanted

_BY_HAND: Final = "`anyteam approve` or `anyteam deny`"
_BY_KEY: Final = "approve it in the console, with a passkey"
_IN_THE_CONSOLE: Final = "propose again, and approve it in the console with an admitted passkey"


def review(case: Case, held: LayerOutcome | None = None) -> Word:
    """The verdict, then the person. `held` is the first layer that holds, if one does."""
    verdict = case.verdict.event.body if case.verdict is not None else None
    if not isinstance(verdict, VerdictGiven) or verdict.proposal != case.recorded.digest:
        if not case.reviewed:
            return _person(case, held, "") if held or _reserved(case) else not_asked("no judge")
        return refuse("no verdict for this proposal", fix="see why the judge did not answer")
    if verdict.verdict is Verdict.STOP:
        return refuse(f"the judge stopped the run: {verdict.reason}")
    if verdict.verdict is Verdict.CHANGE_PLAN:
        return refuse(
            f"the judge wants another plan: {verdict.reason}",
            fix="propose again with the judge's change",
        )
    if verdict.verdict is Verdict.APPROVE and held is None and not _reserved(case):
        return passed(f"approved by the run's judge: {verdict.reason}")
    return _person(case, held, verdict.question)


def _reserved(case: Case) -> bool:
    """Whether policy reserves the effect to people."""
    tool, policy = case.tool, case.policy
    if tool is None or policy is None:
        return False
    return tool.effect in policy.human_effects or tool.effect in policy.four_eyes or wanted(case)


def people(case: Case) -> int:
    """How many people must approve, where any must."""
    tool, policy = case.tool, case.policy
    both = tool is not None and policy is not None and tool.effect in policy.four_eyes
    return 2 if both else 1


def _person(case: Case, held: LayerOutcome | None, question: str) -> Word:
    if people(case) > 1:
        return _four_eyes(case, held, question)
    approval = case.approval.event.body if case.approval is not None else None
    if not isinstance(approval, ApprovalDecided) or approval.proposal != case.recorded.digest:
        if case.approval_until is not None and case.now >= case.approval_until:
            return refuse("expired: nobody answered in time", fix="propose again, and answer")
        return _ask(case, held, question)
    person = case.approval.event.actor.instance if case.approval is not None else ""
    if _too_late(case):
        return refuse(f"expired: {person} answered too late", fix="propose again, and answer")
    if approval.decision is not Decision.APPROVE:
        return _declined(person, approval)
    if case.approval is not None and (lack := lacking(case, case.approval)):
        return refuse(lack, fix=_IN_THE_CONSOLE)
    return passed(f"approved by {person}")


def _four_eyes(case: Case, held: LayerOutcome | None, question: str) -> Word:
    """Two people's approval; one denial, of anybody who may answer, is enough."""
    until = case.approval_until
    rep = case.lease.rep if case.lease is not None else ""
    approved: list[str] = []
    for answer in (case.approval, *case.more):
        said = answer.event.body if answer is not None else None
        if answer is None or not isinstance(said, ApprovalDecided):
            continue
        if said.proposal != case.recorded.digest or (until and answer.event.at >= until):
            continue
        person = answer.event.actor.instance
        if said.decision is not Decision.APPROVE:
            return _declined(person, said)
        if person == rep or person in approved:
            continue
        if lack := lacking(case, answer):
            return refuse(lack, fix=_IN_THE_CONSOLE)
        approved.append(person)
    if len(approved) > 1:
        return passed(f"approved by {' and '.join(approved)}")
    if until is not None and case.now >= until:
        so_far = f"only {approved[0]}" if approved else "nobody"
        return refuse(f"expired: {so_far} approved in time", fix="propose again, and answer")
    return _ask(case, held, question, f"two people must approve, neither of them {rep}: ")


def _declined(person: str, said: ApprovalDecided) -> Word:
    if said.decision is Decision.CHANGE:
        fix = "propose again, as they asked"
        return refuse(f"{person} wants another plan", evidence=said.note, fix=fix)
    return refuse(f"denied by {person}", evidence=said.note)


def _ask(case: Case, held: LayerOutcome | None, question: str, before: str = "") -> Word:
    asked = question or (held.reason if held else f"May the agent use {case.proposal.tool}?")
    evidence = f"layer {held.layer} ({held.name}) holds" if held is not None else ""
    return hold(before + asked, evidence=evidence, fix=_BY_KEY if wanted(case) else _BY_HAND)


def _too_late(case: Case) -> bool:
    """Whether the answer is dated after the time for it: the gate may read it only then."""
    until, answer = case.approval_until, case.approval
    return until is not None and answer is not None and answer.event.at >= until
