"""Checkpoints: the ledger's state, signed so that others' tools can read it.

A checkpoint is C2SP tlog-checkpoint text (origin, size, root) with the chain head as an
extension line, in a C2SP signed note under an Ed25519 key. The origin is
`anyteam/<workspace>`, which is also the key's name.
"""

import base64
import binascii
import hashlib
from typing import Final

from msgspec import Struct

from crypto.errors import BadSignature
from crypto.signing import Signer, verify_raw
from ledger.errors import BadNote

_ED25519: Final = b"\x01"
_HEAD: Final = "head "
_SIGNATURE: Final = "\u2014 "


class Checkpoint(Struct, frozen=True):
    """`root` and `head` over the first `size` entries."""

    origin: str
    size: int
    root: bytes
    head: bytes

    def text(self) -> str:
        """The note's text, final newline included."""
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n{_HEAD}{_b64(self.head)}\n"


def origin_of(workspace: str) -> str:
    """The origin line, and key name, of a workspace's checkpoints."""
    return f"anyteam/{workspace}"


def note_key_id(name: str, public_key: bytes) -> bytes:
    """The 4-byte key id of C2SP signed-note: SHA-256(name || 0x0A || 0x01 || key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def vkey(name: str, public_key: bytes) -> str:
    """The key in C2SP's verifier form: `<name>+<hex id>+<base64(0x01 || key)>`."""
    return f"{name}+{note_key_id(name, public_key).hex()}+{_b64(_ED25519 + public_key)}"


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """The signed note."""
    text = checkpoint.text()
    key_id = note_key_id(checkpoint.origin, signer.public)
    signature = _b64(key_id + signer.sign_raw(text.encode()))
    return f"{text}\n{_SIGNATURE}{checkpoint.origin} {signature}\n"


def open_checkpoint(note: str, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in a note that `public_key` signed. Raises `BadNote`.

    Signatures of other keys (witnesses) may stand beside it.
    """
    text, gap, signatures = note.partition("\n\n")
    text += "\n"
    if not gap or not signatures.endswith("\n"):
        raise BadNote("not a signed note")
    for line in signatures.splitlines():
        name, _, encoded = line.removeprefix(_SIGNATURE).partition(" ")
        raw = _unb64(encoded)
        if name == origin and raw[:4] == note_key_id(origin, public_key):
            try:
                verify_raw(public_key, text.encode(), raw[4:])
            except BadSignature as error:
                raise BadNote("the note's signature does not verify") from error
            return _parse(text, origin)
    raise BadNote(f"the note has no signature by {origin}'s key")


def _parse(text: str, origin: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 5 or lines[0] != origin or not lines[3].startswith(_HEAD):
        raise BadNote("not a checkpoint of this ledger")
    if not lines[1].isascii() or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
        raise BadNote("the checkpoint's size is no decimal number")
    root, head = _unb64(lines[2]), _unb64(lines[3].removeprefix(_HEAD))
    if len(root) != 32 or len(head) != 32:
        raise BadNote("the checkpoint's hashes are not 32 bytes")
    return Checkpoint(origin, int(lines[1]), root, head)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("the note holds bad base64") from error
