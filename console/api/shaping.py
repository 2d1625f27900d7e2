"""From what the ledger says to what the API gives: the view's runs, steps, halts, claims as shapes.

Content is opened here for who may read it, as on the pages, and for nobody else.
"""

from console.api import shapes
from console.view.state import Claim, Flag, Grant, Halt, Run, Step, Token, covers
from console.web.content import WITHHELD, Opened, opened_step
from console.web.here import Here
from console.web.permissions import May, Visitor
from console.web.shown import iso
from crypto.sealing import open_event
from schemas.actions import ProposalMade
from schemas.content import Sealed, opened
from schemas.memories import MemoryRetained
from schemas.tools import Effect


def run_summary(run: Run) -> shapes.RunSummary:
    """One run in a line."""
    return shapes.RunSummary(
        run=run.name,
        rep=run.request.rep,
        agent=run.request.agent,
        summary=run.intent.summary,
        state=run.state,
        asked_at=iso(run.asked_at),
        ended_at=iso(run.ended_at) if run.ended else None,
        reason=run.reason,
        waiting=len(run.waiting),
        actions=run.begun,
        cost=run.cost,
        tokens=run.tokens,
    )


def run_shape(here: Here, visitor: Visitor, run: Run) -> shapes.RunShape:
    """One run with its steps, the latest first."""
    intent, lease = run.intent, run.lease
    halts = [halt.index for halt in here.view.halts if halt.digest == run.halted_by]
    return shapes.RunShape(
        run=run_summary(run),
        intent=shapes.IntentShape(
            summary=intent.summary,
            effects=list(intent.effects),
            destinations=list(intent.destinations),
            objects=list(intent.objects),
            together=intent.together,
            unanswered=intent.unanswered,
        ),
        lease=shapes.LeaseShape(
            attempt=lease.attempt,
            tools=list(lease.tools),
            not_before=iso(lease.not_before),
            not_after=iso(lease.not_after),
            max_actions=lease.max_actions,
            policy=lease.policy,
        )
        if lease is not None
        else None,
        confined_by=list(run.walls),
        halted_by=halts[0] if halts else 0,
        steps=[step_shape(here, visitor, run, step) for step in reversed(run.steps.values())],
    )


def step_shape(here: Here, visitor: Visitor, run: Run, step: Step) -> shapes.StepShape:
    """One proposal, its content opened where this visitor may read it."""
    may_read = visitor.may(May.READ_CONTENT)
    content = opened_step(run, step, here.keys, here.view.policy, may_read=may_read)
    question, decided, verdict = step.question, step.answer, step.verdict
    return shapes.StepShape(
        proposal=step.digest.hex(),
        index=step.index,
        number=step.number,
        tool=step.tool,
        state=step.state,
        proposed_at=iso(step.made.at),
        arguments=_arguments(here, step) if may_read else None,
        origins=_origins(content),
        purpose=content.purpose if may_read else None,
        result=content.result if may_read and step.finished is not None else None,
        withheld=content.why,
        verdict=verdict.verdict if verdict is not None else None,
        verdict_reason=verdict.reason if verdict is not None else "",
        layers=[
            shapes.LayerShape(
                layer=layer.layer,
                name=layer.name,
                result=layer.result,
                reason=layer.reason,
                evidence=layer.evidence,
                fix=layer.fix,
            )
            for layer in step.layers
        ],
        question=shapes.QuestionShape(
            text=question.question,
            people=question.people,
            passkey=question.passkey,
            asked_at=iso(step.asked_at),
            expires=iso(question.expires),
        )
        if question is not None
        else None,
        answers=[
            shapes.AnswerShape(one.decision, one.by, iso(one.at), one.note, one.by_passkey)
            for one in step.answers
        ],
        decided=decided.decision if decided is not None else None,
        started_index=step.started_index,
        finished_at=iso(step.finished_at) if step.finished is not None else None,
        detail=step.finished.detail if step.finished is not None else "",
        receipt=step.receipt.hex() or None,
        refused=step.refused,
        fix=step.fix,
    )


