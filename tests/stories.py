"""Signed ledgers told as stories: each method says one event as its rightful author.

`Story` is a workspace, `RunStory` one of its runs. A method returns what it said; fields
that should differ from the right ones are given by name. Every key is made from the seed.
"""

import random

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from crypto.keyring import new_keyring
from crypto.sealing import WorkspaceKeys, content_fields, seal_body, wrap_run_key
from crypto.signing import Signer
from crypto.trust import FOREVER
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, origin_of, sign_checkpoint
from ledger.export import ExportedEntry
from ledger.merkle import Frontier
from ledger.receipt import authenticate
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    ProposalMade,
    Receipt,
    ReceiptIssued,
    Verdict,
    VerdictGiven,
)
from schemas.authority import subject_of
from schemas.content import Plain, content_digest, plain
from schemas.envelope import decode_envelope, encode_envelope
from schemas.events import Actor, AnyBody, Event, decode_event, encode_event, event_digest
from schemas.leases import Certificate, Lease
from schemas.names import NO_DIGEST, SECOND, Classification, Role
from schemas.runs import (
    ContentKeyWrapped,
    KeyCertified,
    LeaseGranted,
    PlanFinished,
    PolicySet,
    RepActivated,
    RunCompleted,
    RunOutcome,
    RunRequested,
    RunStarted,
    WorkspaceCreated,
    WrappedKey,
)
from tests.scenery import ARGUMENTS, POLICY, REQUEST, STANDING, START, STEP


class Said(Struct, frozen=True):
    """One event as it stands in a ledger."""

    index: int
    event: Event
    digest: bytes


class SignedLedger(Struct, frozen=True, kw_only=True):
    """A ledger as an exporter finds it, with the keys behind it by instance name."""

    workspace: str
    root_public: bytes
    receipt_key: bytes
    entries: tuple[ExportedEntry, ...]
    seals: tuple[str, ...]
    signers: dict[str, Signer]

    def events(self) -> list[str]:
        """The type of each entry's event, in order."""
        return [decode_event(decode_envelope(e.body).payload).type for e in self.entries]


