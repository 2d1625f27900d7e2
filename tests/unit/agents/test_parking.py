"""A run that waits for a person holds no process, and goes on where it was."""

from typing import Any

import msgspec
import pytest

from agents.effects import Exited, Mint, Park, Spawn, Spawned, Watch
from agents.orchestration import OrchestratorState
from agents.orchestrator import MAX_ATTEMPTS, OrchestratorDecider
from bus.decider import Done, Draft, Recorded, Tick
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
)
from schemas.events import Actor, AnyBody, Event
from schemas.leases import Unanswered
from schemas.names import NO_DIGEST, SECOND, Classification, Role
from schemas.runs import (
    LeaseGranted,
    LeaseRenewed,
    PolicySet,
    RepActivated,
    RunCompleted,
    RunOutcome,
    RunParked,
    RunStarted,
)
from tests.cases import INTENT, LEASE, NOW, POLICY, REQUEST, RUN, changed, proposal

DECIDER = OrchestratorDecider()
PARK_S, ANSWER_S = 60, 100
DUE, OVERDUE = NOW + PARK_S * SECOND, NOW + ANSWER_S * SECOND
SHORT = changed(POLICY, park_s=PARK_S)
LONG_LEASE = changed(LEASE, not_after=NOW + 500 * SECOND)


class Ledger:
    """The orchestrator's state over events of a run, and what it decides on each."""

    def __init__(self, policy: Any = SHORT, intent: Any = INTENT, *, served: bool = False) -> None:
        self.state: OrchestratorState = DECIDER.initial("acme")
        self.size = 0
        self.lease = changed(LONG_LEASE, intent=intent)
        self.tell(PolicySet(policy=policy), run=None)
        self.tell(RepActivated(rep="ann"), run=None)
        self.tell(changed(REQUEST, intent=intent), digest=b"q" * 32)
        self.tell(LeaseGranted(lease=self.lease), digest=b"l" * 32)
        self.tell(RunStarted(attempt=1, served=served))

    def tell(
        self,
        body: AnyBody,
        *,
        at: int = NOW,
        digest: bytes = b"",
        run: str | None = RUN,
        by: str = "sidecar",
    ) -> list[Any]:
        """What is decided as `body` is read."""
        self.size += 1
        event = Event(
            id="019a0000-0000-7000-8000-000000000000",
            workspace="acme",
            run=run,
            actor=Actor(Role.SIDECAR, by),
            n=0,
            prev=NO_DIGEST,
            causes=(),
            seen=0,
            at=at,
            classification=Classification.INTERNAL,
            body=body,
        )
        named = digest or self.size.to_bytes(32)
        entry = Recorded(self.size, named, event, event)
        self.state = DECIDER.evolve(self.state, entry)
        return list(DECIDER.decide(self.state, entry, at))

    def ask(self, name: bytes = b"p" * 32, at: int = NOW, people: int = 1) -> None:
        """A proposal, held."""
        self.tell(proposal(), digest=name, at=at)
        question = ApprovalRequested(
            proposal=name,
            tool="mail.send",
            question="?",
            layers=(),
            expires=at + ANSWER_S * SECOND,
            people=people,
        )
        self.tell(question, at=at)

    def tick(self, at: int) -> list[Any]:
        return list(DECIDER.decide(self.state, Tick(), at))

    def park(self) -> RunParked:
        """Park it, and hold that nothing else was decided."""
        (draft,) = self.tick(DUE)
        assert isinstance(draft, Draft)
        assert isinstance(draft.body, RunParked)
        (ending,) = draft.then
        assert ending == Park(key=f"park:{RUN}:1", run=RUN, attempt=1)
        assert self.tell(draft.body, at=DUE) == []
        return draft.body


def answer(name: bytes = b"p" * 32, decision: Decision = Decision.APPROVE) -> ApprovalDecided:
    return ApprovalDecided(proposal=name, decision=decision)


def refusal(name: bytes = b"p" * 32) -> ActionRefused:
    return ActionRefused(proposal=name, tool="mail.send", layers=(), reason="layer 14", fix="")


def test_it_is_parked_once_all_that_is_open_has_waited_for_a_person_long_enough() -> None:
    ledger = Ledger()
    ledger.ask()
    assert DECIDER.wake_at(ledger.state) == DUE
    assert [type(one) for one in ledger.tick(DUE - 1)] == [Watch]
    parked = ledger.park()
    assert parked == RunParked(attempt=1, awaits=(b"p" * 32,))
    assert DECIDER.wake_at(ledger.state) == ledger.lease.not_after


@pytest.mark.parametrize(
    "ledger",
    [Ledger(changed(POLICY, park_s=0)), Ledger(served=True)],
    ids=["a policy that parks nothing", "an agent from outside is connected"],
)
def test_it_is_never_parked_where_policy_or_its_agent_does_not_allow_it(ledger: Ledger) -> None:
    ledger.ask()
    assert DECIDER.wake_at(ledger.state) == ledger.lease.not_after
    assert [type(one) for one in ledger.tick(DUE + SECOND)] == [Watch]


def test_it_is_not_parked_while_anything_else_is_open() -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.tell(proposal(number=2), digest=b"o" * 32)
    assert [type(one) for one in ledger.tick(DUE)] == [Watch]
    started = ActionStarted(
        proposal=b"o" * 32, tool="mail.send", arguments=b"a" * 32, layers=(), policy=b"y" * 32
    )
    ledger.tell(started)
    assert [type(one) for one in ledger.tick(DUE)] == [Watch], "its effect is under way"


def test_the_end_of_a_parked_attempt_is_no_crash_and_a_restart_starts_nothing() -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.park()
    watch = Watch(key=f"watch:{RUN}:1", run=RUN, attempt=1)
    assert DECIDER.decide(ledger.state, Done(watch, Exited("exit codes")), DUE) == []
    assert ledger.tick(DUE + SECOND) == []


