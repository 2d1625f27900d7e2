"""Manipulations that were thought out, each by somebody who has more than a text editor.

`FOUND` must be found; `UNSEEN` cannot be by anybody who holds just what the auditor is given, with
the reason, and beside each stands in `FOUND` what finds it. A manipulation is a function that gives
what the auditor is shown and holds.
"""

from collections.abc import Callable

import msgspec

from crypto.signing import Signer
from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, origin_of, sign_checkpoint
from ledger.export import ExportedEntry
from ledger.merkle import Frontier
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ApprovalDecided,
    Decision,
    EntryRejected,
    ReceiptIssued,
    Verdict,
)
from schemas.content import plain
from schemas.envelope import decode_envelope, encode_envelope
from schemas.events import AnyBody, encode_event, event_digest
from schemas.leases import Intent
from schemas.names import SECOND, Role
from schemas.runs import (
    HaltEngaged,
    HaltScope,
    KeyCertified,
    KeyRevoked,
    LeaseGranted,
    PlanFinished,
    RepRevoked,
    RunCompleted,
    RunOutcome,
)
from tests.ledgers import small_ledger
from tests.stories import RunStory, Said, Story
from tests.tamper.scene import (
    LEDGER,
    OTHER,
    SIZE,
    Entries,
    Held,
    covered,
    event_at,
    position,
    readable,
    replaced,
    shown,
    signed,
)

ENTRIES = LEDGER.entries
LAST = LEDGER.seals[-1]


def without(*positions: int) -> Entries:
    return [entry for at, entry in enumerate(ENTRIES) if at not in positions]


def inserted(at: int, *entries: ExportedEntry) -> Entries:
    return [*ENTRIES[:at], *entries, *ENTRIES[at:]]


def sealed_by(signer: Signer, entries: Entries, origin: str = origin_of("acme")) -> str:
    """A seal over these entries by whoever holds `signer`."""
    frontier, head = Frontier(), first_head("acme")
    for entry in entries:
        frontier.append(leaf_of(entry.body))
        head = next_head(head, leaf_of(entry.body))
    state = Checkpoint(origin=origin, size=frontier.size, root=frontier.root(), head=head)
    return sign_checkpoint(state, signer)


def rewritten(at: int, body: AnyBody, by: str) -> Entries:
    """The author's event at `at` says something else, and all its later ones follow from that.

    This is what a stolen key can do to the past: the whole rest of its chain is signed anew.
    """
    entries = list(ENTRIES)
    scope, digests = event_at(at).run, {}
    for later in range(at, SIZE):
        if not readable(later):
            continue
        event = event_at(later)
        if event.actor.instance != by or event.run != scope:
            continue
        said = body if later == at else event.body
        prev = digests.get(event.prev, event.prev)
        new = msgspec.structs.replace(event, body=said, prev=prev)
        digests[event_digest(encode_event(event))] = event_digest(encode_event(new))
        entries[later] = signed(new, by)
    return entries


def refused_failure() -> Entries:
    """The failed action of r-2 told as confirmed, with the sidecar's stolen key."""
    at = next(
        at
        for at in range(SIZE)
        if readable(at)
        and isinstance(body := event_at(at).body, ActionFinished)
        and body.outcome is ActionOutcome.FAILED
    )
    body = event_at(at).body
    assert isinstance(body, ActionFinished)
    return rewritten(at, msgspec.structs.replace(body, outcome=ActionOutcome.CONFIRMED), "sidecar")


def forked() -> tuple[Entries, tuple[str, ...]]:
    """Another history, by somebody with the sidecar's and the sealer's keys, all sealed anew."""
    at = position("halt.released")
    entries = [*ENTRIES[: at + 1], *_reordered(list(ENTRIES[at + 1 :]))]
    seals = covered(at + 1)
    return entries, (*seals, sealed_by(LEDGER.signers["sealer"], entries))


def _reordered(entries: Entries) -> Entries:
    """The last two entries that different producers wrote, the other way round."""
    *rest, one, other = entries
    return [*rest, other, one]


def thief(tell: Callable[[Story, RunStory], object], **lease: object) -> Held:
    """A live thief: the story goes on by stolen keys, and the honest sealer seals it."""
    story = Story()
    story.found()
    run = story.begin("r-1", **lease)
    tell(story, run)
    story.seal()
    ledger = story.ledger()
    return Held(entries=ledger.entries, seals=ledger.seals, ledger=ledger)


# --- with broker access and no key ---


def envelope_encoded_anew() -> Held:
    """The same event in other msgpack around the same signature: other bytes, no seal to tell."""
    envelope = decode_envelope(ENTRIES[9].body)
    payload, key_id, signature = envelope.payload, envelope.key_id, envelope.signature
    body = b"\x93\xc6" + len(payload).to_bytes(4, "big") + payload
    body += b"\xc4\x10" + key_id + b"\xc4\x40" + signature
    assert body != ENTRIES[9].body
    entry = msgspec.structs.replace(ENTRIES[9], body=body)
    return shown(replaced(9, entry), seals=())