class Story:
    """A ledger being told. `now` moves on by `step` (0.1 s) with each event."""

    def __init__(self, workspace: str = "acme", seed: int = 1) -> None:
        self.random = random.Random(f"{workspace} {seed}")
        self.workspace = workspace
        self.now, self.step = START, STEP
        self.entries: list[ExportedEntry] = []
        self.seals: list[str] = []
        self.receipt_key = self.random.randbytes(32)
        self.ring = new_keyring(self.random.randbytes)
        self.keys = WorkspaceKeys(self.ring)
        self.signers: dict[str, Signer] = {}
        self._actors: dict[str, Actor] = {}
        self._heads: dict[str | None, dict[str, tuple[int, bytes]]] = {}
        self._frontier, self._head = Frontier(), first_head(workspace)
        self.author("root", Role.ROOT)

    def author(self, instance: str, role: Role, signer: Signer | None = None) -> Signer:
        """A new author with a fresh key, or with this one."""
        self.signers[instance] = signer or Signer.from_seed(self.random.randbytes(32))
        self._actors[instance] = Actor(role, instance)
        return self.signers[instance]

    def say(
        self,
        author: str,
        body: AnyBody,
        *,
        run: str | None = None,
        causes: tuple[bytes, ...] = (),
        at: int | None = None,
        seen: int | None = None,
        version: int = 1,
        **more: object,
    ) -> Said:
        """The author's next event in its chain, signed, at the end of the ledger.

        `at` and `seen` are now and the whole ledger unless given. `version` is the one it says it
        is of, and `more` what its body says beside what this release knows.
        """
        self.now += self.step
        when = self.now if at is None else at
        heads = self._heads.setdefault(run, {})
        n, prev = heads.get(author, (0, NO_DIGEST))
        event_id = self._event_id(when)
        secret = run is not None and bool(content_fields(type(body)))
        if secret and run is not None:
            key = self.keys.run_key(run)
            body = seal_body(body, event_id, self.workspace, run, key)
        event = Event(
            id=event_id,
            workspace=self.workspace,
            run=run,
            actor=self._actors[author],
            n=n,
            prev=prev,
            causes=causes,
            seen=len(self.entries) if seen is None else seen,
            at=when,
            classification=Classification.CONFIDENTIAL if secret else Classification.INTERNAL,
            body=body,
        )
        payload = encode_event(msgspec.structs.replace(event, v=version))
        if more:
            fields = msgspec.msgpack.decode(payload)
            payload = msgspec.msgpack.encode({**fields, "body": {**fields["body"], **more}})
        digest = event_digest(payload)
        heads[author] = (n + 1, digest)
        message = encode_envelope(self.signers[author].envelope(payload))
        return Said(self.put(subject_of(event), message), event, digest)

    def put(self, subject: str, body: bytes) -> int:
        """Store any bytes at the end of the ledger, as a hostile client could; their index."""
        self.entries.append(ExportedEntry(len(self.entries) + 1, subject, body))
        leaf = leaf_of(body)
        self._frontier.append(leaf)
        self._head = next_head(self._head, leaf)
        return len(self.entries)

    def seal(self, signer: str = "sealer") -> None:
        """Seal what there is."""
        state = Checkpoint(
            origin=origin_of(self.workspace),
            size=self._frontier.size,
            root=self._frontier.root(),
            head=self._head,
        )
        self.seals.append(sign_checkpoint(state, self.signers[signer]))

    def forget(self, run: "RunStory") -> None:
        """A run in which nothing more is said is not kept in memory, nor are its own authors."""
        del self._heads[run.run]
        for instance in (run.runtime, run.judge):
            del self.signers[instance], self._actors[instance]

    def found(self) -> None:
        """Genesis, certificates, policy, rep."""
        root = self.signers["root"].public
        self.say("root", WorkspaceCreated(name=self.workspace, root=root))
        for role, instance in STANDING:
            self.author(instance, role)
            self.say("root", KeyCertified(certificate=self.certificate(instance)))
        self.say("root", PolicySet(policy=POLICY))
        self.say("root", RepActivated(rep="ann"))

    def certificate(
        self, instance: str, *, run: str | None = None, until: int = FOREVER
    ) -> Certificate:
        """What the root or a lease certifies of an author."""
        signer, actor = self.signers[instance], self._actors[instance]
        exchange = X25519PrivateKey.from_private_bytes(self.random.randbytes(32))
        return Certificate(
            key_id=signer.key_id,
            public_key=signer.public,
            role=actor.role,
            instance=instance,
            not_before=START - SECOND,
            not_after=until,
            run=run,
            exchange=exchange.public_key().public_bytes_raw() if run else None,
        )

    def begin(self, run: str, request: RunRequested = REQUEST, /, **lease: object) -> "RunStory":
        """A run is requested, leased, keyed and started; `lease` are fields that differ."""
        return RunStory(self, run, request, lease)

    def ledger(self) -> SignedLedger:
        """All that was told."""
        return SignedLedger(
            workspace=self.workspace,
            root_public=self.signers["root"].public,
            receipt_key=self.receipt_key,
            entries=tuple(self.entries),
            seals=tuple(self.seals),
            signers=dict(self.signers),
        )

    def _event_id(self, at: int) -> str:
        head, tail = f"{at // 1_000_000:012x}", self.random.randbytes(9).hex()
        return f"{head[:8]}-{head[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}"


