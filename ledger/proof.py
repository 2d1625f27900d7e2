"""An inclusion proof that stands alone, as text: C2SP tlog-proof.

It binds an entry's leaf hash to a checkpoint; who believes the checkpoint's key, and its witnesses,
needs nothing else. Parsed strictly. Positions count from 0, ledger indexes from 1.
Sources: c2sp.org/tlog-proof@v1, RFC 6962 section 2.1.1.
"""

import re
from typing import Final

from msgspec import Struct

from ledger.checkpoint import Checkpoint, NoteKey, b64, open_note, parse_checkpoint, unb64
from ledger.errors import BadCheckpoint, BadProof
from ledger.merkle import HASH_BYTES, check_consistency, check_inclusion
from ledger.tiles import CHECKPOINT, Fetch, TileTree

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_STEPS: Final = 63
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


class Proof(Struct, frozen=True):
    """That an entry stands at `position` in the tree of the checkpoint in `note`."""

    position: int
    path: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The proof as a file's content; such files end in `.tlog-proof`."""
        steps = "".join(f"{b64(step)}\n" for step in self.path)
        return f"{HEADER}\nindex {self.position}\n{steps}\n{self.note}"


def parse_proof(text: str) -> Proof:
    """The proof in a file's content; nothing is verified. Raises `BadProof`."""
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER:
        raise BadProof("not a tlog-proof", fix=f"its first line is {HEADER}")
    # Extra data is nobody's word, and we write none.
    rest = lines[2:] if lines[1:] and lines[1].startswith("extra ") else lines[1:]
    found = _INDEX.fullmatch(rest[0]) if rest else None
    if found is None or len(rest) > MAX_STEPS + 1:
        raise BadProof("a tlog-proof without an index, or with more steps than a tree has")
    try:
        path = tuple(unb64(line, "a step of the proof") for line in rest[1:])
    except BadCheckpoint as error:
        raise BadProof(error.what) from error
    if any(len(step) != HASH_BYTES for step in path):
        raise BadProof(f"a step of the proof has other than {HASH_BYTES} bytes")
    return Proof(int(found[1]), path, note)


def check_proof(proof: Proof, leaf: bytes, key: NoteKey) -> Checkpoint:
    """The checkpoint under which `leaf` is proved, signed by `key`.

    Raises `BadProof`, and `BadCheckpoint` where the note is not the key's.
    """
    sealed = signed_by(proof.note, key)
    check_inclusion(leaf, proof.position, sealed.size, proof.path, sealed.root)
    return sealed


def prove(fetch: Fetch, position: int, key: NoteKey) -> tuple[Proof, bytes]:
    """A checked proof from a log's tiles and checkpoint alone, and the leaf that it is for.

    Raises `BadProof` where the tiles do not lead to the signed root, `BadCheckpoint`.
    """
    note, sealed = checkpoint_of(fetch, key)
    if not 0 <= position < sealed.size:
        raise BadProof(f"no position {position} in the sealed tree of {sealed.size} entries")
    tree = TileTree(fetch, sealed.size)
    proof = Proof(position, tree.inclusion(position), note)
    leaf = tree.leaf(position)
    check_proof(proof, leaf, key)
    return proof, leaf


def prove_extends(fetch: Fetch, earlier: str, key: NoteKey) -> tuple[Checkpoint, Checkpoint]:
    """The earlier and the present checkpoint of a log, which by its tiles extends the earlier.

    Raises `BadProof` where it does not, or is shorter; `BadCheckpoint`.
    """
    before = signed_by(earlier, key)
    _, now = checkpoint_of(fetch, key)
    if before.size > now.size:
        raise BadProof(
            f"you hold a checkpoint of {before.size} entries, the log shows {now.size}",
            fix="ask for the log as it is now; if this is all, entries were taken away",
        )
    if before.size:
        path = TileTree(fetch, now.size).consistency(before.size)
        check_consistency(before.size, now.size, path, before.root, now.root)
    return before, now


def checkpoint_of(fetch: Fetch, key: NoteKey) -> tuple[str, Checkpoint]:
    """A log's present checkpoint and its note, signed by `key`. Raises `BadCheckpoint`."""
    try:
        note = fetch(CHECKPOINT).decode()
    except UnicodeDecodeError as error:
        raise BadCheckpoint("the log's checkpoint is no text") from error
    return note, signed_by(note, key)


def signed_by(note: str, key: NoteKey) -> Checkpoint:
    """The checkpoint in a note of `key`'s own log. Raises `BadCheckpoint`."""
    sealed = parse_checkpoint(open_note(note, [key]))
    if sealed.origin != key.name:
        raise BadCheckpoint(f"a checkpoint of {sealed.origin!r}, not of {key.name!r}")
    return sealed
