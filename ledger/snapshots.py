"""Snapshots on disk: a component's own, sealed so that nobody else can read or write one.

A file is AES-256-GCM under a key of the component, bound to workspace, component and the code
that folded it; it is replaced whole, and what does not open is passed over, loudly. Deleting it
changes nothing but how long a start takes. What a snapshot must agree with before it is used is
in `ledger.restart`; when one is taken, in `ledger.taking`.
"""

import hashlib
import logging
import secrets
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from bus.errors import BadSnapshot
from bus.snapshot import Folded, code_of
from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret
from crypto.keyring import Keyring, encode_keyring
from ledger.merkle import Frontier

_LOG: Final = logging.getLogger("anyteam.snapshots")

_MAGIC: Final = b"anyteam snapshot 1\n"
_NONCE_BYTES: Final = 12
_OURS: Final = ("schemas", "classify", "crypto", "bus", "ledger")
_LIBRARIES: Final = (
    "cryptography",
    "immutables",
    "msgspec",
    "pystemmer",
    "rapidfuzz",
    "selectolax",
)


class Snapshot(Struct, frozen=True, kw_only=True):
    """A component between two entries of the ledger.

    `head` and `peaks` are the chain head and the tree's frontier at `folded.index`, `leaf` the
    leaf hash of that entry. `seal` is a seal that covers it, found to agree, which stands at
    `place` in the seals stream. `held` is what the component keeps beside its state.
    """

    folded: Folded
    head: bytes
    peaks: tuple[bytes, ...]
    leaf: bytes
    seal: str
    place: int
    held: bytes

    @property
    def frontier(self) -> Frontier:
        """The tree's frontier at this index. Raises `BadSnapshot`."""
        try:
            return Frontier.at(self.folded.index, self.peaks)
        except ValueError as error:
            raise BadSnapshot(str(error)) from error


class Snapshots:
    """One component's snapshot at `path`, under the 32-byte `key`.

    `packages` are those of ours whose code takes part in folding, beside the shared ones.
    """

    def __init__(
        self, path: Path, key: bytes, workspace: str, component: str, packages: tuple[str, ...]
    ) -> None:
        self.component = component
        self._path = path
        self._cipher = AESGCM(key)
        self._context = b"\x00".join(
            (_MAGIC, workspace.encode(), component.encode(), _code((*_OURS, *packages)))
        )
        self.size = path.stat().st_size if path.exists() else 0

    def load(self) -> Snapshot | None:
        """The snapshot, None where there is none. Raises `BadSnapshot` where it cannot be used."""
        if not self._path.exists():
            return None
        try:
            data = read_secret(self._path)
        except KeyFileError as error:
            raise BadSnapshot(error.what) from error
        if not data.startswith(_MAGIC):
            raise BadSnapshot("the file is no snapshot of this version")
        nonce, sealed = data[len(_MAGIC) :][:_NONCE_BYTES], data[len(_MAGIC) + _NONCE_BYTES :]
        try:
            opened = self._cipher.decrypt(nonce, sealed, self._context)
            return msgspec.msgpack.decode(opened, type=Snapshot)
        except (InvalidTag, ValueError) as error:
            # ValueError is also what msgspec raises.
            raise BadSnapshot(
                "it does not open: another key, other code, an erasure since, or not ours"
            ) from error

    def save(self, snapshot: Snapshot) -> None:
        """Put `snapshot` in the place of the last one."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, msgspec.msgpack.encode(snapshot), self._context)
        write_secret(self._path, _MAGIC + nonce + sealed)
        self.size = len(sealed)

    def discard(self, why: str) -> None:
        """Do without the snapshot there is, and say so."""
        _LOG.warning(
            "the snapshot of %s is not used, the ledger is folded from its beginning: %s",
            self.component,
            why,
        )
        self._path.unlink(missing_ok=True)
        self.size = 0


def content_snapshot_key(data_key: bytes, ring: Keyring) -> bytes:
    """The key of a snapshot that holds opened content.

    It follows from the whole keyring: once a key in it is destroyed, what was kept of the content
    under that key opens no more either.
    """
    salt = hashlib.sha256(encode_keyring(ring)).digest()
    return HKDF(SHA256(), 32, salt, b"anyteam snapshot key v1").derive(data_key)


@cache
def _code(packages: tuple[str, ...]) -> bytes:
    """What `bus.snapshot.code_of` says of these packages and the libraries that fold with them."""
    files: list[tuple[str, bytes]] = []
    for package in packages:
        found = util.find_spec(package)
        for folder in found.submodule_search_locations or () if found is not None else ():
            base = Path(folder)
            files += [
                (f"{package}/{path.relative_to(base)}", path.read_bytes())
                for path in base.rglob("*")
                if path.is_file() and path.suffix != ".pyc"
            ]
    return code_of(files, [(name, _version(name)) for name in _LIBRARIES])


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"
