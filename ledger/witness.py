"""A witness: cosigns a log's checkpoint only where it extends the last one that it cosigned.

`consider` is the whole of C2SP tlog-witness's add-checkpoint but for HTTP and the disk: bytes in,
an answer out, and what must be on disk before it leaves. It reads checkpoints of any log.

Pure. Sources: c2sp.org/tlog-witness, c2sp.org/tlog-checkpoint, RFC 6962 section 2.1.2.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from ledger.checkpoint import NoteKey, open_note, parse_note, unb64
from ledger.errors import BadCheckpoint, BadProof
from ledger.merkle import EMPTY_ROOT, HASH_BYTES, check_consistency

MAX_REQUEST_BYTES: Final = 128 * 1024
MAX_STEPS: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class TreeHead(Struct, frozen=True):
    """What any log's checkpoint says first: whose it is, how many leaves, under which root."""

    origin: str
    size: int
    root: bytes


class Answer(Struct, frozen=True):
    """An HTTP answer. `seen` and `text` are set where the checkpoint may be cosigned: `seen` must
    be durable first, and the answer's body is then the cosignature of `text`.
    """

    status: int
    body: str
    kind: str = "text/plain; charset=utf-8"
    seen: TreeHead | None = None
    text: str = ""


def parse_tree_head(text: str) -> TreeHead:
    """The tree head in a note's text, extension lines aside. Raises `BadCheckpoint`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise BadCheckpoint("a checkpoint has lines for origin, size and root, and none is empty")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise BadCheckpoint("a checkpoint whose size is no plain decimal")
    data = unb64(root, "the checkpoint's root")
    if len(data) != HASH_BYTES:
        raise BadCheckpoint(f"the checkpoint's root has {len(data)} bytes, not {HASH_BYTES}")
    return TreeHead(origin, int(size), data)


def request_of(old: int, path: Sequence[str], note: str) -> bytes:
    """The body of an add-checkpoint request; `path` is the consistency proof in base64."""
    return "".join((f"old {old}\n", *(f"{step}\n" for step in path), "\n", note)).encode()


def consider(
    body: bytes, logs: Mapping[str, Sequence[NoteKey]], seen: Mapping[str, TreeHead]
) -> Answer:
    """The answer to an add-checkpoint request.

    `logs` are the keys of each log that is witnessed, by origin; `seen` the last tree head that
    was cosigned for each.
    """
    try:
        head, _, note = body.decode().partition("\n\n")
        old, *steps = head.split("\n")
        found = _OLD.fullmatch(old)
        if found is None or len(steps) > MAX_STEPS:
            return Answer(400, "the first line is no old size, or the proof is too long\n")
        path = tuple(unb64(step, "a step of the proof") for step in steps)
        text, _ = parse_note(note)
        claimed = parse_tree_head(text)
    except (UnicodeDecodeError, BadCheckpoint) as error:
        return Answer(400, f"{error}\n")
    keys = logs.get(claimed.origin)
    if keys is None:
        return Answer(404, "no such log is witnessed here\n")
    try:
        open_note(note, keys)
    except BadCheckpoint as error:
        return Answer(403, f"{error}\n")
    if int(found[1]) > claimed.size:
        return Answer(400, "the old size is above the checkpoint's\n")
    last = seen.get(claimed.origin, TreeHead(claimed.origin, 0, EMPTY_ROOT))
    if int(found[1]) != last.size or (last.size == claimed.size and last.root != claimed.root):
        return Answer(409, f"{last.size}\n", SIZE_TYPE)
    try:
        _check_grown(last, claimed, path)
    except BadProof as error:
        return Answer(422, f"{error}\n")
    return Answer(200, "", seen=claimed, text=text)


def _check_grown(last: TreeHead, claimed: TreeHead, path: tuple[bytes, ...]) -> None:
    if not last.size:
        if path:
            raise BadProof("a proof from nothing has no steps")
        return
    check_consistency(last.size, claimed.size, path, last.root, claimed.root)