def rebuilt_without_refusals() -> Held:
    """Every trace of the invalid entry and of its record is left out; all is numbered anew."""
    noted = position("entry.rejected")
    garbage = next(at for at in range(SIZE) if not readable(at))
    return shown(without(garbage, noted), seals=())


def rebuilt_chain() -> Held:
    """One run left out whole, leaves, root and heads computed anew, seals by a key of their own."""
    entries = [e for e in ENTRIES if ".run.r-2." not in e.subject]
    own = Signer.from_seed(b"broker" + bytes(26))
    return shown(entries, seals=[sealed_by(own, entries)])


def own_root() -> Held:
    """A whole ledger under another root key, which the manifest names."""
    forged = small_ledger(seed=9)
    return Held(entries=forged.entries, seals=forged.seals, ledger=forged, trusted=LEDGER)


def another_workspace() -> Held:
    """Another workspace's whole ledger, with a manifest of this one's name."""
    return Held(entries=OTHER.entries, seals=OTHER.seals, ledger=LEDGER)


def certificate_altered() -> Held:
    """A certificate that names the attacker's key, under the root's signature of the true one."""
    at = position("key.certified")
    event = event_at(at)
    assert isinstance(event.body, KeyCertified)
    own = Signer.from_seed(b"mine" + bytes(28))
    granted = msgspec.structs.replace(
        event.body.certificate, public_key=own.public, key_id=own.key_id
    )
    payload = encode_event(msgspec.structs.replace(event, body=KeyCertified(certificate=granted)))
    envelope = msgspec.structs.replace(decode_envelope(ENTRIES[at].body), payload=payload)
    entry = msgspec.structs.replace(ENTRIES[at], body=encode_envelope(envelope))
    return shown(replaced(at, entry), seals=())


def origin_of_another() -> Held:
    """The sealer's key signs a checkpoint of another origin."""
    note = sealed_by(LEDGER.signers["sealer"], list(ENTRIES), "anyteam/acme-2")
    return shown(ENTRIES, seals=[*LEDGER.seals[:-1], note])


# --- with stolen component keys, editing the past ---


def event_at_its_own_place(at: int, by: str) -> Held:
    return shown(replaced(at, signed(event_at(at), by)), seals=())


def sealer_signs_a_rewrite() -> Held:
    entries, seals = forked()
    return shown(entries, seals=[*LEDGER.seals[:-1], seals[-1]], checkpoint=LAST)


def two_seals_of_one_size() -> Held:
    _, seals = forked()
    return shown(ENTRIES, seals=[*LEDGER.seals, seals[-1]])


def receipt_forged(field: str, value: object, *, sidecar: bool) -> Held:
    """A receipt that says otherwise, in the sidecar's rewritten chain or with its old signature."""
    at = position("receipt.issued")
    event = event_at(at)
    assert isinstance(event.body, ReceiptIssued)
    fields = msgspec.msgpack.decode(event.body.receipt) | {field: value}
    body = msgspec.structs.replace(event.body, receipt=msgspec.msgpack.encode(fields))
    if sidecar:
        return shown(rewritten(at, body, "sidecar"), seals=())
    return shown(replaced(at, signed(msgspec.structs.replace(event, body=body), "ann")), seals=())


def mac_replaced() -> Held:
    at = position("receipt.issued")
    body = event_at(at).body
    assert isinstance(body, ReceiptIssued)
    return shown(rewritten(at, msgspec.structs.replace(body, mac=bytes(32)), "sidecar"), seals=())


# --- with stolen component keys, on the live bus, all of it sealed ---


def judged(run: RunStory, verdict: Verdict = Verdict.APPROVE) -> Said:
    proposal = run.propose()
    run.give(proposal, verdict)
    return proposal


def valid_entry_struck_out(story: Story, run: RunStory) -> None:
    said = run.propose()
    leaf = leaf_of(story.entries[said.index - 1].body)
    story.say("sidecar", EntryRejected(index=said.index, leaf=leaf, reason="forged: no"))


def excused_by_the_runtime(story: Story, run: RunStory) -> None:
    garbage = story.put("ws.acme.run.r-1.proposal", b"x")
    run.say(run.runtime, EntryRejected(index=garbage, leaf=leaf_of(b"x"), reason="unreadable: x"))


def judge_of_another_run(story: Story, run: RunStory) -> None:
    other = story.begin("r-2")
    proposal = run.propose()
    other.give(proposal)
    run.start(proposal)


