"""Meaning: what a verified ledger must hold beside valid signatures.

1. An action was proposed in its run, judged for exactly that proposal's digest, approved by
   a person in time where one was asked or policy reserves it (with their passkey where it says
   so), and lies within its lease, which carries nothing that the rep's signed request did not, and
   within the policy's ceilings.
2. An action is finished at most once, and not as confirmed where it began after its run's
   end or under a halt.
3. A receipt is authentic and says what the ledger says.
4. A success rests on confirmed receipts, one for each claim and each action; any other end of a
   run that was to do all or nothing names exactly the actions that stand.
5. Of a watched destination no look replaces the owner or lifts a block.

Pure. The state is per live run, and a run is forgotten once it is over and owes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from crypto.signing import verify
from crypto.trust import SignatureCheck, Verified
from ledger.budgets import Budgets
from ledger.destinations import Destinations
from ledger.errors import BadReceipt
from ledger.passkeys import Passkeys
from ledger.receipt import check_receipt
from ledger.rules import Rules, rules_of
from ledger.runs import (
    Action,
    Finished,
    Proposal,
    Run,
    fold_run,
    lease_problem,
    misstated,
    receipt_fields,
    unearned,
)
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionStarted,
    ApprovalRequested,
    Decision,
    ModelCalled,
    ModelRequested,
    ReceiptIssued,
    ReviewRequested,
    Verdict,
)
from schemas.content import content_digest
from schemas.events import Event
from schemas.leases import Lease
from schemas.names import SECOND, Role
from schemas.runs import (
    HaltReleased,
    HaltScope,
    PolicySet,
    RepActivated,
    RepRevoked,
    RunCompleted,
    RunHalted,
    RunOutcome,
    RunRequested,
    WorkspaceCreated,
)
from schemas.supervision import halted_by
from schemas.tools import Policy

Problem = tuple[str, str]
"""(kind, what)."""

SEALER: Final = "sealer"
RECEIPTS: Final = "receipts"
"""Instances of the sidecar whose keys seal and sign receipts, and sign no event."""

_JUDGED: Final = frozenset(
    (ActionStarted, ActionFinished, ReceiptIssued, RunCompleted, RunHalted, ApprovalRequested)
)
"""What is held to a rule of a run's; most events are not, and are asked once."""

_COUNTED: Final = frozenset((ActionStarted, ModelRequested, ReviewRequested, ModelCalled))
_SIDECAR: Final = Role.SIDECAR
_KEYED: Final = (SEALER, RECEIPTS)
_LETTING: Final = (Verdict.APPROVE, Verdict.ROUTE_TO_HUMAN)
_TO_HUMAN: Final = Verdict.ROUTE_TO_HUMAN
_HALTED: Final = "halt.engaged"


