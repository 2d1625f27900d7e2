"""The decider of a served run: what a call becomes, and who is told what came of it."""

from typing import Any

import msgspec

from agents.serving.decider import MAX_OPEN, ServingDecider
from agents.serving.effects import Arrived, Leaving, Offer, Over, Proposed, Reply
from bus.decider import Done, Draft, Effect, Recorded, Tick
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    ProposalMade,
    ReceiptIssued,
)
from schemas.compensation import Compensation
from schemas.content import Sealed, opened, plain
from schemas.events import AnyBody
from schemas.names import NO_DIGEST, Role
from schemas.runs import ContentKeyWrapped, LeaseGranted, PlanFinished, PolicySet, RunHalted
from schemas.tools import Policy
from tests.cases import ARGUMENTS, LEASE, NOW, POLICY, RUN, SEND, changed, recorded

Said = list[Draft | Effect]


class Hall:
    """A served run: entries are appended, calls arrive, and what the decider says is given back."""

    def __init__(self, *, lease: Any = LEASE, policy: Policy = POLICY) -> None:
        self.decider = ServingDecider(RUN, "runtime-1")
        self.state = self.decider.initial("acme")
        self.index = 0
        self.add(PolicySet(policy=policy), Role.ROOT, run=None)
        granted = self.add(LeaseGranted(lease=lease), Role.ORCHESTRATOR)[0]
        self.offered = self.add(ContentKeyWrapped(keys=()), Role.SIDECAR, granted.digest)[1]

    def add(
        self, body: AnyBody, role: Role, *causes: bytes, run: str | None = RUN
    ) -> tuple[Recorded, Said]:
        self.index += 1
        entry = recorded(body, self.index.to_bytes(32, "big"), role, role.value, index=self.index)
        event = changed(entry.event, causes=causes, run=run)
        entry = changed(entry, event=event, published=event)
        self.state = self.decider.evolve(self.state, entry)
        return entry, list(self.decider.decide(self.state, entry, NOW))

    def arrive(
        self, key: str, tool: str = "mail.send", arguments: Any = ARGUMENTS
    ) -> Draft | Effect:
        call = Arrived(key=key, run=RUN, tool=tool, arguments=arguments, purpose="asked")
        [said] = self.decider.decide(self.state, Done(call, None), NOW)
        return said

    def propose(self, key: str, arguments: Any = ARGUMENTS) -> bytes:
        """A call on record; its proposal."""
        draft = self.arrive(key, arguments=arguments)
        assert isinstance(draft, Draft)
        return self.record(draft)

    def record(self, draft: Draft) -> bytes:
        """What the decider drafted, on record; its digest."""
        entry, said = self.add(draft.body, Role.RUNTIME)
        assert [s.proposal for s in said if isinstance(s, Proposed)] == [entry.digest]
        return entry.digest

    def leave(self, *, success: bool) -> Draft:
        """What the decider drafts as the agent says that it is done."""
        leaving = Leaving(key="leaving", run=RUN, success=success, summary="done")
        [draft] = self.decider.decide(self.state, Done(leaving, None), NOW)
        assert isinstance(draft, Draft)
        return draft

    def finish(self, proposal: bytes, outcome: ActionOutcome) -> Said:
        """The action's end and its receipt; what is said at the receipt."""
        body = ActionFinished(
            action=NO_DIGEST,
            proposal=proposal,
            outcome=outcome,
            evidence=NO_DIGEST,
            detail="as it went",
            result=plain({"id": 1}),
        )
        finished, early = self.add(body, Role.SIDECAR)
        assert not [s for s in early if isinstance(s, Reply)], "no outcome without its receipt"
        receipt = ReceiptIssued(receipt=b"", mac=NO_DIGEST, signature=bytes(64))
        return self.add(receipt, Role.SIDECAR, finished.digest)[1]


def replies(said: Said) -> list[Reply]:
    return [one for one in said if isinstance(one, Reply)]


def outcome(said: Draft | Effect) -> str:
    assert isinstance(said, Reply)
    return said.outcome.outcome


