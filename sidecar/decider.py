"""The sidecar's decider: gate, write-ahead, outcome, receipt.

A proposal waits for its verdict, then all 14 layers speak on it. What passes is written
ahead (`action.started`) and only then done; what was done is recorded and receipted. What is
under way as its run is halted or ends is waited for no longer, and asked about. On a `Tick`
the state itself says what is owed: verdicts and approvals overdue, actions that a crash left
open (asked of the tool, never repeated blindly), receipts, notes of garbage.
"""

from collections.abc import Iterator, Sequence

import msgspec

from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Refused, Tick
from schemas.actions import (
    ActionFinished,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    LayerResult,
    ModelCalled,
    ModelRequested,
    ProposalMade,
    ReceiptIssued,
    ReviewRequested,
    VerdictGiven,
)
from schemas.content import Sealed, content_digest, value_of
from schemas.destinations import Ownership
from schemas.events import Actor
from schemas.names import SECOND, TEXT_CHARS, Role
from schemas.runs import (
    ContentKeyWrapped,
    LeaseExpired,
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    RunCompleted,
    RunHalted,
)
from schemas.supervision import halted_by
from sidecar import duties
from sidecar import state as fold
from sidecar.cases import awaited, case_of, hosts_of
from sidecar.destinations import looking
from sidecar.destinations.fingerprint import Unobservable
from sidecar.destinations.watch import OF_THE_SIDECAR, Look
from sidecar.effects import (
    CallModel,
    Execute,
    IssueReceipt,
    LookUp,
    ModelAnswer,
    Performed,
    WrapKeys,
)
from sidecar.gate.gate import GateResult, evaluate
from sidecar.gate.review import people
from sidecar.gate.stepping_up import wanted
from sidecar.memory.keeping import kept
from sidecar.memory.recalling import answer
from sidecar.state import Acting, RunState, SidecarState, halts_on, lease_of
from sidecar.transcripts import heard_by
from sidecar.waiting import Open, due

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
            return [duties.note_of(given)]
        if isinstance(given, Done):
            return self._after(state, given)
        return list(self._on_event(state, given, now))

    def revise(self, state: SidecarState, effect: Effect) -> Effect:
        """What stands before the write-ahead record forbids the effect: a halt, a lease's end, a
        destination that is blocked. What the memory answers is what it holds by then."""
        run = state.runs.get(effect.run) if effect.run is not None else None
        if not isinstance(effect, Execute) or effect.run is None:
            return effect
        forbidden = (
            run is None
            or run.ended
            or halts_on(state, effect.run, lease_of(run))
            or looking.blocked(state.watch, hosts_of(state, effect))
        )
        if forbidden:
            effect = msgspec.structs.replace(effect, allowed=False)
        tool, lease = duties.tool_of(state.policy, effect.tool), lease_of(run) if run else None
        if tool is None or not tool.memory or lease is None:
            return effect
        if tool.memory == "transcripts":
            said = heard_by(state.heard, effect.arguments, rep=lease.rep)
        else:
            said = answer(
                state.claims, tool.memory, effect.arguments, rep=lease.rep, proposal=effect.proposal
            )
        return msgspec.structs.replace(effect, answer=said)

    def wake_at(self, state: SidecarState) -> int | None:
        """The first verdict or approval to become overdue, or look at a destination to be due."""
        if state.policy is None:
            return None
        first = min(state.dues.values(), default=None)
        look = state.watch.due
        if first is None or look is None:
            return look if first is None else first
        return min(first, look)

    def recall(self, state: SidecarState, recorded: Recorded) -> Done | None:
        """The result that an own event rests on."""
        event, body = recorded.event, recorded.event.body
        if isinstance(body, Look):
            return Done(*looking.recalled(body))
        run = state.runs.get(event.run) if event.run is not None else None
        if event.run is None or run is None:
            return None
        if isinstance(body, ContentKeyWrapped):
            return Done(duties.wrap_keys(event.run, run), body.keys)
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
            return Done(duties.reconcile(state, event.run, run.acting[body.proposal]), performed)
        if isinstance(body, ModelCalled) and body.request in run.asked:
            call = duties.call_model(event.run, run.asked[body.request])
            if call is None or isinstance(body.answer, Sealed):
                return None
            answer = ModelAnswer(
                model=body.model,
                text=value_of(body.answer),
                error=body.error,
                input_tokens=body.input_tokens,
                output_tokens=body.output_tokens,
                cost=body.cost,
            )
            return Done(call, answer)
        if isinstance(body, ReceiptIssued):
            for acting in run.acting.values():
                if acting.finished is not None and acting.finished.digest in event.causes:
                    return Done(duties.issue_receipt(state, event.run, run, acting), body)
        return None

    def _on_event(self, state: SidecarState, given: Recorded, now: int) -> Iterator[Answer]:
        body, name = given.event.body, given.event.run
        if isinstance(body, OF_THE_SIDECAR):
            for waiting_for, live in sorted(state.runs.items()):
                yield from self._gate_all(state, waiting_for, live, now)
            return
        if halted_by(body) is not None:
            for covered, live in sorted(state.runs.items()):
                if halts_on(state, covered, lease_of(live)):
                    yield from duties.withdrawals(covered, live)
                    yield from self._gate_all(state, covered, live, now)
            return
        run = state.runs.get(name) if name is not None else None
        if name is None or run is None:
            return
        if isinstance(body, LeaseGranted | LeaseRenewed):
            yield duties.wrap_keys(name, run)
        elif isinstance(body, ModelRequested | ReviewRequested):
            yield from self._model(state, name, run, given)
        elif isinstance(body, VerdictGiven | ApprovalDecided):
            waiting = run.proposals.get(body.proposal)
            if waiting is not None:
                yield from self._gate(state, name, run, waiting, now)
        elif isinstance(body, RunCompleted | RunHalted | LeaseRevoked | LeaseExpired):
            yield from duties.withdrawals(name, run)
            yield from self._gate_all(state, name, run, now)
        elif isinstance(body, ActionFinished) and body.proposal in run.acting:
            acting = run.acting[body.proposal]
            if acting.finished is not None:
                yield from kept(state, name, run, acting)
                yield duties.issue_receipt(state, name, run, acting)

    def _outstanding(self, state: SidecarState, now: int) -> Iterator[Answer]:
        for _, refused in sorted(state.unrecorded.items()):
            yield duties.note_of(refused)
        yield from looking.outstanding(state.watch, now)
        for name, run in sorted(state.runs.items()):
            if run.lease is not None and not run.keyed and not run.ended:
                yield duties.wrap_keys(name, run)
            yield from self._gate_all(state, name, run, now)
            for asked in sorted(run.asked.values(), key=_place):
                yield from self._model(state, name, run, asked)
            for acting in sorted(run.acting.values(), key=_started):
                if acting.finished is None:
                    yield self.revise(state, duties.reconcile(state, name, acting))
                else:
                    yield from kept(state, name, run, acting)
                    yield duties.issue_receipt(state, name, run, acting)

    def _model(
        self, state: SidecarState, name: str, run: RunState, asked: Recorded
    ) -> Iterator[Answer]:
        """Pass a request to a model on, within the lease and while nothing is halted."""
        call = duties.call_model(name, asked)
        problem = duties.call_refused(state, name, run, asked)
        if not problem and call is None:
            problem = "the prompt does not open under the run's key"
        if problem or call is None:
            yield duties.model_called(name, asked, ModelAnswer(model="", text="", error=problem))
        else:
            yield duties.within_budget(state, run, asked, call)

    def _after(self, state: SidecarState, done: Done) -> Sequence[Answer]:
        effect, result = done.effect, done.result
        if isinstance(effect, LookUp) and isinstance(result, Ownership | Unobservable):
            seen = looking.found(state.watch, effect, result)
            return [seen] if seen is not None else ()
        run = state.runs.get(effect.run) if effect.run is not None else None
        if run is None:
            return ()
        if isinstance(effect, WrapKeys) and isinstance(result, tuple) and run.lease is not None:
            lease = run.lease
            if lease.digest != effect.lease:
                return ()
            return [duties.keys_wrapped(effect.run or "", lease, result)]
        if isinstance(effect, Execute) and isinstance(result, Performed):
            acting = run.acting.get(effect.proposal)
            if acting is None or acting.finished is not None:
                return ()
            return [duties.finished(state, effect.run, acting, result)]
        if isinstance(effect, IssueReceipt) and isinstance(result, ReceiptIssued):
            acting = run.acting.get(effect.proposal)
            if acting is None or acting.finished is None:
                return ()
            return [duties.receipt_issued(effect.run, acting, result)]
        if isinstance(effect, CallModel) and isinstance(result, ModelAnswer):
            asked = run.asked.get(effect.request)
            return [duties.model_called(effect.run, asked, result)] if asked is not None else ()
        return ()

    def _gate_all(
        self, state: SidecarState, name: str, run: RunState, now: int
    ) -> Iterator[Answer]:
        for waiting in sorted(run.proposals.values(), key=_proposed):
            yield from self._gate(state, name, run, waiting, now)

    def _gate(
        self, state: SidecarState, name: str, run: RunState, waiting: Open, now: int
    ) -> Iterator[Answer]:
        """Decide one proposal, unless it still has time to wait for its verdict or person."""
        recorded = waiting.proposal
        proposal, published = recorded.event.body, recorded.published.body
        if not isinstance(proposal, ProposalMade) or not isinstance(published, ProposalMade):
            return
        case = case_of(state, name, run, waiting, now)
        overdue = state.policy is None or now >= due(waiting, state.policy)
        ended = bool(run.ended or case.halts)
        looks = () if ended else awaited(state, waiting, case, now)
        if looks:
            yield from looks
            return
        if waiting.verdict is None and not overdue and not ended:
            return
        result = evaluate(case)
        causes = tuple(
            e.digest
            for e in (recorded, waiting.verdict, waiting.approval, *waiting.more)
            if e is not None
        )
        since = recorded.event.at
        decisive = result.decisive
        if result.result is LayerResult.PASS:
            started = Draft(
                body=ActionStarted(
                    proposal=recorded.digest,
                    tool=proposal.tool,
                    arguments=content_digest(published.arguments),
                    layers=result.layers,
                    policy=state.policy_digest,
                ),
                run=name,
                causes=causes,
                since=since,
                settles=f"proposal:{recorded.digest.hex()}",
            )
            rep = case.lease.rep if case.lease is not None else ""
            tool_run = duties.execute(state.workspace, self.actor, started, recorded, rep)
            yield msgspec.structs.replace(started, then=(tool_run,))
        elif result.result is LayerResult.REFUSE and decisive is not None:
            yield _refused(name, recorded, proposal, result, causes, state.policy_digest)
        elif waiting.asked is None and decisive is not None and state.policy is not None:
            yield Draft(
                body=ApprovalRequested(
                    proposal=recorded.digest,
                    tool=proposal.tool,
                    question=decisive.reason,
                    layers=result.layers,
                    expires=now + state.policy.approval_s * SECOND,
                    policy=state.policy_digest,
                    people=people(case),
                    passkey=wanted(case),
                ),
                run=name,
                causes=causes,
                since=since,
                settles=f"proposal:{recorded.digest.hex()}",
            )


def _place(recorded: Recorded) -> int:
    return recorded.index


def _started(acting: Acting) -> int:
    return acting.started.index


def _proposed(waiting: Open) -> int:
    return waiting.proposal.index


def _refused(
    name: str,
    recorded: Recorded,
    proposal: ProposalMade,
    result: GateResult,
    causes: tuple[bytes, ...],
    policy: bytes,
) -> Draft:
    decisive = result.decisive
    assert decisive is not None
    return Draft(
        body=ActionRefused(
            proposal=recorded.digest,
            tool=proposal.tool,
            layers=result.layers,
            reason=f"layer {decisive.layer} ({decisive.name}): {decisive.reason}"[:TEXT_CHARS],
            fix=decisive.fix,
            policy=policy,
        ),
        run=name,
        causes=causes,
        since=recorded.event.at,
        settles=f"proposal:{recorded.digest.hex()}",
    )
