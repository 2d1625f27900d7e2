"""What the sidecar owes beside the gate: content keys, tool runs, outcomes, receipts, notes.

Pure: each function turns what the state holds into a draft or an effect.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from bus.decider import Draft, Recorded, Refused, draft_id
from classify.tagging import found_in
from schemas.actions import (
    ActionFinished,
    ActionStarted,
    EntryRejected,
    ModelCalled,
    ModelRequested,
    ProposalMade,
    Receipt,
    ReceiptIssued,
    ReviewRequested,
)
from schemas.content import Sealed, opened, plain, value_of
from schemas.events import Actor
from schemas.names import NO_DIGEST, TEXT_CHARS, Classification
from schemas.runs import ContentKeyWrapped, WrappedKey
from schemas.tools import Policy, Tool
from sidecar.effects import (
    CallModel,
    Execute,
    IssueReceipt,
    ModelAnswer,
    Performed,
    Withdraw,
    WrapKeys,
)
from sidecar.gate.conduct import Spend
from sidecar.remembering import day_of
from sidecar.state import Acting, RunState, SidecarState, halts_on, lease_of

_MONEY: Final = "millionths of the currency"


class CallReviewer(CallModel, frozen=True, kw_only=True):
    """Ask the judge's model, for an answer of `form` (a JSON Schema). Result: `ModelAnswer`."""

    form: dict[str, Any]


def wrap_keys(name: str, run: RunState) -> WrapKeys:
    """Let the lease's runtime and judge have the run's content key."""
    lease = lease_of(run)
    keys = lease.keys if lease is not None else ()
    attempt = lease.attempt if lease is not None else 0
    return WrapKeys(
        key=f"wrap:{name}:{attempt}",
        run=name,
        lease=run.lease.digest if run.lease is not None else b"",
        recipients=tuple(key for key in keys if key.exchange is not None),
    )


def keys_wrapped(name: str, lease: Recorded, keys: tuple[WrappedKey, ...]) -> Draft:
    """The wrapped keys, on record."""
    return Draft(
        body=ContentKeyWrapped(keys=keys), run=name, causes=(lease.digest,), since=lease.event.at
    )


def execute(workspace: str, actor: Actor, started: Draft, proposal: Recorded, rep: str) -> Execute:
    """The tool run that rides in its write-ahead record, under that record's id."""
    body = proposal.event.body
    assert isinstance(body, ProposalMade)
    return Execute(
        key=f"action:{proposal.digest.hex()}",
        run=started.run,
        proposal=proposal.digest,
        tool=body.tool,
        rep=rep,
        arguments=value_of(body.arguments),
        idempotency_key=draft_id(workspace, actor, started),
    )


def reconcile(state: SidecarState, name: str, acting: Acting) -> Execute:
    """Find out about a tool run that a former incarnation may have begun."""
    body = acting.proposal.event.body
    assert isinstance(body, ProposalMade)
    run = state.runs[name]
    lease = lease_of(run)
    return Execute(
        key=f"action:{acting.proposal.digest.hex()}",
        run=name,
        proposal=acting.proposal.digest,
        tool=body.tool,
        rep=lease.rep if lease is not None else "",
        arguments=opened(body.arguments) or {},
        idempotency_key=acting.started.event.id,
        reconcile=True,
        allowed=not (run.ended or acting.barred or acting.halted or halts_on(state, name, lease)),
        begun=not acting.barred,
    )


def withdrawals(name: str, run: RunState) -> Iterator[Withdraw]:
    """An end to the waiting for each tool run that is under way."""
    for proposal, acting in sorted(run.acting.items()):
        if acting.finished is None:
            yield Withdraw(
                key=f"withdraw:{proposal.hex()}", run=name, action=f"action:{proposal.hex()}"
            )


def finished(state: SidecarState, name: str | None, acting: Acting, done: Performed) -> Draft:
    """What came of an action. Its result is as confidential as its tool declares, or as the most
    sensitive span that is found in it.
    """
    body = acting.started.event.body
    assert isinstance(body, ActionStarted)
    tool = tool_of(state.policy, body.tool)
    return Draft(
        body=ActionFinished(
            action=acting.started.digest,
            proposal=acting.proposal.digest,
            outcome=done.outcome,
            evidence=done.evidence or NO_DIGEST,
            detail=done.detail,
            result=plain(done.result),
            reconciled=done.reconciled,
        ),
        run=name,
        causes=(acting.started.digest, acting.proposal.digest),
        since=acting.started.event.at,
        classification=_classified(tool, done.result),
    )


def _classified(tool: Tool | None, result: object) -> Classification:
    if tool is None:
        return Classification.RESTRICTED
    return max(tool.classification, found_in(result), key=lambda one: one.rank)


