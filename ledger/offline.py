#!/usr/bin/env python3
"""Checks one receipt of an AnyTeam ledger, offline: python verify_receipt.py RECEIPT ROOT.PUB [KEY]

RECEIPT is a file of `anyteam receipt export`, ROOT.PUB the workspace root's public key, which you
should have from somebody you trust, KEY the workspace's receipt key where you were given it.
This one file needs Python 3.11 and the package `cryptography`, and nothing of AnyTeam: read it
before you believe it. Every field of RECEIPT is an assertion until the step that checks it.
Sources: RFC 8032, RFC 2104, RFC 6962 section 2.1.1, DSSE v1.0, C2SP tlog-checkpoint, MessagePack.
"""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

FORMAT = "anyteam receipt v1"
EVENT = "application/vnd.anyteam.event.v1+msgpack"
RECEIPT = "application/vnd.anyteam.receipt.v1+msgpack"
MAX_BYTES = 8 * 1024 * 1024


class NotProved(Exception):
    """What does not hold, in words."""


def verify(bundle: dict[str, Any], root: bytes, mac_key: bytes | None = None) -> dict[str, Any]:
    """The receipt in `bundle`, if all of it holds under the raw root key. Raises `NotProved`."""
    demand(bundle.get("format") == FORMAT, f"this is no file of the format {FORMAT!r}")
    workspace = text(bundle, "workspace")

    # 1. The root certified the three keys that speak below.
    keys = {
        holder: certified(part(bundle, "keys", holder), root, workspace, holder)
        for holder in ("sidecar", "receipts", "sealer")
    }
    # 2. The sealer signed the ledger's state: so many entries, under this Merkle root.
    size, tree = checkpoint(text(bundle, "checkpoint"), workspace, keys["sealer"]["public_key"])
    # 3. The record that carries the receipt is the sidecar's, and stands in that ledger.
    carrier = entry(part(bundle, "receipt"), size, tree)
    issued = event(carrier["body"], keys["sidecar"]["public_key"], workspace, "receipt.issued")
    # 4. The receipt itself: signed for everybody, and under the workspace's own key.
    signed = issued["body"]["receipt"]
    signature(keys["receipts"]["public_key"], pae(RECEIPT, signed), issued["body"]["signature"])
    if mac_key is not None:
        expected = hmac.digest(mac_key, pae(RECEIPT, signed), hashlib.sha256)
        demand(hmac.compare_digest(expected, issued["body"]["mac"]), "its HMAC is another key's")
    receipt: dict[str, Any] = unpack(signed)
    demand(receipt.get("workspace") == workspace, "the receipt is another workspace's")
    demand(receipt.get("run") == issued["run"], "the receipt is another run's")
    demand(in_force(keys["receipts"], receipt["at"]), "its key was not in force at its time")
    # 5. What it is for was written ahead, under the index and with the arguments that it says.
    ahead = entry(part(bundle, "action"), size, tree)
    started = event(ahead["body"], keys["sidecar"]["public_key"], workspace, "action.started")
    demand(digest(ahead["payload"]) == receipt["action"], "the receipt is for another action")
    demand(ahead["index"] == receipt["index"], "the receipt's ledger index is another action's")
    demand(ahead["index"] < carrier["index"], "the receipt came before its action")
    for field, value in (
        ("run", started["run"]), ("key", started["id"]),
        ("tool", started["body"]["tool"]), ("arguments", started["body"]["arguments"]),
    ):  # fmt: skip
        demand(receipt[field] == value, f"the receipt's {field} is not the action's")
    return receipt


def certified(item: dict[str, Any], root: bytes, workspace: str, holder: str) -> dict[str, Any]:
    """The certificate that the root signed for one of the sidecar's keys."""
    said = event(binary(item, "body"), root, workspace, "key.certified")["body"]
    certificate = said["certificate"]
    named = (certificate["role"], certificate["instance"])
    demand(named == ("sidecar", holder), f"the {holder}'s certificate is for {'/'.join(named)}")
    return dict(certificate)