def runtime_after_its_lease(story: Story, run: RunStory) -> None:
    run.complete(outcome=RunOutcome.FAILURE)
    run.propose()


def backdated(story: Story, run: RunStory) -> None:
    proposal = judged(run)
    run.start(proposal, at=run.lease.not_before - SECOND)


def orchestrator_certifies(story: Story, run: RunStory) -> None:
    story.author("mine", Role.SIDECAR)
    lease = msgspec.structs.replace(run.lease, keys=(story.certificate("mine"),))
    run.say("orchestrator", LeaseGranted(lease=lease))


def renewed_for_others(story: Story, run: RunStory) -> None:
    proposal = judged(run)
    lease = msgspec.structs.replace(run.lease, tools=("crm.update", "pay", "crm.export"), keys=())
    run.say("orchestrator", LeaseGranted(lease=lease))
    run.start(proposal)


def after_the_rep_was_revoked(story: Story, run: RunStory) -> None:
    proposal = judged(run)
    story.say("root", RepRevoked(rep="ann", reason="left"))
    run.start(proposal)


def under_a_halt(story: Story, run: RunStory) -> None:
    proposal = judged(run)
    story.say("ada", HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="stop"))
    run.finish(run.start(proposal))


def approval_by_the_sidecar(story: Story, run: RunStory) -> None:
    proposal = judged(run, Verdict.ROUTE_TO_HUMAN)
    run.ask(proposal)
    run.say("sidecar", ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE))
    run.start(proposal)


def success_without_receipt(story: Story, run: RunStory) -> None:
    proposal = judged(run)
    run.finish(run.start(proposal))
    run.claim(proposal)
    run.complete()


def success_never_claimed(story: Story, run: RunStory) -> None:
    run.complete(run.act())


def claim_by_the_judge(story: Story, run: RunStory) -> None:
    receipt = run.act()
    run.say(run.judge, PlanFinished(success=True, summary=plain("done"), claims=()))
    run.complete(receipt)


def one_proposal_twice(story: Story, run: RunStory) -> None:
    proposal = judged(run)
    run.start(proposal)
    run.start(proposal)


def other_arguments(story: Story, run: RunStory) -> None:
    run.start(judged(run), arguments=b"x" * 32)


def no_verdict(story: Story, run: RunStory) -> None:
    run.start(run.propose())


def too_many(story: Story, run: RunStory) -> None:
    for _ in range(6):
        run.act()


def keys_own_counter_skipped(story: Story, run: RunStory) -> None:
    story._heads["r-1"]["sidecar"] = (7, b"x" * 32)
    run.start(judged(run))


def receipts_key_says_an_event(story: Story, run: RunStory) -> None:
    story.say("receipts", EntryRejected(index=1, leaf=bytes(32), reason="x"))


def revoked_key_goes_on(story: Story, run: RunStory) -> None:
    story.say("root", KeyRevoked(key_id=story.signers["orchestrator"].key_id, reason="stolen"))
    run.complete(outcome=RunOutcome.FAILURE)


def admin_certifies(story: Story, run: RunStory) -> None:
    story.author("mine", Role.SIDECAR)
    story.say("ada", KeyCertified(certificate=story.certificate("mine")))


def ended_by_the_runtime(story: Story, run: RunStory) -> None:
    body = RunCompleted(outcome=RunOutcome.SUCCESS, reason="trust me", receipts=())
    run.say(run.runtime, body)


def _unsealed_end() -> Held:
    """A ledger whose last event no seal covers yet loses it."""
    return shown(ENTRIES[:-1], seals=covered(SIZE - 1))