def issue_receipt(state: SidecarState, name: str, run: RunState, acting: Acting) -> IssueReceipt:
    """The receipt of a finished action, yet to be authenticated."""
    done, started = acting.finished, acting.started
    lease = lease_of(run)
    assert lease is not None and done is not None
    assert isinstance(done.event.body, ActionFinished)
    assert isinstance(started.event.body, ActionStarted)
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
        outcome=done.event.body.outcome,
        evidence=done.event.body.evidence,
        at=done.event.at,
    )
    return IssueReceipt(
        key=f"receipt:{started.digest.hex()}",
        run=name,
        proposal=acting.proposal.digest,
        receipt=receipt,
    )


def receipt_issued(name: str | None, acting: Acting, body: ReceiptIssued) -> Draft:
    """The receipt, on record."""
    done = acting.finished
    assert done is not None
    return Draft(
        body=body,
        run=name,
        causes=(done.digest, acting.started.digest),
        since=done.event.at,
    )


def call_model(name: str, asked: Recorded) -> CallModel | None:
    """The call that a runtime or a judge asked for, or None where its prompt does not open."""
    body = asked.event.body
    assert isinstance(body, ModelRequested | ReviewRequested)
    if isinstance(body.prompt, Sealed):
        return None
    said = opened(body.prompt)
    form = None
    if isinstance(body, ReviewRequested):
        prompt = said if isinstance(said, dict) else {}
        said, form = prompt.get("messages"), prompt.get("form")
    messages = tuple(
        {"role": str(m.get("role", "user")), "content": str(m.get("content", ""))}
        for m in (said if isinstance(said, list) else [])
        if isinstance(m, dict)
    )
    key = f"model:{asked.digest.hex()}"
    if isinstance(body, ReviewRequested):
        shape = form if isinstance(form, dict) else {}
        return CallReviewer(key=key, run=name, request=asked.digest, messages=messages, form=shape)
    return CallModel(key=key, run=name, request=asked.digest, messages=messages)


def call_refused(state: SidecarState, name: str, run: RunState, asked: Recorded) -> str:
    """Why a model may not be asked now, or an empty string."""
    lease, policy = lease_of(run), state.policy
    if lease is None or policy is None or run.ended or halts_on(state, name, lease):
        return "no lease in force, or halted"
    if isinstance(asked.event.body, ReviewRequested):
        if run.reviews > 2 * lease.max_actions:
            return f"the lease allows {2 * lease.max_actions} reviews"
    elif run.model_calls > lease.max_actions:
        return f"the lease allows {lease.max_actions} model calls"
    for whose, unit, ceiling, used in _ceilings(state, run, asked):
        if used >= ceiling:
            return f"the ceiling per {whose} is spent: {used} of {ceiling} {unit}"
    return ""


def within_budget(
    state: SidecarState, run: RunState, asked: Recorded, call: CallModel
) -> CallModel:
    """The call, with what run and day have left for it."""
    left: dict[str, int] = {}
    for _, unit, ceiling, used in _ceilings(state, run, asked):
        left[unit] = min(ceiling - used, left.get(unit, ceiling))
    return replace(call, tokens=left.get("tokens"), money=left.get(_MONEY))


def _ceilings(
    state: SidecarState, run: RunState, asked: Recorded
) -> Iterator[tuple[str, str, int, int]]:
    """What bounds a model call: whose ceiling, its unit, the ceiling, what is used of it."""
    policy = state.policy
    if policy is None:
        return
    today = state.spent if state.day >= day_of(asked.event.at) else Spend()
    for whose, budget, used in (
        ("run", policy.per_run, run.memory.conduct.spend),
        ("day", policy.per_day, today),
    ):
        if budget.tokens:
            yield whose, "tokens", budget.tokens, used.tokens
        if budget.money:
            yield whose, _MONEY, budget.money, used.money


def model_called(name: str | None, asked: Recorded, answer: ModelAnswer) -> Draft:
    """The model's answer, on record, at least as confidential as what was asked."""
    return Draft(
        body=ModelCalled(
            request=asked.digest,
            model=answer.model,
            answer=plain(answer.text),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            error=answer.error[:TEXT_CHARS],
            cost=answer.cost,
        ),
        run=name,
        causes=(asked.digest,),
        since=asked.event.at,
        classification=max(
            Classification.CONFIDENTIAL, asked.event.classification, key=lambda c: c.rank
        ),
    )


def note_of(refused: Refused) -> Draft:
    """An invalid entry of the stream, on record."""
    return Draft(
        body=EntryRejected(index=refused.index, leaf=refused.leaf, reason=refused.reason),
        run=None,
        causes=(),
        since=0,
        salt=f"{refused.index} {refused.leaf.hex()}",
    )


def tool_of(policy: Policy | None, name: str) -> Tool | None:
    """The policy's declaration of a tool, or None."""
    tools = policy.tools if policy is not None else ()
    return next((tool for tool in tools if tool.name == name), None)