def test_the_lease_s_tools_are_offered_once_its_key_is_there() -> None:
    hall = Hall()
    [offer] = hall.offered
    assert isinstance(offer, Offer)
    assert [tool.name for tool in offer.tools] == ["mail.send"]
    stranger = Hall(lease=changed(LEASE, keys=()))
    assert stranger.offered == []


def test_a_call_becomes_one_proposal_in_the_run_s_numbering() -> None:
    hall = Hall()
    draft = hall.arrive("call:1")
    assert isinstance(draft, Draft)
    assert isinstance(draft.body, ProposalMade)
    assert draft.body.number == 1
    assert opened(draft.body.arguments) == ARGUMENTS
    assert draft.classification.sealed
    hall.add(draft.body, Role.RUNTIME)
    second = hall.arrive("call:2", arguments={"to": ["sam@boeing.example"]})
    assert isinstance(second, Draft)
    assert isinstance(second.body, ProposalMade)
    assert second.body.number == 2


def test_the_same_call_while_it_is_open_is_the_same_proposal() -> None:
    hall = Hall()
    proposal = hall.propose("call:1")
    again = hall.arrive("call:2")
    assert isinstance(again, Reply)
    assert (again.outcome.outcome, again.outcome.proposal) == ("pending", proposal)
    asked = ApprovalRequested(
        proposal=proposal, tool="mail.send", question="May it?", layers=(), expires=NOW
    )
    [held] = replies(hall.add(asked, Role.SIDECAR)[1])
    assert (held.outcome.outcome, held.outcome.reason) == ("held", "May it?")
    assert outcome(hall.arrive("call:3")) == "held"
    decided = ApprovalDecided(proposal=proposal, decision=Decision.APPROVE)
    hall.add(decided, Role.ADMIN)
    assert outcome(hall.arrive("call:4")) == "pending"
    [done] = replies(hall.finish(proposal, ActionOutcome.CONFIRMED))
    assert done.outcome.proposal == proposal
    assert isinstance(hall.arrive("call:5"), Draft), "once it has ended, a call is a new one"


def test_an_outcome_is_told_with_its_receipt_and_never_before() -> None:
    hall = Hall()
    for number, kind in enumerate(ActionOutcome):
        proposal = hall.propose(f"call:{number}", {"to": [f"{number}@boeing.example"]})
        [done] = replies(hall.finish(proposal, kind))
        assert done.outcome.outcome == kind.value
        assert done.outcome.result == {"id": 1}
        assert done.outcome.receipt == hall.index.to_bytes(32, "big")


def test_a_refusal_is_told_with_reason_and_fix() -> None:
    hall = Hall()
    proposal = hall.propose("call:1")
    body = ActionRefused(
        proposal=proposal, tool="mail.send", layers=(), reason="layer 4", fix="ask for it"
    )
    [told] = replies(hall.add(body, Role.SIDECAR)[1])
    assert (told.outcome.outcome, told.outcome.reason, told.outcome.fix) == (
        "refused",
        "layer 4",
        "ask for it",
    )


def test_a_tool_that_the_lease_lacks_is_never_proposed() -> None:
    assert outcome(Hall().arrive("call:1", tool="mail.read")) == "unleased"


def test_only_so_many_calls_are_open_at_once() -> None:
    hall = Hall()
    for number in range(MAX_OPEN):
        hall.propose(f"call:{number}", {"to": [f"{number}@boeing.example"]})
    assert outcome(hall.arrive("more", arguments={"to": []})) == "busy"


def test_leaving_claims_what_was_confirmed_and_nothing_else() -> None:
    hall = Hall()
    good, bad = (hall.propose(f"call:{n}", {"to": [f"{n}@x.example"]}) for n in (1, 2))
    hall.finish(good, ActionOutcome.CONFIRMED)
    hall.finish(bad, ActionOutcome.UNKNOWN)
    draft = hall.leave(success=True)
    assert isinstance(draft.body, PlanFinished)
    assert draft.body.claims == (good,)