def standing_shape(step: Step) -> shapes.StandingShape:
    """An action that was left half done."""
    return shapes.StandingShape(
        run=step.run,
        proposal=step.digest.hex(),
        tool=step.tool,
        state=step.state,
        started_index=step.started_index,
        started_at=iso(step.started_at),
        detail=step.finished.detail if step.finished is not None else "",
    )


def effect_of(here: Here, step: Step) -> Effect | None:
    """What the policy says that the step's tool does to the world, None where it has no such."""
    tools = here.view.policy.tools if here.view.policy is not None else ()
    return next((tool.effect for tool in tools if tool.name == step.tool), None)


def halt_shape(here: Here, visitor: Visitor, halt: Halt) -> shapes.HaltShape:
    """A halt, with those runs it stopped that this visitor sees."""
    runs = [here.view.runs[name] for name in halt.runs if name in here.view.runs]
    return shapes.HaltShape(
        index=halt.index,
        scope=halt.scope,
        target=halt.target,
        reason=halt.reason,
        by=halt.by,
        at=iso(halt.at),
        released_at=iso(halt.released_at) if halt.released_at else None,
        released_by=halt.released_by,
        stopped=[
            shapes.StoppedShape(
                run.name,
                [
                    step.digest.hex()
                    for step in run.steps.values()
                    if 0 < step.started_index < halt.index
                ],
            )
            for run in runs
            if visitor.sees(run) and covers(halt, run)
        ],
        after=halt.after,
    )


def claim_shape(here: Here, visitor: Visitor, claim: Claim) -> shapes.ClaimShape:
    """A claim with its justification; its text where this visitor may read it."""
    body = claim.body
    text, withheld = None, WITHHELD
    if visitor.may(May.READ_CONTENT):
        clear = open_event(claim.event, here.keys).body
        assert isinstance(clear, MemoryRetained)
        sealed = isinstance(clear.text, Sealed)
        text, withheld = (None, "sealed") if sealed else (str(opened(clear.text)), "")
    return shapes.ClaimShape(
        claim=body.claim,
        text=text,
        withheld=withheld,
        rep=body.rep,
        agent=body.agent,
        run=claim.run,
        at=iso(claim.at),
        proposal=body.proposal.hex(),
        trust=body.trust,
        sensitivity=body.sensitivity,
        support=[shapes.SupportShape(each.entry.hex(), each.words) for each in body.support],
        gone=claim.gone,
    )


def flag_shape(flag: Flag) -> shapes.FlagShape:
    """What the supervisor said."""
    body = flag.body
    return shapes.FlagShape(
        index=flag.index,
        at=iso(flag.at),
        pattern=body.pattern,
        scope=body.scope,
        target=body.target,
        response=body.response.value,
        reason=body.reason,
    )


def person_shape(grant: Grant) -> shapes.PersonShape:
    """Who has access."""
    return shapes.PersonShape(
        account=grant.account,
        role=grant.role,
        person=grant.person,
        by=grant.by,
        at=iso(grant.at),
        revoked=grant.revoked,
    )


def token_shape(token: Token) -> shapes.TokenShape:
    """A token, without anything that opens."""
    body = token.body
    return shapes.TokenShape(
        token=body.token,
        account=body.account,
        label=body.label,
        scopes=list(body.scopes),
        expires=iso(body.expires),
        by=token.by,
        at=iso(token.at),
        revoked=token.revoked,
    )


def _arguments(here: Here, step: Step) -> object:
    body = open_event(step.made, here.keys).body
    assert isinstance(body, ProposalMade)
    return opened(body.arguments)


def _origins(content: Opened) -> list[shapes.OriginShape]:
    return [
        shapes.OriginShape(
            one.path, [shapes.SpanShape(span.text, span.kind, span.source) for span in one.spans]
        )
        for one in content.arguments
    ]
