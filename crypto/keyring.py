"""The keys that content is sealed under: one for each content field of each event, and a way to
destroy any of them alone.

A run's key is a leaf of a puncturable pseudorandom function, the binary tree of Goldreich,
Goldwasser and Micali (J. ACM 33(4), 1986) punctured as by Green and Miers (IEEE S&P 2015): a
ring without a leaf holds the 128 subtrees beside its path, and the leaf follows from none of
them. A field's key is derived from its run's (HKDF-Expand, RFC 5869). Of a run that was punctured
the ring keeps the keys of those fields alone that stay.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct

from crypto.errors import SealError
from schemas.erasure import ContentField
from schemas.errors import UNREADABLE

DEPTH: Final = 128
_SIDES: Final = (b"anyteam keyring left v1", b"anyteam keyring right v1")

Entropy = Callable[[int], bytes]
"""Gives that many unpredictable bytes: the system's, or in a simulation the seed's."""


class Keyring(Struct, frozen=True, forbid_unknown_fields=True):
    """`nodes` maps a path from the root (`""`, or as many `0` and `1`) to the 32-byte key of the
    subtree below it; no path is the beginning of another. `kept` are keys of punctured runs.
    """

    nodes: dict[str, bytes]
    kept: dict[str, dict[str, bytes]]

    def __repr__(self) -> str:
        return f"Keyring({len(self.nodes)} nodes, {len(self.kept)} runs punctured)"


def new_keyring(entropy: Entropy = secrets.token_bytes) -> Keyring:
    """A ring with every key there can be."""
    return Keyring(nodes={"": entropy(32)}, kept={})


def run_key(ring: Keyring, run: str) -> bytes | None:
    """The 32-byte key of one run, None where it was punctured."""
    path = _path(run)
    for depth in range(DEPTH + 1):
        key = ring.nodes.get(path[:depth])
        if key is not None:
            for side in path[depth:]:
                key = _child(key, side)
            return key
    return None


def field_key(run: bytes, event: str, name: str) -> bytes:
    """The 32-byte key of one content field, from its run's key."""
    info = f"anyteam content key v1 {event} {name}".encode()
    return HKDFExpand(algorithm=SHA256(), length=32, info=info).derive(run)


def kept_key(ring: Keyring, field: ContentField) -> bytes | None:
    """The key of a field of a punctured run, None where it was destroyed."""
    return ring.kept.get(field.run, {}).get(_label(field))


def puncture(
    ring: Keyring, erased: Iterable[ContentField], staying: Iterable[ContentField]
) -> Keyring:
    """`ring` without the keys of `erased`. Of the runs they belong to it can open the fields in
    `staying` alone, so those are all the run's others. Puncturing twice is puncturing once.
    """
    gone = set(erased)
    nodes, kept = dict(ring.nodes), {run: dict(keys) for run, keys in ring.kept.items()}
    others: dict[str, list[ContentField]] = {}
    for field in staying:
        others.setdefault(field.run, []).append(field)
    for run in sorted({field.run for field in gone}):
        key = run_key(Keyring(nodes, kept), run)
        if key is not None:
            kept[run] = {
                _label(field): field_key(key, field.event, field.name)
                for field in others.get(run, ())
            }
            _remove(nodes, _path(run))
        for field in gone:
            if field.run == run:
                kept[run].pop(_label(field), None)
    return Keyring(nodes, kept)


def encode_keyring(ring: Keyring) -> bytes:
    """MessagePack, the same bytes for the same ring."""
    return msgspec.msgpack.encode(ring, order="deterministic")


def decode_keyring(data: bytes) -> Keyring:
    """The inverse. Raises `SealError` where it is none."""
    try:
        ring = msgspec.msgpack.decode(data, type=Keyring)
    except UNREADABLE as error:
        raise SealError(
            "these bytes are no keyring, or a damaged one", fix="restore it from your backup"
        ) from error
    if any(len(key) != 32 or len(path) > DEPTH for path, key in ring.nodes.items()):
        raise SealError("the keyring holds keys of no size it has", fix="restore it from a backup")
    return ring


def _remove(nodes: dict[str, bytes], path: str) -> None:
    """Replace the node above `path` by those beside it, down to its leaf."""
    depth = next(depth for depth in range(DEPTH + 1) if path[:depth] in nodes)
    key = nodes.pop(path[:depth])
    for at in range(depth, DEPTH):
        side = path[at]
        other = "1" if side == "0" else "0"
        nodes[path[:at] + other] = _child(key, other)
        key = _child(key, side)


def _child(key: bytes, side: str) -> bytes:
    return hmac.digest(key, _SIDES[side == "1"], "sha256")


def _path(run: str) -> str:
    digest = hashlib.sha256(f"anyteam run {run}".encode()).digest()
    return f"{int.from_bytes(digest[: DEPTH // 8]):0{DEPTH}b}"


def _label(field: ContentField) -> str:
    return f"{field.event} {field.name}"
