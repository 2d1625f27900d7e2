"""The judge's decider: one verdict for each proposal of its own run.

It sees the run's stream and the workspace's policy, holds no credential and calls no tool.
Rules speak on every proposal. Where the policy names a reviewer, a high-stakes proposal that
the rules did not stop is shown to that model too, by way of the bus; the stricter wins.
Proposals that an earlier attempt's judge answered are left alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Tick
from judge import state as fold
from judge.answer import FORM, Answer, Unusable, read
from judge.prompt import Prompt, prompt_for
from judge.review import ATTEMPTS, reviewed, unreviewed, unusable
from judge.rules import Judgement, high_stakes, judge
from judge.sources import Sources, remarks
from judge.state import JudgeState, Waiting
from schemas.actions import (
    ModelCalled,
    ProposalMade,
    ReviewRequested,
    Verdict,
    VerdictGiven,
)
from schemas.content import Sealed, opened, plain
from schemas.leases import Lease
from schemas.names import SECOND, Classification, Role
from schemas.runs import ContentKeyWrapped
from schemas.tools import Policy, Tool


class JudgeDecider:
    """Judges the proposals of `run`, as the attempt that `instance` was certified for."""

    role = Role.JUDGE

    def __init__(self, run: str, instance: str) -> None:
        self.run = run
        self.instance = instance

    def initial(self, workspace: str) -> JudgeState:
        """Nothing known."""
        return JudgeState()

    def evolve(self, state: JudgeState, entry: Entry) -> JudgeState:
        """The state after one entry."""
        return fold.evolve(state, self.run, entry) if isinstance(entry, Recorded) else state

    def decide(self, state: JudgeState, given: Input, now: int) -> Sequence[Draft | Effect]:
        """Verdicts, or reviews, for what waits for one."""
        if not self._in_force(state):
            return ()
        waiting = sorted(state.waiting.values(), key=lambda w: w.proposal.index)
        if isinstance(given, Recorded):
            if not isinstance(given.event.body, ContentKeyWrapped):
                waiting = [w for w in waiting if _is_about(given, w)]
        elif not isinstance(given, Tick):
            return ()
        drafts = [self._next(_case(state, one), now) for one in waiting]
        return [draft for draft in drafts if draft is not None]

    def revise(self, state: JudgeState, effect: Effect) -> Effect:
        """A judge has no effects."""
        return effect

    def wake_at(self, state: JudgeState) -> int | None:
        """When the first review to be overdue is."""
        policy = state.policy
        if policy is None or not self._in_force(state):
            return None
        late = (
            _late_at(waiting, policy)
            for waiting in state.waiting.values()
            if waiting.asked is not None and waiting.said is None
        )
        return min(late, default=None)

    def recall(self, state: JudgeState, recorded: Recorded) -> Done | None:
        """Verdicts rest on no effect of the judge's own."""
        return None

    def _in_force(self, state: JudgeState) -> bool:
        """Whether this attempt's judge has its lease and can read the run's content."""
        lease = state.lease
        if not state.keyed or lease is None or state.policy is None:
            return False
        return any(key.instance == self.instance for key in lease.keys)

    def _next(self, case: "_Case", now: int) -> Draft | None:
        """The verdict on one proposal, the review it needs first, or None where it waits."""
        waiting, rule = case.waiting, case.rule
        if not _needs_review(case):
            return self._verdict(waiting, rule)
        late = now >= _late_at(waiting, case.policy)
        problem = ""
        if waiting.said is not None:
            answer = _answer(case, waiting.said)
            if isinstance(answer, Answer):
                return self._verdict(waiting, _reviewed(case, answer))
            if isinstance(answer, Failed):
                return self._verdict(waiting, unreviewed(rule, answer.why))
            if waiting.attempts >= ATTEMPTS or late:
                return self._verdict(waiting, unusable(rule, answer))
            problem = answer.problem
        elif late:
            return self._verdict(waiting, unreviewed(rule, "did not come in time"))
        elif waiting.asked is not None:
            return None
        prompt = _prompt(case, problem)
        if prompt is None:
            why = "was not asked for: the call is too long to be shown whole"
            return self._verdict(waiting, unreviewed(rule, why))
        return self._review(case, prompt)

    def _review(self, case: "_Case", prompt: Prompt) -> Draft:
        proposal, said = case.waiting.proposal, case.waiting.said
        attempt = case.waiting.attempts + 1
        return Draft(
            body=ReviewRequested(
                proposal=proposal.digest,
                attempt=attempt,
                prompt=plain({"messages": prompt.messages(), "form": FORM}),
            ),
            run=self.run,
            causes=(proposal.digest, said.digest) if said is not None else (proposal.digest,),
            since=proposal.event.at,
            salt=str(attempt),
            settles=f"judged:{proposal.digest.hex()}",
            classification=max(
                Classification.CONFIDENTIAL, case.classification, key=lambda c: c.rank
            ),
        )

    def _verdict(self, waiting: Waiting, judgement: Judgement) -> Draft:
        proposal, said, change = waiting.proposal, waiting.said, judgement.change
        return Draft(
            body=VerdictGiven(
                proposal=proposal.digest,
                verdict=judgement.verdict,
                reason=judgement.reason,
                change=plain(change) if change is not None else None,
                question=judgement.question,
            ),
            run=self.run,
            causes=(proposal.digest, said.digest) if said is not None else (proposal.digest,),
            since=proposal.event.at,
            settles=f"judged:{proposal.digest.hex()}",
            classification=(
                Classification.CONFIDENTIAL if change is not None else Classification.INTERNAL
            ),
        )


