"""Cosignatures: witnesses' word that a log only grew (C2SP tlog-cosignature, Ed25519, type 0x04).

A cosignature is a line in the checkpoint's note; it covers the time it was given at and the note's
whole text. A witness's name and key are the auditor's to choose; lines of others are passed over.

Pure. Sources: c2sp.org/tlog-cosignature, c2sp.org/signed-note@v1.0.0.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping
from typing import Final

from msgspec import Struct

from crypto.errors import BadSignature
from crypto.signing import Signer, verify_raw
from ledger.checkpoint import NoteSignature, b64, parse_note, read_checkpoint, split_vkey
from ledger.errors import BadCheckpoint

COSIGNATURE: Final = b"\x04"
_TIME_BYTES: Final = 8


class WitnessKey(Struct, frozen=True):
    """A raw Ed25519 public key under the name it cosigns with."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The 4 bytes that name this key in a signature line."""
        named = self.name.encode() + b"\n" + COSIGNATURE + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as `name+hash+base64(0x04 || public)`."""
        return f"{self.name}+{self.hash.hex()}+{b64(COSIGNATURE + self.public)}"


def parse_witness_vkey(text: str) -> WitnessKey:
    """The witness's key in `name+hash+base64`. Raises `BadCheckpoint`."""
    name, claimed, data = split_vkey(text)
    if len(data) != 33 or data[:1] != COSIGNATURE:
        raise BadCheckpoint(
            "a witness's key that is not of type 0x04 (Ed25519 cosignature)",
            fix="ask the witness for its vkey; a log's own vkey is of another type",
        )
    key = WitnessKey(name, data[1:])
    if key.hash.hex() != claimed:
        raise BadCheckpoint("a witness's key whose hash is not its own", fix="copy it again")
    return key


def cosign(text: str, name: str, signer: Signer, at_s: int) -> str:
    """The signature line, with its newline, over a note's text at a POSIX time in seconds."""
    stamp = at_s.to_bytes(_TIME_BYTES, "big")
    data = WitnessKey(name, signer.public).hash + stamp + signer.sign_raw(_message(text, at_s))
    return f"— {name} {b64(data)}\n"


def cosigned_by(note: str, keys: Iterable[WitnessKey]) -> dict[WitnessKey, int]:
    """Which of `keys` cosigned the note, each with its (latest) time in seconds.

    Raises `BadCheckpoint` where a line claims to be of one of them and does not verify.
    """
    text, lines = parse_note(note)
    known = {(key.name, key.hash): key for key in keys}
    found: dict[WitnessKey, int] = {}
    for line in lines:
        key = known.get((line.name, line.hash))
        if key is not None:
            found[key] = max(_verified(text, line, key), found.get(key, 0))
    return found


MOST_UNWITNESSED: Final = 1_000
_CALLED: Final = "the cosigned checkpoint"


class Witnessed(Struct, frozen=True):
    """Cosigned notes as they came, the auditor's witnesses, and what is asked of these: `quorum`
    of them must have cosigned, and at most `lag` entries may have been sealed since.
    """

    notes: tuple[str, ...]
    keys: tuple[WitnessKey, ...]
    quorum: int
    lag: int = MOST_UNWITNESSED

    def named(self) -> dict[str, str]:
        """The notes that the entries are to be held to, by what they are called in a finding."""
        found: dict[str, str] = {}
        for note in self.notes:
            try:
                read_checkpoint(note)
            except BadCheckpoint:
                continue
            found[f"{_CALLED} {len(found) + 1}" if found else _CALLED] = note
        return found

    def sizes(self, held: Container[str]) -> dict[str, int]:
        """How many entries each witness that did has cosigned, by vkey, counting those of `named`
        that were `held`. Raises `BadCheckpoint` where a line of theirs does not verify.
        """
        found: dict[str, int] = {}
        for called, note in self.named().items():
            cosigned = cosigned_by(note, self.keys)
            if called in held:
                size = read_checkpoint(note).size
                for key in cosigned:
                    found[key.vkey] = max(size, found.get(key.vkey, 0))
        return found

    def agreed(self, sizes: Mapping[str, int]) -> int:
        """How many entries a quorum of the witnesses has cosigned, each at least so many."""
        found = sorted(sizes.values(), reverse=True)
        return found[self.quorum - 1] if len(found) >= self.quorum else 0

    def missing(self, sizes: Mapping[str, int], sealed: int) -> str:
        """What is missing in cosignatures of a ledger sealed up to `sealed`; empty for enough."""
        if len(sizes) < self.quorum:
            names = ", ".join(sorted(vkey.partition("+")[0] for vkey in sizes)) or "nobody"
            return f"{self.quorum} of your witnesses must have cosigned, and {names} did"
        agreed = self.agreed(sizes)
        if sealed - agreed > self.lag:
            return (
                f"{self.quorum} of your witnesses have cosigned {agreed} entries, and {sealed} are"
                f" sealed: {sealed - agreed} without their word, where {self.lag} may be"
            )
        return ""


def _verified(text: str, line: NoteSignature, key: WitnessKey) -> int:
    at_s = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    try:
        if at_s >= 2**63:
            raise BadSignature("a cosignature's time is beyond what there is")
        verify_raw(key.public, _message(text, at_s), line.signature[_TIME_BYTES:])
    except BadSignature as error:
        raise BadCheckpoint(f"the cosignature of {key.name} does not verify") from error
    return at_s


def _message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()