@pytest.mark.parametrize("decision", list(Decision))
def test_an_answer_brings_it_back_under_a_renewed_lease(decision: Decision) -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.park()
    (mint,) = ledger.tell(answer(decision=decision), at=DUE + SECOND)
    assert isinstance(mint, Mint)
    assert (mint.attempt, mint.not_after) == (2, ledger.lease.not_after)
    assert ledger.tick(DUE + SECOND) == [mint], "owed until it is done"
    (renewed,) = DECIDER.decide(ledger.state, Done(mint, ()), DUE + SECOND)
    assert isinstance(renewed, Draft)
    assert isinstance(renewed.body, LeaseRenewed)
    assert [type(one) for one in renewed.then] == [Spawn]


def test_one_of_two_answers_brings_it_back_and_it_is_parked_again_for_the_other() -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.ask(b"o" * 32)
    (draft,) = ledger.tick(DUE)
    ledger.tell(draft.body)
    assert [type(one) for one in ledger.tell(answer())] == [Mint]
    ledger.tell(refusal())
    ledger.tell(LeaseRenewed(lease=changed(ledger.lease, attempt=2)))
    ledger.tell(RunStarted(attempt=2))
    (again,) = ledger.tick(DUE)
    assert again.body == RunParked(attempt=2, awaits=(b"o" * 32,))
    assert again.causes[0] != draft.causes[0], "or it would be taken for the first"


def test_what_comes_too_late_is_no_answer_and_brings_it_back_once_it_is_refused() -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.park()
    assert ledger.tell(answer(), at=OVERDUE) == []
    assert [type(one) for one in ledger.tell(refusal(), at=OVERDUE)] == [Mint]


def test_a_question_that_nobody_answered_ends_the_run_where_it_was_to_stop_then() -> None:
    ledger = Ledger(intent=changed(INTENT, unanswered=Unanswered.STOP))
    ledger.ask()
    ledger.park()
    (end,) = ledger.tell(refusal(), at=OVERDUE)
    assert isinstance(end.body, RunCompleted)
    assert end.body.outcome is RunOutcome.EXPIRED
    assert "nobody answered" in end.body.reason


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("decision", [Decision.DENY, Decision.CHANGE])
def test_a_persons_denial_does_not_count_as_unanswered_nor_does_what_must_be_undone(
    together: bool, decision: Decision
) -> None:
    ledger = Ledger(intent=changed(INTENT, unanswered=Unanswered.STOP, together=together))
    ledger.ask()
    if not together:
        ledger.tell(answer(decision=decision))
    after = ledger.tell(refusal(), at=OVERDUE)
    assert not any(isinstance(one, Draft) for one in after)


def test_parking_uses_up_no_attempt() -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.park()
    last = changed(ledger.lease, attempt=MAX_ATTEMPTS)
    ledger.tell(LeaseRenewed(lease=last))
    watch = Watch(key=f"watch:{RUN}:{MAX_ATTEMPTS}", run=RUN, attempt=MAX_ATTEMPTS)
    assert [type(one) for one in DECIDER.decide(ledger.state, Done(watch, Exited("x")), DUE)] == [
        Mint
    ]
    beyond = changed(ledger.lease, attempt=MAX_ATTEMPTS + 1)
    ledger.tell(LeaseRenewed(lease=beyond))
    watch = changed(watch, attempt=MAX_ATTEMPTS + 1)
    (end,) = DECIDER.decide(ledger.state, Done(watch, Exited("x")), DUE)
    assert isinstance(end, Draft)
    assert isinstance(end.body, RunCompleted)
    assert end.body.outcome is RunOutcome.CRASHED


def test_a_record_of_parking_an_attempt_that_was_already_followed_changes_nothing() -> None:
    ledger = Ledger()
    ledger.ask()
    ledger.tell(LeaseRenewed(lease=changed(ledger.lease, attempt=2)))
    ledger.tell(RunParked(attempt=1, awaits=(b"p" * 32,)))
    assert [type(one) for one in ledger.tick(NOW)] == [Spawn]


def test_whether_an_agent_is_served_is_recalled_from_the_record() -> None:
    ledger = Ledger()
    keys = tuple(certified.key_id for certified in ledger.lease.keys)
    spawn = Spawn(key=f"spawn:{RUN}:1", run=RUN, attempt=1, agent="follow-up", keys=keys)
    up = Done(spawn, Spawned(served=True))
    drafts = DECIDER.decide(ledger.state, up, NOW)
    body = drafts[0].body if isinstance(drafts[0], Draft) else None
    assert body == RunStarted(attempt=1, served=True)
    event = Event(
        id="019a0000-0000-7000-8000-000000000000",
        workspace="acme",
        run=RUN,
        actor=Actor(Role.ORCHESTRATOR, "orchestrator"),
        n=0,
        prev=NO_DIGEST,
        causes=(),
        seen=0,
        at=NOW,
        classification=Classification.INTERNAL,
        body=msgspec.structs.replace(body),  # type: ignore[type-var]
    )
    assert DECIDER.recall(ledger.state, Recorded(9, b"s" * 32, event, event)) == up


def test_where_two_must_approve_one_does_not_bring_it_back_nor_does_its_own_rep() -> None:
    ledger = Ledger()
    ledger.ask(people=2)
    ledger.park()
    assert ledger.tell(answer(), by="ada") == []
    assert ledger.tell(answer(), by="ada") == []
    assert ledger.tell(answer(), by="ann") == []
    assert [type(one) for one in ledger.tell(answer(), by="bob")] == [Mint]