class Meaning:
    """Folds verified events and says what each of them lacks.

    `receipt_public` are the receipt keys in force, by key id, kept up to date by the caller;
    `receipt_key` is the workspace's MAC key, or None to leave the MACs unchecked. `check`
    verifies a receipt's signature.
    """

    def __init__(
        self,
        workspace: str,
        receipt_public: Mapping[bytes, bytes],
        receipt_key: bytes | None,
        check: SignatureCheck = verify,
    ) -> None:
        self.receipts = 0
        self._check = check
        self._workspace = workspace
        self._receipt_public = receipt_public
        self._receipt_key = receipt_key
        self._runs: dict[str, Run] = {}
        self._rules: list[Rules] = []
        self._reps: dict[str, int] = {}
        self._halts: set[tuple[HaltScope, str]] = set()
        self._released = 0
        self._destinations = Destinations()
        self._budgets = Budgets()
        self._passkeys = Passkeys()

    @property
    def unfinished(self) -> int:
        """Actions begun whose outcome is not recorded yet."""
        return sum(a.finished is None for run in self._runs.values() for a in run.actions.values())

    @property
    def unreceipted(self) -> int:
        """Actions finished whose receipt is not recorded yet."""
        return sum(
            a.finished is not None and not a.receipt
            for run in self._runs.values()
            for a in run.actions.values()
        )

    def fold(self, index: int, verified: Verified) -> Sequence[Problem]:
        """Take the next verified event and say what is wrong with it."""
        event, actor = verified.event, verified.event.actor
        problems: list[Problem] = []
        if actor.role is _SIDECAR and actor.instance in _KEYED:
            problems.append(("key", f"{event.type} is signed with the {actor.instance} key"))
        if event.run is None:
            self._passkeys.fold(index, verified.digest, event)
            problems += self._fold_workspace(index, event)
        else:
            self._fold_run(index, verified, event.run, problems)
        return problems

    def _fold_run(self, index: int, verified: Verified, name: str, problems: list[Problem]) -> None:
        kind = type(verified.event.body)
        run = self._runs.get(name)
        if run is None:
            run = Run()
            if kind is RunRequested:
                self._runs[name] = run
        if kind in _JUDGED:
            problems += self._judged(index, verified, run)
        if kind in _COUNTED and name in self._runs:
            problems += (("budget", what) for what in self._counted(index, verified))
        fold_run(run, verified)
        if run.over and not run.owes:
            self._runs.pop(name, None)
            self._budgets.forget(name)

    def _judged(self, index: int, verified: Verified, run: Run) -> Iterator[Problem]:
        event, body = verified.event, verified.event.body
        if isinstance(body, ActionStarted):
            yield from self._started(index, verified, body, run)
        elif isinstance(body, ActionFinished):
            yield from self._finished(index, verified, body, run)
        elif isinstance(body, ReceiptIssued):
            yield from self._receipt(verified, body, run)
        elif isinstance(body, RunCompleted | RunHalted):
            yield from self._ended(event, body, run)
        elif isinstance(body, ApprovalRequested):
            yield from self._asked(event, body)

    def _ended(self, event: Event, body: RunCompleted | RunHalted, run: Run) -> Iterator[Problem]:
        if isinstance(body, RunCompleted) and body.outcome is RunOutcome.SUCCESS:
            for what in unearned(event.seen, body, run):
                yield "run", what
        for what in misstated(event.seen, body, run, self._policy(event.seen)):
            yield "run", what

    def _fold_workspace(self, index: int, event: Event) -> Iterator[Problem]:
        body = event.body
        for what in self._destinations.fold(index, event):
            yield "destination", what
        if isinstance(body, PolicySet):
            self._rules.append(rules_of(index, body.policy))
        elif isinstance(body, RepActivated | RepRevoked):
            self._reps[body.rep] = index if isinstance(body, RepRevoked) else 0
        elif (halted := halted_by(body)) is not None:
            self._halts.add(halted[:2])
        elif isinstance(body, HaltReleased):
            self._halts.discard((body.scope, body.target))
            self._released = index
        elif isinstance(body, WorkspaceCreated) and body.name != self._workspace:
            yield "workspace", f"the workspace was created as {body.name!r}"

    def _counted(self, index: int, verified: Verified) -> Iterator[str]:
        """What goes over a ceiling; everything that uses one up is counted."""
        event, body = verified.event, verified.event.body
        if isinstance(body, ActionStarted):
            seen, now = self._rules_at(event.seen), self._rules_at(index)
            yield from self._budgets.started(index, event, body, seen, now)
        elif isinstance(body, ModelCalled):
            place = self._budgets.asked_at(event.run, body.request)
            yield from self._budgets.called(index, event, body, self._rules_at(place))
        else:
            self._budgets.asked(index, event, verified.digest)

    def _asked(self, event: Event, body: ApprovalRequested) -> Iterator[Problem]:
        policy = self._policy(event.seen)
        if policy is not None and body.expires > event.at + policy.approval_s * SECOND:
            yield "approval", f"a person may answer for longer than {policy.approval_s} s"

    def _started(
        self, index: int, verified: Verified, body: ActionStarted, run: Run
    ) -> Iterator[Problem]:
        event = verified.event
        proposal = run.proposals.pop(body.proposal, None)
        if proposal is None:
            yield "proposal", "the action answers no open proposal of its run"
        else:
            made = proposal.made
            if made.tool != body.tool or content_digest(made.arguments) != body.arguments:
                yield "proposal", "the action's tool or arguments are not those proposed"
            yield from self._review(event, body, proposal, run.lease)
        problem = lease_problem(event, body, run) or self._rep_problem(event, run.lease)
        if problem:
            yield "lease", problem
        void = run.ended or self._halted(event.run or "", run.lease)
        undoes = proposal.made.compensates if proposal is not None else None
        run.actions[verified.digest] = Action(index, event, body, void, undoes)

    def _review(
        self, event: Event, body: ActionStarted, proposal: Proposal, lease: Lease | None
    ) -> Iterator[Problem]:
        verdict = proposal.verdict
        if verdict is None:
            yield "verdict", "the action has no verdict for its proposal"
        elif verdict not in _LETTING:
            yield "verdict", f"the judge's verdict on the action was {verdict.value}"
        needed = proposal.asked or verdict is _TO_HUMAN or self._reserved(body.tool, event.seen)
        if self._of_two(body.tool, event.seen):
            people = proposal.approvals.keys() - {lease.rep if lease is not None else ""}
            if proposal.denied or len(people) < 2:
                said = "a person denied it" if proposal.denied else f"{len(people)} approved it"
                yield "approval", f"the action needed two people's approval, and {said}"
        elif needed and proposal.approval is not Decision.APPROVE:
            said = "declined it" if proposal.approval is not None else "did not answer"
            yield "approval", f"the action needed a person's approval, and they {said}"
        elif needed and proposal.late:
            yield "approval", "the action's approval came when the time for it was over"
        if self._by_passkey(body.tool, event.seen):
            yield from self._stepped_up(event, body, proposal, lease)

    def _stepped_up(
        self, event: Event, body: ActionStarted, proposal: Proposal, lease: Lease | None
    ) -> Iterator[Problem]:
        """The first approval bears its passkey's signature, or those of two people do."""
        rep = lease.rep if lease is not None else ""
        two = self._of_two(body.tool, event.seen)
        said = {p: a for p, a in proposal.approvals.items() if not two or p != rep}
        lacks = [self._passkeys.lacks(p, a, event.seen) for p, a in said.items()]
        # What others said after it was decided makes it no worse.
        short = lacks.count("") < 2 if two else any(lacks[:1])
        for lack in filter(None, lacks if two else lacks[:1]):
            if short:
                yield "approval", lack

    def _finished(
        self, index: int, verified: Verified, body: ActionFinished, run: Run
    ) -> Iterator[Problem]:
        action = run.actions.get(body.action)
        if action is None or action.body.proposal != body.proposal:
            yield "action", "an outcome of no action under way in its run"
            return
        if action.finished is not None:
            yield "action", f"a second outcome of the action at entry {action.index}"
            return
        action.finished = Finished(index, verified.digest, verified.event.at, body)
        lifted = action.void == _HALTED and self._released > action.index
        if action.void and not lifted and body.outcome is ActionOutcome.CONFIRMED:
            yield "action", f"confirmed although it began after: {action.void}"

    def _receipt(self, verified: Verified, body: ReceiptIssued, run: Run) -> Iterator[Problem]:
        self.receipts += 1
        receipt, problem = None, "no receipt key is in force"
        for public in self._receipt_public.values():
            try:
                receipt = check_receipt(body, public, self._receipt_key, self._check)
                break
            except BadReceipt as error:
                problem = error.what
        if receipt is None:
            yield "receipt", problem
            return
        action = run.actions.get(receipt.action)
        if action is None or action.finished is None:
            yield "receipt", "a receipt for no finished action of its run"
            return
        if action.receipt:
            yield "receipt", f"a second receipt for the action at entry {action.index}"
            return
        action.receipt = verified.digest
        if action.finished.digest not in verified.event.causes:
            yield "receipt", "the receipt does not name the outcome that it answers"
        fields = receipt_fields(action, action.finished, self._workspace, run.lease)
        for field, value in fields.items():
            if getattr(receipt, field) != value:
                yield "receipt", f"the receipt's {field} is not the ledger's"

    def _reserved(self, tool: str, seen: int) -> bool:
        """Whether the policy that the sidecar had seen reserves this tool's effect to people."""
        rules = self._rules_at(seen)
        return rules is not None and tool in rules.reserved

    def _of_two(self, tool: str, seen: int) -> bool:
        """Whether that policy wants two people's approval of this tool's effect."""
        rules = self._rules_at(seen)
        return rules is not None and tool in rules.of_two

    def _by_passkey(self, tool: str, seen: int) -> bool:
        """Whether that policy wants approvals of this tool by passkey."""
        rules = self._rules_at(seen)
        return rules is not None and tool in rules.by_passkey

    def _policy(self, seen: int) -> Policy | None:
        """The policy in force for whoever had read as far as `seen`."""
        rules = self._rules_at(seen)
        return rules.policy if rules is not None else None

    def _rules_at(self, seen: int) -> Rules | None:
        for rules in reversed(self._rules):
            if rules.index <= seen:
                return rules
        return None

    def _rep_problem(self, event: Event, lease: Lease | None) -> str:
        """That the sidecar had seen that the rep was revoked, or never activated."""
        rep = lease.rep if lease is not None else ""
        revoked = self._reps.get(rep)
        if revoked is None or 0 < revoked <= event.seen:
            return f"rep {rep} was not active"
        return ""

    def _halted(self, run: str, lease: Lease | None) -> str:
        if not self._halts:
            return ""
        scopes = {(HaltScope.PLATFORM, ""), (HaltScope.WORKSPACE, ""), (HaltScope.RUN, run)}
        if lease is not None:
            scopes |= {(HaltScope.REP, lease.rep), (HaltScope.AGENT, lease.agent)}
        return _HALTED if scopes & self._halts else ""