def event(body: bytes, key: bytes, workspace: str, kind: str) -> dict[str, Any]:
    """The event in a ledger entry's body, if `key` signed it."""
    payload, key_id, signed = unpack(body)
    demand(key_id == digest(key)[:16], f"{kind} is signed by another key")
    signature(key, pae(EVENT, payload), signed)
    found: dict[str, Any] = unpack(payload)
    demand(found["body"]["type"] == kind, f"{found['body']['type']} stands where {kind} should")
    demand(found["workspace"] == workspace, f"{kind} is another workspace's")
    return found


def entry(item: dict[str, Any], size: int, root: bytes) -> dict[str, Any]:
    """A ledger entry that stands at its index in the tree of `size` leaves (RFC 9162 2.1.3.2)."""
    index, body = item.get("index"), binary(item, "body")
    if type(index) is not int or not 1 <= index <= size:
        raise NotProved("an entry's index is not in the sealed ledger")
    node, place, last = digest(b"\x00" + body), index - 1, size - 1
    for step in item.get("path", ()):
        sibling = base64.b64decode(step, validate=True)
        demand(last > 0, f"entry {index}: its inclusion proof is too long")
        if place & 1 or place == last:
            node = digest(b"\x01" + sibling + node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = digest(b"\x01" + node + sibling)
        place, last = place >> 1, last >> 1
    demand(last == 0 and node == root, f"entry {index}: its inclusion proof leads to another root")
    return {"index": index, "body": body, "payload": unpack(body)[0]}


def checkpoint(note: str, workspace: str, key: bytes) -> tuple[int, bytes]:
    """Size and Merkle root of a sealed state: a C2SP checkpoint, signed by the sealer."""
    body, blank, lines = note.rpartition("\n\n")
    origin = f"anyteam/{workspace}"
    fields = body.split("\n")
    demand(bool(blank) and len(fields) == 4, "the checkpoint is out of form")
    demand(fields[0] == origin, "the checkpoint is another ledger's")
    name = digest(origin.encode() + b"\n\x01" + key)[:4]
    for line in lines.splitlines():
        dash, who, coded = (*line.split(" "), "", "", "")[:3]
        signed = base64.b64decode(coded, validate=True)
        if dash == "\u2014" and who == origin and signed[:4] == name:
            signature(key, body.encode() + b"\n", signed[4:])
            return int(fields[1]), base64.b64decode(fields[2], validate=True)
    raise NotProved("no signature of the sealer is under the checkpoint")


def signature(key: bytes, message: bytes, signed: bytes) -> None:
    """Ed25519 (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signed, message)
    except InvalidSignature:
        raise NotProved("a signature does not verify: something was changed") from None


def pae(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what a signature covers."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def in_force(certificate: dict[str, Any], at: int) -> bool:
    """Whether a key was certified for that time; a revocation shows in the whole ledger only."""
    return bool(certificate["not_before"] <= at < certificate["not_after"])


def unpack(data: bytes) -> Any:
    """One MessagePack value, whole: maps, arrays, text, bytes, integers, floats, nil, booleans."""
    try:
        value, end = _value(data, 0, 0)
    except (IndexError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise NotProved(f"signed bytes are no MessagePack: {error}") from None
    demand(end == len(data), "bytes follow what was signed")
    return value


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    demand(depth < 64, "signed bytes are nested too deeply")
    code = data[at]
    at += 1
    if code < 0x80 or code >= 0xE0:
        return code - (code >= 0xE0) * 0x100, at
    if code < 0xC0:
        size = code & (0x1F if code >= 0xA0 else 0x0F)
        kind = "text" if code >= 0xA0 else "array" if code >= 0x90 else "map"
        return _sized(data, at, kind, size, depth)
    if code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[code], at
    if code in _INTEGERS:
        width, negative = _INTEGERS[code]
        return int.from_bytes(_cut(data, at, width), "big", signed=negative), at + width
    if code in _SIZES:
        kind, width = _SIZES[code]
        size = int.from_bytes(_cut(data, at, width), "big")
        return _sized(data, at + width, kind, size, depth)
    raise NotProved(f"signed bytes hold what a receipt has no use for (0x{code:02x})")


def _sized(data: bytes, at: int, kind: str, size: int, depth: int) -> tuple[Any, int]:
    if kind in ("text", "bytes"):
        piece = _cut(data, at, size)
        return piece.decode() if kind == "text" else piece, at + size
    items = []
    for _ in range(size * (2 if kind == "map" else 1)):
        item, at = _value(data, at, depth + 1)
        items.append(item)
    if kind == "array":
        return items, at
    found = dict(zip(items[::2], items[1::2], strict=True))
    demand(len(found) == size, "signed bytes name a field twice")
    return found, at


def _cut(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    demand(len(piece) == size, "signed bytes are cut off")
    return piece


_INTEGERS = {
    0xCC: (1, False), 0xCD: (2, False), 0xCE: (4, False), 0xCF: (8, False),
    0xD0: (1, True), 0xD1: (2, True), 0xD2: (4, True), 0xD3: (8, True),
}  # fmt: skip
_SIZES = {
    0xC4: ("bytes", 1), 0xC5: ("bytes", 2), 0xC6: ("bytes", 4), 0xD9: ("text", 1),
    0xDA: ("text", 2), 0xDB: ("text", 4), 0xDC: ("array", 2), 0xDD: ("array", 4),
    0xDE: ("map", 2), 0xDF: ("map", 4),
}  # fmt: skip


def demand(holds: bool, otherwise: str) -> None:
    """Raise `NotProved` unless it holds."""
    if not holds:
        raise NotProved(otherwise)


def part(bundle: dict[str, Any], *names: str) -> dict[str, Any]:
    """An object of the file. Raises `NotProved` where there is none."""
    held: Any = bundle
    for name in names:
        held = held.get(name) if isinstance(held, dict) else None
    demand(isinstance(held, dict), f"the file has no object {'.'.join(names)}")
    return dict(held)


def text(bundle: dict[str, Any], name: str) -> str:
    """A text of the file."""
    held = bundle.get(name)
    demand(isinstance(held, str), f"the file has no text {name}")
    return str(held)


def binary(item: dict[str, Any], name: str) -> bytes:
    """A field in base64."""
    return base64.b64decode(text(item, name), validate=True)


def told(receipt: dict[str, Any], mac: bool) -> str:
    """The receipt in words, with what is proved and what is not."""
    return f"""\
VERIFIED
  who       {receipt["rep"]}, by agent {receipt["agent"]}, in run {receipt["run"]}
  for       {receipt["intent"]}
  tool      {receipt["tool"]}, arguments {receipt["arguments"].hex()[:16]}...
  outcome   {receipt["outcome"]}, evidence {receipt["evidence"].hex()[:16]}...
  ledger    entry {receipt["index"]} of workspace {receipt["workspace"]}
  proved    the sidecar wrote the action ahead and issued this receipt; both stand in the sealed
            ledger; every key was certified by the root key that you gave{"; the HMAC fits" * mac}
  not shown what the arguments were (only their digest), whether a key was revoked since, and
            that nobody was shown another ledger: `anyteam verify` on an export, and witnesses"""


def main(arguments: list[str], say: Callable[[str], object] = print) -> int:
    """Exit code 0 where the receipt is verified, 1 where not, 2 where there is nothing to check."""
    if len(arguments) not in (2, 3):
        say("usage: verify_receipt.py RECEIPT ROOT.PUB [RECEIPT-KEY]")
        return 2
    try:
        data = Path(arguments[0]).read_bytes()
        root = load_pem_public_key(Path(arguments[1]).read_bytes())
        mac_key = bytes.fromhex(Path(arguments[2]).read_text().strip()) if arguments[2:] else None
    except (OSError, ValueError) as error:
        say(f"cannot be read: {error}")
        return 2
    try:
        demand(isinstance(root, Ed25519PublicKey), "the root key is no Ed25519 key")
        assert isinstance(root, Ed25519PublicKey)
        demand(len(data) <= MAX_BYTES, "the file is too large for a receipt")
        bundle = json.loads(data)
        demand(isinstance(bundle, dict), "the file holds no JSON object")
        receipt = verify(bundle, root.public_bytes_raw(), mac_key)
    except NotProved as problem:
        say(f"NOT VERIFIED: {problem}")
        return 1
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        say(f"NOT VERIFIED: the file is out of form: {type(error).__name__}: {error}")
        return 1
    say(told(receipt, mac_key is not None))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
