"""From one verified event to the next state of what the console shows.

Never raises on a verified event, whatever a hostile run may sign: what answers nothing known is
a line of the timeline and no more. The first verdict and the first answer count, as at the gate.
"""

from console.view.alike import alike
from console.view.state import (
    HOUR,
    KEPT_LATENCIES,
    KEPT_SESSIONS,
    Answer,
    Claim,
    Destination,
    Flag,
    Grant,
    Halt,
    Hour,
    Moment,
    Run,
    SignIn,
    Step,
    Token,
    Workspace,
    band,
    covers,
)
from console.view.words import in_words
from crypto.trust import Verified
from schemas import access, actions, destinations, memories, runs, supervision, witnesses
from schemas.actions import LayerOutcome, LayerResult
from schemas.events import AnyBody, Event
from schemas.names import TEXT_CHARS
from schemas.patterns import Response
from schemas.supervision import halted_by


def fold(workspace: Workspace, index: int, verified: Verified) -> None:
    """Take in the entry at `index`."""
    event = verified.event
    workspace.size, workspace.last_at = index, max(workspace.last_at, event.at)
    _fold_halts(workspace, index, verified)
    workspace.passkeys.fold(verified.digest, event)
    if event.run is not None:
        _fold_run(workspace, index, verified, event.run)
    _fold_workspace(workspace, index, event)


def skip(workspace: Workspace, index: int) -> None:
    """The entry at `index` is no valid event."""
    workspace.size = index
    workspace.rejected += 1


def _fold_run(workspace: Workspace, index: int, verified: Verified, name: str) -> None:
    event, body = verified.event, verified.event.body
    run = workspace.runs.get(name)
    if run is None:
        if not isinstance(body, runs.RunRequested):
            return
        run = workspace.runs[name] = Run(name, body, event.at)
    words = in_words(body)
    run.moments.append(Moment(index, event.at, event.type, event.actor.role.value, words))
    if isinstance(body, runs.LeaseGranted | runs.LeaseRenewed):
        run.details.lease, run.attempts = body.lease, body.lease.attempt
    elif isinstance(body, runs.RunStarted):
        run.walls, run.parked = alike(tuple(body.confined_by)), False
    elif isinstance(body, runs.RunParked):
        run.parked = True
    elif isinstance(body, runs.RunCompleted):
        _left(workspace, run, body.standing)
        _end(run, body.outcome.value, body.reason, event.at)
    elif isinstance(body, runs.RunHalted):
        _left(workspace, run, body.standing)
        _end(run, "halted", body.reason, event.at)
        run.halted_by = body.halt
    elif isinstance(body, runs.RunRefused):
        _end(run, "refused", f"{body.reason}; {body.fix}" if body.fix else body.reason, event.at)
    elif isinstance(body, actions.ObservationRecorded):
        run.observations.append(event)
    elif isinstance(body, actions.ModelCalled):
        run.tokens += body.input_tokens + body.output_tokens
        _charge(workspace, run, body.cost, event.at)
    else:
        _fold_step(workspace, run, index, verified)
    if workspace.shelf is not None:
        workspace.shelf.touch(workspace, run, changed=True)


def _left(workspace: Workspace, run: Run, standing: tuple[bytes, ...]) -> None:
    """What the run's end says was not undone waits for a person to look at it."""
    for digest in standing:
        step = run.actions.get(digest)
        if step is not None and step.state != actions.ActionOutcome.FAILED.value:
            workspace.standing[digest] = step


def _end(run: Run, how: str, reason: str, at: int) -> None:
    if not run.ended:
        run.ended, run.reason, run.ended_at = how, alike(reason), at


