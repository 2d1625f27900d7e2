"""The sidecar's decider: gate, write-ahead, outcome, receipt.

A proposal waits for its verdict, then all 14 layers speak on it. What passes is written
ahead (`action.started`) and only then done; what was done is recorded and receipted. On a
`Tick` the state itself says what is owed: verdicts and approvals overdue, actions that a
crash left open (asked of the tool, never repeated blindly), receipts, notes of garbage.
"""

from collections.abc import Iterator, Sequence

import msgspec

from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Refused, Tick, draft_id
from schemas.actions import (
    ActionFinished,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    EntryRejected,
    LayerResult,
    ProposalMade,
    Receipt,
    ReceiptIssued,
    VerdictGiven,
)
from schemas.content import Sealed, content_digest, plain, value_of
from schemas.events import Actor
from schemas.names import NO_DIGEST, SECOND, Classification, Role
from schemas.runs import (
    ContentKeyWrapped,
    HaltEngaged,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    RunCompleted,
    RunHalted,
)
from schemas.tools import Policy, Tool
from sidecar import state as fold
from sidecar.effects import Execute, IssueReceipt, Performed, WrapKeys
from sidecar.gate.gate import GateResult, evaluate
from sidecar.gate.outcome import Case
from sidecar.state import Acting, Open, RunState, SidecarState, halts_on, lease_of

Answer = Draft | Effect