def test_after_the_end_nothing_is_proposed() -> None:
    hall = Hall()
    _, said = hall.add(RunHalted(halt=NO_DIGEST, reason="enough"), Role.ORCHESTRATOR)
    assert said == [Over(key="over", run=RUN)]
    assert outcome(hall.arrive("call:1")) == "over"
    assert list(hall.decider.decide(hall.state, Tick(), NOW)) == [Over(key="over", run=RUN)]


def test_content_that_does_not_open_troubles_nobody() -> None:
    hall = Hall()
    proposal = hall.propose("call:1")
    made = hall.state.base.waiting[proposal].event.body
    sealed = Sealed(key=RUN, nonce=bytes(12), ciphertext=bytes(16))
    hall.add(msgspec.structs.replace(made, number=2, arguments=sealed), Role.RUNTIME)
    assert outcome(hall.arrive("call:2")) == "pending"


UNSEND = changed(SEND, name="mail.unsend", compensation=None)
UNDONE_BY = Compensation(tool="mail.unsend", arguments={"id": "/result/id"})
UNDOABLE = changed(POLICY, tools=(changed(SEND, compensation=UNDONE_BY), UNSEND))
TOGETHER = changed(
    LEASE, intent=changed(LEASE.intent, together=True), tools=("mail.send", "mail.unsend")
)


def whole() -> tuple[Hall, bytes]:
    """A run of all or nothing with its first effect done; and that one's proposal."""
    hall = Hall(lease=TOGETHER, policy=UNDOABLE)
    done = hall.propose("call:1", {"to": ["1@boeing.example"]})
    assert not drafts(hall.finish(done, ActionOutcome.CONFIRMED))
    return hall, done


def drafts(said: Said) -> list[Draft]:
    return [one for one in said if isinstance(one, Draft)]


def undoing_of(draft: Draft) -> bytes | None:
    assert isinstance(draft.body, ProposalMade)
    assert (draft.body.tool, opened(draft.body.arguments)) == ("mail.unsend", {"id": 1})
    return draft.body.compensates


def test_once_not_all_can_be_had_what_was_done_is_undone_and_the_run_ends() -> None:
    hall, done = whole()
    missed = hall.propose("call:2", {"to": ["2@boeing.example"]})
    said = hall.finish(missed, ActionOutcome.FAILED)
    assert [reply.outcome.outcome for reply in replies(said)] == ["failed"]
    [undo] = drafts(said)
    assert undoing_of(undo) == done
    assert outcome(hall.arrive("call:3")) == "over"
    [end] = drafts(hall.finish(hall.record(undo), ActionOutcome.CONFIRMED))
    assert isinstance(end.body, PlanFinished) and not end.body.success


def test_nothing_is_undone_while_a_call_is_open_or_its_outcome_is_not_told() -> None:
    hall, done = whole()
    one, two = (hall.propose(f"call:{n}", {"to": [f"{n}@boeing.example"]}) for n in (2, 3))
    assert not drafts(hall.finish(one, ActionOutcome.UNKNOWN))
    [undo] = drafts(hall.finish(two, ActionOutcome.CONFIRMED))
    assert undoing_of(undo) == two
    [undo] = drafts(hall.finish(hall.record(undo), ActionOutcome.CONFIRMED))
    assert undoing_of(undo) == done


def test_an_agent_that_gives_up_has_what_it_did_undone_and_one_that_succeeds_has_not() -> None:
    hall, done = whole()
    assert isinstance(hall.leave(success=True).body, PlanFinished)
    undo = hall.leave(success=False)
    assert undoing_of(undo) == done
    [end] = drafts(hall.finish(hall.record(undo), ActionOutcome.FAILED))
    assert isinstance(end.body, PlanFinished) and not end.body.success


def test_what_does_not_belong_together_is_left_as_it_is() -> None:
    hall = Hall(policy=UNDOABLE)
    done = hall.propose("call:1", {"to": ["1@boeing.example"]})
    hall.finish(done, ActionOutcome.CONFIRMED)
    missed = hall.propose("call:2", {"to": ["2@boeing.example"]})
    assert not drafts(hall.finish(missed, ActionOutcome.FAILED))
    assert isinstance(hall.leave(success=False).body, PlanFinished)
