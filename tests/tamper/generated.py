"""Manipulations drawn at random, and the law by which one may stay unseen.

An attacker without keys edits entries, mends numbers and manifest, and keeps or drops the seals.
The auditor holds the root key and, in two draws of three, seals or a checkpoint. In the third
they hold neither: then only what breaks a producer's chain or the ledger's meaning can tell, and
the law says exactly when nobody could: where each producer's chain is a beginning of the one it
signed, so that its author could have written just that.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from crypto.signing import Signer
from ledger.export import ExportedEntry
from schemas.envelope import decode_envelope, encode_envelope
from schemas.errors import SchemaError
from schemas.events import decode_event
from tests.tamper.scene import LEDGER, OTHER, SIZE, Entries, Held, event_at, readable, shown, signed

Change = Callable[[random.Random, Entries], None]


class Trial(Struct, frozen=True):
    """One manipulation: its name, what the auditor is shown, whether they hold seals or a note."""

    name: str
    held: Held
    bare: bool


def draw(seed: int) -> Trial:
    """The manipulation of this number; the same each time."""
    chance = random.Random(seed)
    names = [chance.choice(list(CHANGES)) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    while True:
        entries = list(LEDGER.entries)
        for name in names:
            if entries:
                CHANGES[name](chance, entries)
        if [(e.subject, e.body) for e in entries] != [(e.subject, e.body) for e in LEDGER.entries]:
            break
    held = chance.choice(("seals", "checkpoint", "bare"))
    shows = shown(
        entries,
        seals=LEDGER.seals if held == "seals" else (),
        checkpoint=LEDGER.seals[-1] if held == "checkpoint" else None,
    )
    return Trial(" and ".join(names), shows, held == "bare")


def nobody_could(held: Held) -> bool:
    """Whether each producer's chain is a beginning of what it signed, in its own order."""
    chains = _chains(held.entries)
    signed_chains = _chains(LEDGER.entries)
    return all(chain == signed_chains[key][: len(chain)] for key, chain in chains.items())


def first_changed(held: Held) -> int:
    """The first position at which the bodies shown are not those of the good ledger."""
    pairs = zip(held.entries, LEDGER.entries, strict=False)
    same = [one.body == other.body for one, other in pairs]
    return same.index(False) if False in same else len(same)


def only_a_strays_subject(held: Held) -> bool:
    """Whether all that differs is the subject of an entry that is no event, and has no effect."""
    return [e.body for e in held.entries] == [e.body for e in LEDGER.entries] and all(
        one.subject == other.subject or one.body == b"garbage"
        for one, other in zip(held.entries, LEDGER.entries, strict=True)
    )


def _chains(entries: Sequence[ExportedEntry]) -> dict[object, list[tuple[str, bytes]]]:
    chains: dict[object, list[tuple[str, bytes]]] = defaultdict(list)
    for entry in entries:
        try:
            envelope = decode_envelope(entry.body)
            key: object = (envelope.key_id, decode_event(envelope.payload).run)
        except SchemaError:
            # What is no event has no author, and its subject is nobody's word.
            chains[entry.body].append(("", entry.body))
            continue
        chains[key].append((entry.subject, entry.body))
    return chains


def _at(chance: random.Random, entries: Entries) -> int:
    return chance.randrange(len(entries))


def _bit(chance: random.Random, entries: Entries) -> None:
    at = _at(chance, entries)
    body = bytearray(entries[at].body)
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    entries[at] = msgspec.structs.replace(entries[at], body=bytes(body))


def _bytes(chance: random.Random, entries: Entries) -> None:
    at = _at(chance, entries)
    body = entries[at].body
    start = chance.randrange(len(body))
    new = chance.randbytes(chance.randint(1, 40))
    entries[at] = msgspec.structs.replace(
        entries[at], body=body[:start] + new + body[start + chance.choice((0, len(new))) :]
    )