class SidecarDecider:
    """See the module's docstring. Stateless but for who it is."""

    role = Role.SIDECAR

    def __init__(self, instance: str = "sidecar") -> None:
        self.actor = Actor(Role.SIDECAR, instance)

    def initial(self, workspace: str) -> SidecarState:
        """Nothing known."""
        return SidecarState(workspace=workspace)

    def evolve(self, state: SidecarState, entry: Entry) -> SidecarState:
        """See `sidecar.state`."""
        return fold.evolve(state, entry)

    def decide(self, state: SidecarState, given: Input, now: int) -> Sequence[Answer]:
        """What to record and do."""
        if isinstance(given, Tick):
            return list(self._outstanding(state, now))
        if isinstance(given, Refused):
            return [_note(given)]
        if isinstance(given, Done):
            return self._after(state, given)
        return list(self._on_event(state, given, now))

    def revise(self, state: SidecarState, effect: Effect) -> Effect:
        """A halt or a lease's end that stands before the write-ahead record forbids the effect."""
        run = state.runs.get(effect.run) if effect.run is not None else None
        if not isinstance(effect, Execute) or effect.run is None:
            return effect
        forbidden = run is None or run.ended or halts_on(state, effect.run, lease_of(run))
        return msgspec.structs.replace(effect, allowed=False) if forbidden else effect

    def wake_at(self, state: SidecarState) -> int | None:
        """The first verdict or approval to become overdue."""
        policy = state.policy
        if policy is None:
            return None
        due = [
            _due(waiting, policy)
            for run in state.runs.values()
            for waiting in run.proposals.values()
        ]
        return min(due, default=None)

    def recall(self, state: SidecarState, recorded: Recorded) -> Done | None:
        """The result that an own event rests on."""
        event, body = recorded.event, recorded.event.body
        run = state.runs.get(event.run) if event.run is not None else None
        if event.run is None or run is None:
            return None
        if isinstance(body, ContentKeyWrapped):
            return Done(_wrap(event.run, run), body.keys)
        if isinstance(body, ActionFinished) and body.proposal in run.acting:
            if isinstance(body.result, Sealed):
                return None
            performed = Performed(
                outcome=body.outcome,
                evidence=body.evidence,
                detail=body.detail,
                result=value_of(body.result),
                reconciled=body.reconciled,
            )
            return Done(self._execute(state, event.run, run.acting[body.proposal]), performed)
        if isinstance(body, ReceiptIssued):
            for acting in run.acting.values():
                if acting.finished is not None and acting.finished.digest in event.causes:
                    return Done(self._receipt(state, event.run, run, acting), body)
        return None

    def _on_event(self, state: SidecarState, given: Recorded, now: int) -> Iterator[Answer]:
        body, name = given.event.body, given.event.run
        if isinstance(body, HaltEngaged):
            for covered, live in state.runs.items():
                if halts_on(state, covered, lease_of(live)):
                    yield from self._gate_all(state, covered, live, now)
            return
        run = state.runs.get(name) if name is not None else None
        if name is None or run is None:
            return
        if isinstance(body, LeaseGranted | LeaseRenewed):
            yield _wrap(name, run)
        elif isinstance(body, VerdictGiven | ApprovalDecided):
            waiting = run.proposals.get(body.proposal)
            if waiting is not None:
                yield from self._gate(state, name, run, waiting, now)
        elif isinstance(body, RunCompleted | RunHalted | LeaseRevoked | LeaseExpired):
            yield from self._gate_all(state, name, run, now)
        elif isinstance(body, ActionFinished) and body.proposal in run.acting:
            acting = run.acting[body.proposal]
            if acting.finished is not None:
                yield self._receipt(state, name, run, acting)

    def _outstanding(self, state: SidecarState, now: int) -> Iterator[Answer]:
        for refused in state.unrecorded.values():
            yield _note(refused)
        for name, run in state.runs.items():
            if run.lease is not None and not run.keyed and not run.ended:
                yield _wrap(name, run)
            yield from self._gate_all(state, name, run, now)
            for acting in run.acting.values():
                if acting.finished is None:
                    yield self._execute(state, name, acting, reconcile=True)
                else:
                    yield self._receipt(state, name, run, acting)

    def _after(self, state: SidecarState, done: Done) -> Sequence[Answer]:
        effect, result = done.effect, done.result
        run = state.runs.get(effect.run) if effect.run is not None else None
        if run is None:
            return ()
        if isinstance(effect, WrapKeys) and isinstance(result, tuple) and run.lease is not None:
            lease = run.lease
            if lease.digest != effect.lease:
                return ()
            return [
                Draft(
                    body=ContentKeyWrapped(keys=result),
                    run=effect.run,
                    causes=(lease.digest,),
                    since=lease.event.at,
                )
            ]
        if isinstance(effect, Execute) and isinstance(result, Performed):
            acting = run.acting.get(effect.proposal)
            if acting is None or acting.finished is not None:
                return ()
            return [_finished(state, effect.run, acting, result)]
        if isinstance(effect, IssueReceipt) and isinstance(result, ReceiptIssued):
            acting = run.acting.get(effect.proposal)
            if acting is None or acting.finished is None:
                return ()
            return [
                Draft(
                    body=result,
                    run=effect.run,
                    causes=(acting.finished.digest, acting.started.digest),
                    since=acting.finished.event.at,
                )
            ]
        return ()

    def _gate_all(
        self, state: SidecarState, name: str, run: RunState, now: int
    ) -> Iterator[Answer]:
        for waiting in run.proposals.values():
            yield from self._gate(state, name, run, waiting, now)

    def _gate(
        self, state: SidecarState, name: str, run: RunState, waiting: Open, now: int
    ) -> Iterator[Answer]:
        """Decide one proposal, unless it still has time to wait for its verdict or person."""
        recorded = waiting.proposal
        proposal = recorded.event.body
        if not isinstance(proposal, ProposalMade):
            return
        case = case_of(state, name, run, waiting, now)
        overdue = state.policy is None or now >= _due(waiting, state.policy)
        ended = bool(run.ended or case.halts)
        if waiting.verdict is None and not overdue and not ended:
            return
        result = evaluate(case)
        causes = tuple(
            e.digest for e in (recorded, waiting.verdict, waiting.approval) if e is not None
        )
        since = recorded.event.at
        decisive = result.decisive
        if result.result is LayerResult.PASS:
            started = Draft(
                body=ActionStarted(
                    proposal=recorded.digest,
                    tool=proposal.tool,
                    arguments=content_digest(proposal.arguments),
                    layers=result.layers,
                ),
                run=name,
                causes=causes,
                since=since,
                settles=f"proposal:{recorded.digest.hex()}",
            )
            tool_run = self._run_tool(state.workspace, started, recorded)
            yield msgspec.structs.replace(started, then=(tool_run,))
        elif result.result is LayerResult.REFUSE and decisive is not None:
            yield _refused(name, recorded, proposal, result, causes)
        elif waiting.asked is None and decisive is not None and state.policy is not None:
            yield Draft(
                body=ApprovalRequested(
                    proposal=recorded.digest,
                    tool=proposal.tool,
                    question=decisive.reason,
                    layers=result.layers,
                    expires=now + state.policy.approval_s * SECOND,
                ),
                run=name,
                causes=causes,
                since=since,
                settles=f"proposal:{recorded.digest.hex()}",
            )

    def _run_tool(self, workspace: str, started: Draft, proposal: Recorded) -> Execute:
        body = proposal.event.body
        assert isinstance(body, ProposalMade)
        return Execute(
            key=f"action:{proposal.digest.hex()}",
            run=started.run,
            proposal=proposal.digest,
            tool=body.tool,
            arguments=value_of(body.arguments),
            idempotency_key=draft_id(workspace, self.actor, started),
        )

    def _execute(
        self, state: SidecarState, name: str, acting: Acting, *, reconcile: bool = False
    ) -> Execute:
        body = acting.proposal.event.body
        assert isinstance(body, ProposalMade)
        run = state.runs[name]
        return Execute(
            key=f"action:{acting.proposal.digest.hex()}",
            run=name,
            proposal=acting.proposal.digest,
            tool=body.tool,
            arguments={} if isinstance(body.arguments, Sealed) else value_of(body.arguments),
            idempotency_key=acting.started.event.id,
            reconcile=reconcile,
            allowed=not run.ended and not halts_on(state, name, lease_of(run)),
        )

    def _receipt(
        self, state: SidecarState, name: str, run: RunState, acting: Acting
    ) -> IssueReceipt:
        finished, started = acting.finished, acting.started
        assert finished is not None and isinstance(finished.event.body, ActionFinished)
        assert isinstance(started.event.body, ActionStarted)
        lease = lease_of(run)
        assert lease is not None
        receipt = Receipt(
            workspace=state.workspace,
            run=name,
            rep=lease.rep,
            agent=lease.agent,
            intent=lease.intent.summary,
            tool=started.event.body.tool,
            action=started.digest,
            key=started.event.id,
            index=started.index,
            arguments=started.event.body.arguments,
            outcome=finished.event.body.outcome,
            evidence=finished.event.body.evidence,
            at=finished.event.at,
        )
        return IssueReceipt(
            key=f"receipt:{started.digest.hex()}",
            run=name,
            proposal=acting.proposal.digest,
            receipt=receipt,
        )