class Failed(Struct, frozen=True):
    """A review that gave no answer; `why` completes "the model's review ..."."""

    why: str


class _Case(Struct, frozen=True, kw_only=True):
    """One proposal with all that it is judged by, opened."""

    waiting: Waiting
    policy: Policy
    lease: Lease
    tool: Tool | None
    arguments: dict[str, Any] | None
    purpose: str
    sources: Sources
    rule: Judgement

    @property
    def classification(self) -> Classification:
        """The proposal's."""
        return self.waiting.proposal.event.classification


def reviewer_of(policy: Policy) -> str:
    """The model that reviews high-stakes proposals, empty where rules judge alone."""
    return policy.reviewer


def _case(state: JudgeState, waiting: Waiting) -> _Case:
    made = waiting.proposal.event.body
    assert isinstance(made, ProposalMade)
    policy, lease = state.policy, state.lease
    assert policy is not None and lease is not None
    leased = made.tool in lease.tools
    tool = next((t for t in policy.tools if leased and t.name == made.tool), None)
    arguments = opened(made.arguments)
    given = arguments if isinstance(arguments, dict) else None
    return _Case(
        waiting=waiting,
        policy=policy,
        lease=lease,
        tool=tool,
        arguments=given,
        purpose=str(opened(made.purpose) or ""),
        sources=state.sources,
        rule=judge(tool, given, lease.intent, policy),
    )


def _is_about(given: Recorded, waiting: Waiting) -> bool:
    """Whether an entry is the proposal, or its review's answer."""
    said = waiting.said.digest if waiting.said is not None else b""
    return given.digest in (waiting.proposal.digest, said)


def _needs_review(case: _Case) -> bool:
    if case.rule.verdict is Verdict.STOP or not reviewer_of(case.policy):
        return False
    if case.tool is None or case.arguments is None:
        return False
    return high_stakes(case.tool, case.arguments, case.policy, case.classification)


def _prompt(case: _Case, problem: str) -> Prompt | None:
    tool, arguments, intent = case.tool, case.arguments, case.lease.intent
    assert tool is not None and arguments is not None
    return prompt_for(
        case.waiting.proposal.digest,
        tool=tool,
        intent=intent,
        arguments=arguments,
        purpose=case.purpose,
        remarks=remarks(tool, arguments, intent, case.sources),
        form=FORM,
        problem=problem,
    )


def _answer(case: _Case, said: Recorded) -> Answer | Unusable | Failed:
    called = said.event.body
    assert isinstance(called, ModelCalled)
    if called.error or isinstance(called.answer, Sealed):
        return Failed("failed")
    if called.model != reviewer_of(case.policy):
        return Failed("was not made by the model that the policy names")
    return read(str(opened(called.answer) or ""))


def _reviewed(case: _Case, answer: Answer) -> Judgement:
    prompt = _prompt(case, "")

    def approves(change: Mapping[str, Any]) -> bool:
        rule = judge(case.tool, change, case.lease.intent, case.policy)
        return rule.verdict is Verdict.APPROVE

    return reviewed(
        case.rule,
        answer,
        clear=prompt.instructions if prompt is not None else "",
        sealed={"arguments": case.arguments, "purpose": case.purpose},
        approves=approves,
    )


def _late_at(waiting: Waiting, policy: Policy) -> int:
    """Three quarters into the gate's patience: the verdict has the rest to be on record."""
    return waiting.proposal.event.at + policy.verdict_s * SECOND * 3 // 4