FOUND: dict[str, Callable[[], Held]] = {
    # Broker access and no key.
    "envelope encoded anew": envelope_encoded_anew,
    "invalid entry and its record left out": rebuilt_without_refusals,
    "one run left out, chain and root rebuilt, own seal": rebuilt_chain,
    "whole ledger under the attacker's own root": own_root,
    "another workspace's ledger under this name": another_workspace,
    "certificate names the attacker's key": certificate_altered,
    "seal of another origin": origin_of_another,
    "seals in another order": lambda: shown(ENTRIES, seals=LEDGER.seals[::-1]),
    "cut short, seals kept": lambda: shown(ENTRIES[:20]),
    "cut short with its seals, checkpoint held": lambda: shown(
        ENTRIES[:20], seals=covered(20), checkpoint=LAST
    ),
    "last event dropped, checkpoint held": lambda: shown(
        ENTRIES[:-1], seals=covered(SIZE - 1), checkpoint=LAST
    ),
    "nothing at all shown": lambda: shown([], seals=()),
    "revocation left out": lambda: shown(without(position("key.revoked"))),
    "halt left out": lambda: shown(without(position("halt.engaged")), seals=()),
    "genesis left out": lambda: shown(without(0), seals=()),
    "manifest claims less": lambda: shown(ENTRIES, size=SIZE - 1),
    "manifest names another root": lambda: shown(ENTRIES, root_key="anyteam/acme+00000000+AAAA"),
    # Two histories.
    "the other history, held to the first auditor's checkpoint": lambda: shown(
        forked()[0], seals=forked()[1], checkpoint=LAST
    ),
    "the first history, held to the other auditor's checkpoint": lambda: shown(
        ENTRIES, checkpoint=forked()[1][-1]
    ),
    "rewritten and sealed with the stolen seal key, old seals kept": sealer_signs_a_rewrite,
    "two seals of one size": two_seals_of_one_size,
    # Stolen component keys, editing the past.
    "a failure told as confirmed, sidecar's chain signed anew": lambda: shown(
        refused_failure(), seals=()
    ),
    "the same, under the old seals": lambda: shown(refused_failure()),
    "action signed by the orchestrator": lambda: event_at_its_own_place(
        position("action.started"), "orchestrator"
    ),
    "verdict signed by the runtime": lambda: event_at_its_own_place(
        position("verdict.given"), "r-1-runtime"
    ),
    "approval signed by the sidecar": lambda: event_at_its_own_place(
        position("approval.decided"), "sidecar"
    ),
    "receipt's outcome, with sidecar's key and not the receipts'": lambda: receipt_forged(
        "outcome", "failed", sidecar=True
    ),
    "receipt signed by a rep": lambda: receipt_forged("tool", "pay", sidecar=False),
    "receipt's MAC replaced with sidecar's key": mac_replaced,
    "event signed twice into the chain": lambda: shown(
        inserted(SIZE, ENTRIES[position("receipt.issued")]), seals=()
    ),
    # Stolen component keys, on the live bus, sealed by the honest sealer.
    "a valid entry struck out as invalid": lambda: thief(valid_entry_struck_out),
    "an invalid entry excused by the runtime": lambda: thief(excused_by_the_runtime),
    "verdict by another run's judge": lambda: thief(judge_of_another_run),
    "runtime speaks after its lease": lambda: thief(runtime_after_its_lease),
    "action dated before its lease": lambda: thief(backdated),
    "orchestrator certifies a sidecar": lambda: thief(orchestrator_certifies),
    "orchestrator widens the lease": lambda: thief(renewed_for_others),
    "orchestrator grants another intent": lambda: thief(
        lambda _, run: run.start(judged(run)), intent=Intent(summary="anything")
    ),
    "action for a revoked rep": lambda: thief(after_the_rep_was_revoked),
    "action confirmed under a halt": lambda: thief(under_a_halt),
    "sidecar approves for the person": lambda: thief(approval_by_the_sidecar),
    "orchestrator tells a success without receipts": lambda: thief(success_without_receipt),
    "orchestrator tells a success that nobody claimed": lambda: thief(success_never_claimed),
    "judge claims the plan is done": lambda: thief(claim_by_the_judge),
    "one proposal carried out twice": lambda: thief(one_proposal_twice),
    "action with other arguments": lambda: thief(other_arguments),
    "action without a verdict": lambda: thief(no_verdict),
    "more actions than the lease allows": lambda: thief(too_many),
    "sidecar skips its own counter": lambda: thief(keys_own_counter_skipped),
    "receipts' key signs an event": lambda: thief(receipts_key_says_an_event),
    "revoked key goes on": lambda: thief(revoked_key_goes_on),
    "admin certifies a key": lambda: thief(admin_certifies),
    "runtime ends its run as a success": lambda: thief(ended_by_the_runtime),
}

UNSEEN: dict[str, tuple[Callable[[], Held], str]] = {
    "last event dropped with its seal, nothing held": (
        _unsealed_end,
        "a shorter ledger was once the whole truth, sealed and signed; only who knows a later"
        " checkpoint (their own, another auditor's, a witness's) can say that it went on",
    ),
    "cut at a seal with all later seals, nothing held": (
        lambda: shown(ENTRIES[:20], seals=covered(20)),
        "the same: what is shown was the whole ledger at that seal",
    ),
    "another order sealed with the stolen seal key, nothing held": (
        lambda: shown(forked()[0], seals=forked()[1]),
        "whoever holds the seal key decides the order between producers that do not answer one"
        " another; no signature but the seal says it. A checkpoint of the first history shows both",
    ),
    "neighbours of two runs exchanged, no seal shown": (
        lambda: shown(_reordered(list(ENTRIES)), seals=()),
        "without a seal nothing signs the order between producers that do not answer one another",
    ),
    "a thief of all of a component's keys does what the component may": (
        lambda: thief(lambda _, run: run.act()),
        "what a stolen key says within its role, run and time is what its owner could have said;"
        " layers of other components, and revocation, bound it",
    ),
}