def case_of(state: SidecarState, name: str, run: RunState, waiting: Open, now: int) -> Case:
    """All that the gate may look at for one open proposal."""
    recorded = waiting.proposal
    proposal = recorded.event.body
    assert isinstance(proposal, ProposalMade)
    arguments = None if isinstance(proposal.arguments, Sealed) else value_of(proposal.arguments)
    lease = lease_of(run)
    keys = lease.keys if lease is not None else ()
    asked = waiting.asked.event.body if waiting.asked is not None else None
    return Case(
        now=now,
        recorded=recorded,
        proposal=proposal,
        arguments=arguments if isinstance(arguments, dict) else None,
        policy=state.policy,
        lease=lease,
        request=run.request,
        rep_active=lease is not None and state.reps.get(lease.rep, False),
        lease_ended=run.ended,
        lease_key=next((key for key in keys if key.role is Role.RUNTIME), None),
        tool=tool_of(state.policy, proposal.tool),
        halts=halts_on(state, name, lease),
        actions=run.actions,
        repeated=waiting.repeated,
        verdict=waiting.verdict,
        approval=waiting.approval,
        approval_until=asked.expires if isinstance(asked, ApprovalRequested) else None,
    )


def tool_of(policy: Policy | None, name: str) -> Tool | None:
    """The policy's declaration of a tool, or None."""
    tools = policy.tools if policy is not None else ()
    return next((tool for tool in tools if tool.name == name), None)


def _due(waiting: Open, policy: Policy) -> int:
    """When an open proposal stops waiting for its verdict, or for its person."""
    asked = waiting.asked.event.body if waiting.asked is not None else None
    if isinstance(asked, ApprovalRequested):
        return asked.expires
    return waiting.proposal.event.at + policy.verdict_s * SECOND


def _wrap(name: str, run: RunState) -> WrapKeys:
    lease = lease_of(run)
    keys = lease.keys if lease is not None else ()
    attempt = lease.attempt if lease is not None else 0
    recipients = tuple(key for key in keys if key.exchange is not None)
    return WrapKeys(
        key=f"wrap:{name}:{attempt}",
        run=name,
        lease=run.lease.digest if run.lease is not None else b"",
        recipients=recipients,
    )


def _finished(state: SidecarState, name: str | None, acting: Acting, performed: Performed) -> Draft:
    body = acting.started.event.body
    assert isinstance(body, ActionStarted)
    tool = tool_of(state.policy, body.tool)
    return Draft(
        body=ActionFinished(
            action=acting.started.digest,
            proposal=acting.proposal.digest,
            outcome=performed.outcome,
            evidence=performed.evidence or NO_DIGEST,
            detail=performed.detail,
            result=plain(performed.result),
            reconciled=performed.reconciled,
        ),
        run=name,
        causes=(acting.started.digest, acting.proposal.digest),
        since=acting.started.event.at,
        classification=tool.classification if tool is not None else Classification.RESTRICTED,
    )


def _refused(
    name: str,
    recorded: Recorded,
    proposal: ProposalMade,
    result: GateResult,
    causes: tuple[bytes, ...],
) -> Draft:
    decisive = result.decisive
    assert decisive is not None
    return Draft(
        body=ActionRefused(
            proposal=recorded.digest,
            tool=proposal.tool,
            layers=result.layers,
            reason=f"layer {decisive.layer} ({decisive.name}): {decisive.reason}",
            fix=decisive.fix,
        ),
        run=name,
        causes=causes,
        since=recorded.event.at,
        settles=f"proposal:{recorded.digest.hex()}",
    )


def _note(refused: Refused) -> Draft:
    return Draft(
        body=EntryRejected(index=refused.index, leaf=refused.leaf, reason=refused.reason),
        run=None,
        causes=(),
        since=0,
        salt=f"{refused.index} {refused.leaf.hex()}",
    )
