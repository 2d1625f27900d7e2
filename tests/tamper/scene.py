"""The ledger that is tampered with, what an auditor holds, and what an attacker may mend.

The story has two runs side by side, a question to a person, a refusal, a halt, an invalid entry on
record and a revoked key. It is sealed six times, the last time at its very end.
"""

import functools
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from crypto.signing import Signer
from crypto.signing import verify as check_signature
from ledger.chain import leaf_of
from ledger.checkpoint import read_checkpoint
from ledger.export import ExportedEntry
from ledger.verify import Report, verify
from schemas.actions import ActionOutcome, EntryRejected, Verdict
from schemas.authority import subject_of
from schemas.envelope import decode_envelope, encode_envelope
from schemas.events import Event, decode_event, encode_event
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, KeyCertified, KeyRevoked
from tests.ledgers import HeldExport
from tests.stories import SignedLedger, Story

Entries = list[ExportedEntry]


class Held(Struct, frozen=True, kw_only=True):
    """What an auditor is shown, and what they hold beside the root key."""

    entries: Sequence[ExportedEntry]
    seals: tuple[str, ...]
    ledger: SignedLedger
    checkpoint: str | None = None
    manifest: dict[str, object] = {}
    trusted: SignedLedger | None = None
    """Whose root and receipt keys the auditor holds, where it is not `ledger`'s."""


def told(workspace: str = "acme", seed: int = 1) -> SignedLedger:
    """The story."""
    story = Story(workspace, seed)
    story.found()
    story.author("old-sidecar", Role.SIDECAR)
    story.say("root", KeyCertified(certificate=story.certificate("old-sidecar")))
    story.seal()
    one, two = story.begin("r-1"), story.begin("r-2")
    first, second = one.propose(), two.propose()
    one.give(first)
    two.give(second, Verdict.ROUTE_TO_HUMAN)
    two.ask(second)
    garbage = story.put(f"ws.{workspace}.run.r-1.proposal", b"garbage")
    note = EntryRejected(index=garbage, leaf=leaf_of(b"garbage"), reason="unreadable: not ours")
    story.say("sidecar", note)
    story.seal()
    action = one.start(first)
    story.seal()
    two.answer(second)
    receipt = one.receipt(action, one.finish(action))
    story.say("ada", HaltEngaged(scope=HaltScope.RUN, target="r-9", reason="drill"))
    story.say("ada", HaltReleased(scope=HaltScope.RUN, target="r-9", reason="over"))
    story.seal()
    other = two.start(second)
    failed = two.receipt(other, two.finish(other, ActionOutcome.FAILED))
    story.say("root", KeyRevoked(key_id=story.signers["old-sidecar"].key_id, reason="rotated"))
    one.claim(first)
    one.complete(receipt)
    story.seal()
    one_more = two.propose()
    two.give(one_more)
    two.receipt(late := two.start(one_more), two.finish(late))
    two.claim(success=False)
    assert failed.index
    story.seal()
    return story.ledger()


LEDGER = told()
OTHER = told("other")
SIZE = len(LEDGER.entries)


def shown(
    entries: Sequence[ExportedEntry],
    *,
    seals: Sequence[str] | None = None,
    checkpoint: str | None = None,
    **manifest: object,
) -> Held:
    """These entries as the workspace's ledger, numbered anew, with a manifest that fits them."""
    numbered = [
        entry if entry.index == index else msgspec.structs.replace(entry, index=index)
        for index, entry in enumerate(entries, 1)
    ]
    kept = tuple(LEDGER.seals if seals is None else seals)
    return Held(
        entries=numbered,
        seals=kept,
        ledger=LEDGER,
        checkpoint=checkpoint,
        manifest=dict(manifest),
    )


def audit(held: Held) -> Report:
    """The auditor's verdict, under the root key that they have from elsewhere."""
    export = HeldExport(msgspec.structs.replace(held.ledger, seals=held.seals), held.entries)
    export.manifest = msgspec.structs.replace(export.manifest, **held.manifest)
    return verify(
        export,
        (held.trusted or held.ledger).root_public,
        receipt_key=(held.trusted or held.ledger).receipt_key,
        checkpoint=held.checkpoint,
        check=remembered,
    )


@functools.lru_cache(maxsize=4_096)
def _holds(public: bytes, kind: str, payload: bytes, signature: bytes) -> bool:
    check_signature(public, kind, payload, signature)
    return True


def remembered(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
    """`crypto.signing.verify`, once for the same bytes: trials share nearly all of theirs."""
    _holds(public, kind, payload, signature)


def event_at(at: int) -> Event:
    """The event at position `at` of the good ledger."""
    return decode_event(decode_envelope(LEDGER.entries[at].body).payload)


def signed(event: Event, by: Signer | str) -> ExportedEntry:
    """An entry with this event, signed by whomever."""
    signer = LEDGER.signers[by] if isinstance(by, str) else by
    return ExportedEntry(
        0, subject_of(event), encode_envelope(signer.envelope(encode_event(event)))
    )


def position(event_type: str, which: int = 0) -> int:
    """The position of the n-th event of a type in the good ledger."""
    found = [at for at in range(SIZE) if readable(at) and event_at(at).type == event_type]
    return found[which]


def readable(at: int) -> bool:
    """Whether the entry at `at` holds an event."""
    return LEDGER.entries[at].body != b"garbage"


def replaced(at: int, entry: ExportedEntry) -> Entries:
    """The good entries with one replaced."""
    entries = list(LEDGER.entries)
    entries[at] = entry
    return entries


def covered(size: int) -> tuple[str, ...]:
    """The seals of at most `size` entries: what an attacker keeps who cuts the ledger there."""
    return tuple(note for note in LEDGER.seals if read_checkpoint(note).size <= size)
