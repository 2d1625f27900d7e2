"""Checkpoints: a seal's text, its signatures, and the keys that verify them.

C2SP tlog-checkpoint (origin, size, root, then one extension line with the chain head) in a
C2SP signed note with Ed25519 signatures (type 0x01). The origin and the key name are both
`anyteam/<workspace>`. Parsed strictly: one text has one meaning, or is refused.

Sources: c2sp.org/tlog-checkpoint, c2sp.org/signed-note@v1.0.0.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from crypto.errors import BadSignature
from crypto.signing import Signer, verify_raw
from ledger.errors import BadCheckpoint

MAX_NOTE_CHARS: Final = 65_536
_ED25519: Final = b"\x01"
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_VKEY: Final = re.compile(r"(?P<name>[^+\s]+)\+(?P<hash>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)")


class Checkpoint(Struct, frozen=True, kw_only=True):
    """A ledger's state at `size` entries: Merkle root and chain head, 32 bytes each."""

    origin: str
    size: int
    root: bytes
    head: bytes

    @property
    def text(self) -> str:
        """The note text, which is what a signature covers."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\nhead {b64(self.head)}\n"


class NoteKey(Struct, frozen=True):
    """A raw Ed25519 public key under the name it signs notes with."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as `name+hash+base64(0x01 || public)`."""
        return f"{self.name}+{self.hash.hex()}+{b64(_ED25519 + self.public)}"


class NoteSignature(Struct, frozen=True):
    """One signature line, not verified: who it claims to be by, and 64 bytes where Ed25519."""

    name: str
    hash: bytes
    signature: bytes


def origin_of(workspace: str) -> str:
    """A workspace's log origin, and the name of the key that seals it."""
    return f"anyteam/{workspace}"


def parse_vkey(text: str) -> NoteKey:
    """The key in `name+hash+base64`. Raises `BadCheckpoint`."""
    name, claimed, data = split_vkey(text)
    if len(data) != 33 or data[:1] != _ED25519:
        raise BadCheckpoint("a verifier key that is not Ed25519")
    key = NoteKey(name, data[1:])
    if key.hash.hex() != claimed:
        raise BadCheckpoint("a verifier key whose hash is not its own", fix="copy it again")
    return key


def split_vkey(text: str) -> tuple[str, str, bytes]:
    """Name, hash in hex, and the bytes after the second plus. Raises `BadCheckpoint`."""
    found = _VKEY.fullmatch(text)
    if found is None:
        raise BadCheckpoint("not a verifier key", fix="it reads name+hash+key")
    return found["name"], found["hash"], unb64(found["key"], "a verifier key")


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """The whole note, signed under the checkpoint's origin as key name."""
    key = NoteKey(checkpoint.origin, signer.public)
    signature = key.hash + signer.sign_raw(checkpoint.text.encode())
    return f"{checkpoint.text}\n— {key.name} {b64(signature)}\n"


def parse_note(note: str) -> tuple[str, tuple[NoteSignature, ...]]:
    """A signed note's text and signature lines; nothing is verified. Raises `BadCheckpoint`."""
    if len(note) > MAX_NOTE_CHARS:
        raise BadCheckpoint(f"a note of {len(note)} characters is over {MAX_NOTE_CHARS}")
    if _CONTROL.search(note):
        raise BadCheckpoint("a note with control characters")
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not text or not lines.endswith("\n"):
        raise BadCheckpoint("a note without signatures")
    return text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n"))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text; nothing is verified. Raises `BadCheckpoint`."""
    lines = text.split("\n")
    if len(lines) != 5 or lines[4] or not lines[0]:
        raise BadCheckpoint("a checkpoint has exactly four lines: origin, size, root, head")
    origin, size, root, head = lines[:4]
    if not _SIZE.fullmatch(size):
        raise BadCheckpoint("a checkpoint whose size is no plain decimal")
    if not head.startswith("head "):
        raise BadCheckpoint("a checkpoint whose extension line is no chain head")
    return Checkpoint(
        origin=origin,
        size=int(size),
        root=_digest(root, "root"),
        head=_digest(head.removeprefix("head "), "head"),
    )


def read_checkpoint(note: str) -> Checkpoint:
    """What a note claims; no signature is verified. Raises `BadCheckpoint`."""
    return parse_checkpoint(parse_note(note)[0])


def open_note(note: str, keys: Iterable[NoteKey]) -> str:
    """The text of a note, signed by at least one of `keys`.

    Lines of unknown keys (witnesses, say) are ignored; one of a known key that does not
    verify spoils the note. Raises `BadCheckpoint`.
    """
    text, signatures = parse_note(note)
    known = {(key.name, key.hash): key for key in keys}
    verified = False
    for line in signatures:
        key = known.get((line.name, line.hash))
        if key is None:
            continue
        try:
            verify_raw(key.public, text.encode(), line.signature)
        except BadSignature as error:
            raise BadCheckpoint("the seal key's signature does not verify") from error
        verified = True
    if not verified:
        raise BadCheckpoint("no signature by a key that may seal")
    return text


def open_checkpoint(note: str, workspace: str, keys: Iterable[bytes]) -> Checkpoint:
    """The workspace's checkpoint in `note`, signed by at least one of the raw public `keys`.

    As `open_note`. Raises `BadCheckpoint`.
    """
    origin = origin_of(workspace)
    checkpoint = parse_checkpoint(parse_note(note)[0])
    if checkpoint.origin != origin:
        raise BadCheckpoint(f"a checkpoint of {checkpoint.origin!r}, not of {origin!r}")
    open_note(note, [NoteKey(origin, public) for public in keys])
    return checkpoint


def _signature(line: str) -> NoteSignature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—" or not name or "+" in name or any(c.isspace() for c in name):
        raise BadCheckpoint("a note's signature line is out of form")
    data = unb64(encoded, "a signature line")
    if len(data) <= 4:
        raise BadCheckpoint("a note's signature line holds no signature")
    return NoteSignature(name, data[:4], data[4:])


def _digest(text: str, what: str) -> bytes:
    data = unb64(text, f"the checkpoint's {what}")
    if len(data) != 32:
        raise BadCheckpoint(f"the checkpoint's {what} has {len(data)} bytes, not 32")
    return data


def b64(data: bytes) -> str:
    """Standard base64, padded (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str, what: str) -> bytes:
    """What `b64` made, and in no other form. Raises `BadCheckpoint` that names `what`."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadCheckpoint(f"{what} is not base64") from error
    if b64(data) != text:
        raise BadCheckpoint(f"{what} is not canonical base64")
    return data