def _fold_step(workspace: Workspace, run: Run, index: int, verified: Verified) -> None:
    event, body = verified.event, verified.event.body
    if isinstance(body, actions.ProposalMade):
        digest = verified.digest
        run.steps[digest] = Step(digest, index, run.name, body.tool, body.number, event)
        return
    if isinstance(body, actions.ReceiptIssued):
        for cause in event.causes:
            earned = run.actions.get(cause)
            if earned is not None:
                earned.receipt = earned.receipt or verified.digest
        return
    step = run.steps.get(getattr(body, "proposal", b""))
    if step is None:
        return
    hour = workspace.hours.setdefault(event.at // HOUR, Hour())
    if isinstance(body, actions.VerdictGiven):
        step.verdict = step.verdict or body
    elif isinstance(body, actions.ApprovalRequested):
        step.question, step.question_digest = body, verified.digest
        step.layers, step.asked_at = body.layers, event.at
        workspace.asked[step.digest] = step
        hour.holds += 1
        _count(workspace, body.layers, LayerResult.HOLD)
    elif isinstance(body, actions.ApprovalDecided):
        _answered(step, run, event, body)
    elif isinstance(body, actions.ActionStarted):
        run.begun += not step.action
        step.action, step.started_at, step.started_index = verified.digest, event.at, index
        step.layers = body.layers
        run.actions[step.action] = step
        hour.actions += 1
        _charge(workspace, run, _price(workspace, body.tool), event.at)
        for halt in workspace.halts:
            if not halt.released_at and covers(halt, run):
                halt.after += 1
    elif isinstance(body, actions.ActionRefused):
        run.refusals += not step.refused
        step.refused, step.fix, step.layers = body.reason, body.fix, body.layers
        step.refused_at = event.at
        hour.refusals += 1
        _count(workspace, body.layers, LayerResult.REFUSE)
    elif isinstance(body, actions.ActionFinished):
        step.finished, step.finished_event, step.finished_at = body, event, event.at
        if body.outcome is actions.ActionOutcome.FAILED:
            workspace.standing.pop(step.action, None)
        took = event.at - step.made.at
        if step.question is None:
            hour.took[band(took)] = hour.took.get(band(took), 0) + 1
        workspace.latencies.append(took)
        del workspace.latencies[:-KEPT_LATENCIES]
    if not step.open:
        workspace.asked.pop(step.digest, None)


def _answered(step: Step, run: Run, event: Event, body: actions.ApprovalDecided) -> None:
    """Each person's first answer, until they are enough; of two none is the run's own rep's."""
    by, question = event.actor.instance, step.question
    if question is None or step.answer is not None or by in {one.by for one in step.answers}:
        return
    approves = body.decision is actions.Decision.APPROVE
    if question.people == 1 or not approves or by != run.request.rep:
        signed = body.assertion is not None
        kept = event if body.change is not None else None
        step.answers.append(Answer(body.decision, by, event.at, body.note, signed, kept))


def _count(workspace: Workspace, layers: tuple[LayerOutcome, ...], which: LayerResult) -> None:
    for layer in layers:
        if layer.result is which:
            key = (layer.layer, layer.name, which)
            workspace.layers[key] = workspace.layers.get(key, 0) + 1


def _price(workspace: Workspace, tool: str) -> int:
    declared = workspace.policy.tools if workspace.policy is not None else ()
    return next((each.cost for each in declared if each.name == tool), 0)


def _charge(workspace: Workspace, run: Run, cost: int, at: int) -> None:
    run.cost += cost
    workspace.hours.setdefault(at // HOUR, Hour()).cost += cost


def _fold_halts(workspace: Workspace, index: int, verified: Verified) -> None:
    event, body = verified.event, verified.event.body
    halted = halted_by(body)
    if halted is not None:
        scope, target, reason = halted
        by = event.actor.instance
        workspace.halts.append(Halt(scope, target, reason, by, event.at, index, verified.digest))
    elif isinstance(body, runs.HaltReleased):
        for halt in workspace.halts:
            if (halt.scope, halt.target) == (body.scope, body.target) and not halt.released_at:
                halt.released_at, halt.released_by = event.at, event.actor.instance
    elif isinstance(body, runs.RunHalted) and event.run is not None:
        for halt in workspace.halts:
            if halt.digest == body.halt and event.run not in halt.runs:
                halt.runs.append(event.run)


def _fold_workspace(workspace: Workspace, index: int, event: Event) -> None:
    body, at = event.body, event.at
    if isinstance(body, runs.PolicySet):
        workspace.policy = body.policy
    elif isinstance(body, runs.RepActivated | runs.RepRevoked):
        workspace.reps[body.rep] = isinstance(body, runs.RepActivated)
    elif isinstance(body, supervision.SupervisorFlagged):
        workspace.flags.append(Flag(index, at, body))
    elif isinstance(body, witnesses.WitnessRefused):
        workspace.flags.append(Flag(index, at, _flagged(body)))
    elif isinstance(body, memories.MemoryRetained):
        workspace.claims[body.claim] = Claim(body, event, event.run or "", at)
    elif isinstance(body, memories.MemoryForgotten | memories.MemoryWithdrawn):
        claim = workspace.claims.get(body.claim)
        if claim is not None:
            forgotten = isinstance(body, memories.MemoryForgotten)
            claim.gone = "forgotten" if forgotten else "withdrawn"
    elif isinstance(
        body,
        access.AccessGranted | access.AccessRevoked | access.TokenIssued | access.TokenRevoked,
    ):
        fold_access(workspace, event)
    else:
        _fold_sign_ins(workspace, index, at, body)
        _fold_destinations(workspace, at, body)


def _flagged(refused: witnesses.WitnessRefused) -> supervision.SupervisorFlagged:
    """A witness's refusal in the shape of a flag, so that it stands where people look for those."""
    return supervision.SupervisorFlagged(
        pattern="witness-refused",
        response=Response.FLAG,
        scope=runs.HaltScope.WORKSPACE,
        target="",
        evidence=(),
        reason=in_words(refused)[:TEXT_CHARS],
    )


def fold_access(workspace: Workspace, event: Event) -> None:
    """Take in who may use the console, and the tokens; other events change nothing here."""
    body, grants = event.body, workspace.grants
    if isinstance(body, access.AccessGranted):
        grant = Grant(body.account, body.role, body.person or "", event.actor.instance, event.at)
        before = grants.get(body.account)
        if before is not None and (before.role, before.person) != (grant.role, grant.person):
            _end_tokens(workspace, body.account, "its account's role or person changed")
        grants[body.account] = grant
    elif isinstance(body, access.AccessRevoked) and body.account in grants:
        grants[body.account].revoked = body.reason or "revoked"
        _end_tokens(workspace, body.account, "its account has no access any more")
    elif isinstance(body, access.TokenIssued):
        holder = grants.get(body.account)
        if holder is not None and not holder.revoked:
            token = Token(body, event.actor.instance, event.at)
            workspace.tokens.setdefault(body.digest, token)
    elif isinstance(body, access.TokenRevoked):
        for token in workspace.tokens.values():
            if token.body.token == body.token:
                token.revoked = token.revoked or body.reason or "revoked"


def _end_tokens(workspace: Workspace, account: str, why: str) -> None:
    """What was given to one role and person is nothing that another inherits."""
    for token in workspace.tokens.values():
        if token.body.account == account:
            token.revoked = token.revoked or why


def _fold_sign_ins(workspace: Workspace, index: int, at: int, body: AnyBody) -> None:
    match body:
        case access.SessionOpened():
            line = SignIn(index, at, body.account, "signed in", body.method)
        case access.SessionClosed():
            line = SignIn(index, at, body.account, "session over", body.reason)
        case access.SignInLocked():
            line = SignIn(index, at, body.account, "locked", body.reason)
        case _:
            return
    workspace.sign_ins.append(line)
    del workspace.sign_ins[:-KEPT_SESSIONS]


def _fold_destinations(workspace: Workspace, at: int, body: AnyBody) -> None:
    match body:
        case destinations.DestinationAllowed():
            _note(workspace, body.domain, "allowed", at, "")
        case destinations.DestinationRevalidated():
            _note(workspace, body.domain, "allowed", at, body.drift)
        case destinations.DestinationUnverified():
            _note(workspace, body.domain, "unverified", at, body.reason)
        case destinations.DestinationBlocked():
            _note(workspace, body.domain, "blocked", at, body.what)
        case destinations.DestinationReadmitted():
            _note(workspace, body.domain, "allowed", at, body.reason)
        case destinations.DestinationExpired():
            _note(workspace, body.destination, "expired", at, "its entry is over")


def _note(workspace: Workspace, domain: str, state: str, at: int, words: str) -> None:
    known = workspace.destinations.get(domain)
    since = known.since if known is not None and known.state == state else at
    workspace.destinations[domain] = Destination(domain, state, since, at, words)
