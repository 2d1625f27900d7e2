"""Verification resumed: which entries' signatures this auditor has verified before.

What is kept is a size, the Merkle root and chain head at it, and the indexes whose signature
was not verified. Nothing else is: keys, chains, meaning and seals are derived from the bytes
again, and what is kept counts only where the bytes lead to that root and head. The file is
under a MAC with a key that stays on the auditor's machine, so that one that comes along with
an export is refused. Pure. Source: RFC 2104.
"""

import hashlib
import hmac
from typing import Final

import msgspec
from msgspec import Struct

from ledger.errors import BadResume
from schemas.errors import UNREADABLE

FORMAT: Final = "anyteam verified prefix v1"
MAX_UNVERIFIED: Final = 10_000
"""With more entries of unverified signature than this, a ledger is verified from the start."""


class Prefix(Struct, frozen=True):
    """A ledger's first `size` entries. Root and head are 32 bytes.

    Every entry's signature was verified but for those at the indexes `unverified`.
    """

    size: int
    root: bytes
    head: bytes
    unverified: tuple[int, ...] = ()


NOTHING: Final = Prefix(0, b"", b"")


class _File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: str
    workspace: str
    root_key: str
    prefix: Prefix
    mac: str


def write_prefix(prefix: Prefix, workspace: str, root_key: str, key: bytes) -> bytes:
    """The file for a prefix of this workspace's ledger under its root's vkey."""
    return msgspec.json.encode(
        _File(
            format=FORMAT,
            workspace=workspace,
            root_key=root_key,
            prefix=prefix,
            mac=_mac(prefix, workspace, root_key, key).hex(),
        )
    )


def read_prefix(data: bytes, workspace: str, root_key: str, key: bytes) -> Prefix:
    """The prefix in a file that was written here for this ledger. Raises `BadResume`."""
    try:
        file = msgspec.json.decode(data, type=_File)
        mac = bytes.fromhex(file.mac)
    except (*UNREADABLE, ValueError) as error:
        raise BadResume(f"it is out of form: {error}", fix=_FIX) from error
    if file.format != FORMAT:
        raise BadResume(f"its format is {file.format[:40]!r}, not {FORMAT!r}", fix=_FIX)
    if (file.workspace, file.root_key) != (workspace, root_key):
        raise BadResume("it is of another workspace or another root key", fix=_FIX)
    try:
        own = _mac(file.prefix, workspace, root_key, key)
    except OverflowError as error:
        raise BadResume("it has an index that no ledger has", fix=_FIX) from error
    if not hmac.compare_digest(own, mac):
        raise BadResume("it was not written on this machine, or was changed since", fix=_FIX)
    return file.prefix


_FIX: Final = "remove it, or name another file; the ledger is then verified from its first entry"


def _mac(prefix: Prefix, workspace: str, root_key: str, key: bytes) -> bytes:
    data = msgspec.msgpack.encode((FORMAT, workspace, root_key, prefix))
    return hmac.digest(key, data, hashlib.sha256)