class RunStory:
    """One run; each method is one event of it."""

    def __init__(
        self, story: Story, run: str, request: RunRequested, changes: dict[str, object]
    ) -> None:
        self.story, self.run = story, run
        self.runtime, self.judge = f"{run}-runtime", f"{run}-judge"
        self.proposals = 0
        self.requested = self.say("ann", request)
        for instance, role in ((self.runtime, Role.RUNTIME), (self.judge, Role.JUDGE)):
            story.author(instance, role)
        until = story.now + request.ttl_s * SECOND
        keys = tuple(
            story.certificate(instance, run=run, until=until)
            for instance in (self.runtime, self.judge)
        )
        right = Lease(
            run=run,
            rep=request.rep,
            agent=request.agent,
            request=self.requested.digest,
            intent=request.intent,
            tools=request.tools,
            policy=1,
            not_before=story.now,
            not_after=until,
            max_actions=request.max_actions,
            attempt=1,
            keys=keys,
        )
        self.lease = msgspec.structs.replace(right, **changes)
        self.granted = self.say("orchestrator", LeaseGranted(lease=self.lease), self.requested)
        key = story.keys.run_key(run)
        wrapped = tuple(
            WrappedKey(
                recipient=k.key_id,
                ciphertext=wrap_run_key(key, k.exchange or b"", story.workspace, run),
            )
            for k in keys
        )
        self.say("sidecar", ContentKeyWrapped(keys=wrapped), self.granted)
        self.say("orchestrator", RunStarted(attempt=1), self.granted)

    def say(
        self,
        author: str,
        body: AnyBody,
        *causes: Said,
        at: int | None = None,
        seen: int | None = None,
    ) -> Said:
        """One event of this run."""
        digests = tuple(cause.digest for cause in causes)
        return self.story.say(author, body, run=self.run, causes=digests, at=at, seen=seen)

    def propose(self, tool: str = "crm.update", compensates: Said | None = None) -> Said:
        """The runtime proposes, or proposes to undo what came of another proposal."""
        self.proposals += 1
        body = ProposalMade(
            number=self.proposals,
            tool=tool,
            arguments=plain(ARGUMENTS),
            purpose=plain("as asked"),
            compensates=compensates.digest if compensates is not None else None,
        )
        return self.say(self.runtime, body)

    def give(self, proposal: Said, verdict: Verdict = Verdict.APPROVE) -> Said:
        """The judge answers."""
        body = VerdictGiven(proposal=proposal.digest, verdict=verdict, reason="by rule")
        return self.say(self.judge, body, proposal)

    def ask(self, proposal: Said, within_s: int = 3_600) -> Said:
        """The sidecar asks a person, who has so many seconds from then on."""
        body = ApprovalRequested(
            proposal=proposal.digest,
            tool="crm.update",
            question="May it?",
            layers=(),
            expires=self.story.now + STEP + within_s * SECOND,
        )
        return self.say("sidecar", body, proposal)

    def answer(self, proposal: Said, decision: Decision = Decision.APPROVE) -> Said:
        """The admin decides."""
        return self.say("ada", ApprovalDecided(proposal=proposal.digest, decision=decision))

    def start(
        self,
        proposal: Said,
        /,
        *,
        at: int | None = None,
        seen: int | None = None,
        **changes: object,
    ) -> Said:
        """The sidecar writes an action ahead; `changes` are fields that differ from the right."""
        made = proposal.event.body
        assert isinstance(made, ProposalMade)
        right = ActionStarted(
            proposal=proposal.digest,
            tool=made.tool,
            arguments=content_digest(made.arguments),
            layers=(),
        )
        body = msgspec.structs.replace(right, **changes)
        return self.say("sidecar", body, proposal, at=at, seen=seen)

    def finish(
        self, action: Said, outcome: ActionOutcome = ActionOutcome.CONFIRMED, /, **changes: object
    ) -> Said:
        """The sidecar records an outcome."""
        started = action.event.body
        assert isinstance(started, ActionStarted)
        right = ActionFinished(
            action=action.digest,
            proposal=started.proposal,
            outcome=outcome,
            evidence=event_digest(action.event.id.encode()),
            detail="read back",
            result=Plain(b'{"stage":2}'),
        )
        return self.say("sidecar", msgspec.structs.replace(right, **changes), action)

    def receipt(self, action: Said, finished: Said, /, **changes: object) -> Said:
        """The sidecar issues a receipt; `changes` are fields that differ from the right ones."""
        body = self.receipt_body(action, finished, **changes)
        return self.say("sidecar", body, finished, action)

    def receipt_body(self, action: Said, finished: Said, /, **changes: object) -> ReceiptIssued:
        """A receipt, authenticated but not yet said."""
        started, done = action.event.body, finished.event.body
        assert isinstance(started, ActionStarted) and isinstance(done, ActionFinished)
        right = Receipt(
            workspace=self.story.workspace,
            run=self.run,
            rep=self.lease.rep,
            agent=self.lease.agent,
            intent=self.lease.intent.summary,
            tool=started.tool,
            action=action.digest,
            key=action.event.id,
            index=action.index,
            arguments=started.arguments,
            outcome=done.outcome,
            evidence=done.evidence,
            at=finished.event.at,
        )
        receipt = msgspec.structs.replace(right, **changes)
        story = self.story
        return authenticate(receipt, story.signers["receipts"], story.receipt_key)

    def act(self) -> Said:
        """One whole action, from proposal to receipt; the receipt."""
        proposal = self.propose()
        self.give(proposal)
        action = self.start(proposal)
        return self.receipt(action, self.finish(action))

    def claim(self, *proposals: Said, success: bool = True) -> Said:
        """The runtime says that it is done."""
        claims = tuple(proposal.digest for proposal in proposals)
        return self.say(
            self.runtime, PlanFinished(success=success, summary=plain("done"), claims=claims)
        )

    def complete(
        self,
        *receipts: Said,
        outcome: RunOutcome = RunOutcome.SUCCESS,
        standing: tuple[Said, ...] = (),
        seen: int | None = None,
    ) -> Said:
        """The orchestrator ends the run, naming the actions that stand."""
        digests = tuple(receipt.digest for receipt in receipts)
        left = tuple(action.digest for action in standing)
        body = RunCompleted(outcome=outcome, reason="verified", receipts=digests, standing=left)
        return self.say("orchestrator", body, *receipts, seen=seen)