def _drop(chance: random.Random, entries: Entries) -> None:
    at = _at(chance, entries)
    del entries[at : at + chance.choice((1, 1, 2, 5))]


def _truncate(chance: random.Random, entries: Entries) -> None:
    del entries[_at(chance, entries) :]


def _swap(chance: random.Random, entries: Entries) -> None:
    one, other = _at(chance, entries), _at(chance, entries)
    entries[one], entries[other] = entries[other], entries[one]


def _neighbours(chance: random.Random, entries: Entries) -> None:
    at = chance.randrange(max(1, len(entries) - 1))
    entries[at : at + 2] = reversed(entries[at : at + 2])


def _move(chance: random.Random, entries: Entries) -> None:
    entry = entries.pop(_at(chance, entries))
    entries.insert(chance.randint(0, len(entries)), entry)


def _shuffle(chance: random.Random, entries: Entries) -> None:
    start = _at(chance, entries)
    part = entries[start : start + chance.randint(2, 8)]
    chance.shuffle(part)
    entries[start : start + len(part)] = part


def _repeat(chance: random.Random, entries: Entries) -> None:
    entries.insert(chance.randint(0, len(entries)), entries[_at(chance, entries)])


def _insert(chance: random.Random, entries: Entries) -> None:
    subject = entries[_at(chance, entries)].subject
    garbage = chance.randbytes(chance.randint(0, 300))
    entries.insert(chance.randint(0, len(entries)), ExportedEntry(0, subject, garbage))


def _transplant(chance: random.Random, entries: Entries) -> None:
    at = _at(chance, entries)
    end = at + chance.choice((0, 1))
    entries[at:end] = [OTHER.entries[chance.randrange(len(OTHER.entries))]]


def _subject(chance: random.Random, entries: Entries) -> None:
    at, other = _at(chance, entries), _at(chance, entries)
    entries[at] = msgspec.structs.replace(entries[at], subject=entries[other].subject)


def _signature(chance: random.Random, entries: Entries) -> None:
    """Another entry's signature, or a signature by a key of the attacker's own."""
    at = chance.choice([at for at in range(SIZE) if readable(at)])
    if at >= len(entries):
        return
    envelope = decode_envelope(LEDGER.entries[at].body)
    donor = chance.choice([at for at in range(SIZE) if readable(at)])
    own = Signer.from_seed(chance.randbytes(32)).envelope(envelope.payload)
    signature = chance.choice(
        (own.signature, decode_envelope(LEDGER.entries[donor].body).signature)
    )
    body = encode_envelope(msgspec.structs.replace(envelope, signature=signature))
    entries[at] = msgspec.structs.replace(LEDGER.entries[at], body=body)


def _resign(chance: random.Random, entries: Entries) -> None:
    """An event with a changed time, position or author's key, signed with a stolen key.

    The stolen key is another component's than the event's author: what an author's own key can
    do is thought out in `tests.tamper.clever`.
    """
    at = chance.choice([at for at in range(SIZE) if readable(at)])
    event = event_at(at)
    thieves = [name for name in sorted(LEDGER.signers) if name != event.actor.instance]
    changed = msgspec.structs.replace(
        event,
        at=event.at + chance.choice((0, 1, -(10**9))),
        n=event.n + chance.choice((0, 1)),
        seen=max(0, event.seen + chance.choice((0, 1, -1))),
    )
    entry = signed(changed, chance.choice(thieves))
    entries[min(at, len(entries) - 1)] = entry


CHANGES: dict[str, Change] = {
    "bit flipped": _bit,
    "bytes overwritten or inserted": _bytes,
    "dropped": _drop,
    "truncated": _truncate,
    "swapped": _swap,
    "neighbours swapped": _neighbours,
    "moved": _move,
    "shuffled": _shuffle,
    "repeated": _repeat,
    "garbage inserted": _insert,
    "transplanted from another workspace": _transplant,
    "laid on another subject": _subject,
    "signature replaced": _signature,
    "signed with another component's stolen key": _resign,
}
