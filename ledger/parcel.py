"""What is taken away as one parcel: its files listed and signed by who took it, and encrypted.

    files.txt        SHA-256 of every file, as `sha256sum -c` reads it
    files.sig.json   who signs that list: Ed25519 over PAE(FILES_TYPE, files.txt), by the key of a
                     rep or admin that the ledger certifies

Encryption is age (age-encryption.org/v1) to X25519 recipients, over a tar archive that is never
whole in memory. Sources: DSSE v1.0, POSIX.1-2001 (pax).
"""

import hashlib
import os
import secrets
import shutil
import tarfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import pyrage
from msgspec import Struct

from crypto.errors import BadSignature
from crypto.signing import pae, verify
from crypto.trust import Trust
from ledger.errors import BadRecipient, ExportDamaged, ExportExists
from schemas.errors import UNREADABLE
from schemas.names import KeyId, Role

FILES: Final = "files.txt"
SIGNATURE: Final = "files.sig.json"
FILES_TYPE: Final = "application/vnd.anyteam.files.v1+text"
SUFFIX: Final = ".tar.age"
_CHUNK: Final = 1 << 20


class FilesSignature(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signs `files.txt`; nothing about it is verified."""

    role: Role
    name: str
    key_id: KeyId
    signature: bytes


class NewFolder:
    """A folder, or an archive of it, that appears under its name only when it is whole.

    Use as a context manager: write into `folder`, then `place` it. Left without, it is removed.
    Raises `ExportExists` where something is at `out`.
    """

    def __init__(self, out: Path) -> None:
        if out.exists():
            raise ExportExists(f"{out} exists", fix="choose a new place for the export")
        self.out = out
        name = out.name.removesuffix(SUFFIX) or "export"
        self._draft = out.with_name(f".{name}.{secrets.token_hex(4)}.draft")
        self._draft.mkdir(mode=0o700, parents=True)
        self.folder = self._draft / name

    def place(self) -> None:
        """Put the folder in its place."""
        self._move(self.folder)

    def place_encrypted(self, recipients: Sequence[str]) -> None:
        """Put an age-encrypted archive of it in its place. Raises `BadRecipient`."""
        archive = self._draft / "archive"
        encrypt_folder(self.folder, archive, recipients)
        self._move(archive)

    def _move(self, made: Path) -> None:
        try:
            if self.out.exists():
                raise ExportExists(f"{self.out} exists", fix="choose a new place for the export")
            made.rename(self.out)
        except OSError as error:
            raise ExportExists(
                f"{self.out} cannot be put in place: {error.strerror}",
                fix="choose a new place for the export",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self._draft, ignore_errors=True)


def list_files(folder: Path) -> bytes:
    """The text of `files.txt`: every file below `folder` but itself and its signature, sorted."""
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in (FILES, SIGNATURE):
            lines.append(f"{_digest(path)}  {name}\n")
    return "".join(lines).encode()


def signed_message(files: bytes) -> bytes:
    """What a signature of `files.txt` covers."""
    return pae(FILES_TYPE, files)


def files_problem(folder: Path, trust: Trust) -> str:
    """Why the parcel's files are not those that a person of the ledger signed; empty if they are.

    `trust` has accepted the ledger that the parcel holds. Raises `ExportDamaged`.
    """
    try:
        files, said = (folder / FILES).read_bytes(), (folder / SIGNATURE).read_bytes()
        signature = msgspec.json.decode(said, type=FilesSignature)
    except (OSError, *UNREADABLE) as error:
        raise ExportDamaged(f"{FILES} and {SIGNATURE} cannot be read: {error}") from error
    certificate = trust.certificate(signature.key_id)
    if certificate is None or certificate.role not in (Role.REP, Role.ADMIN):
        return f"{SIGNATURE} is by no rep's or admin's key of this ledger"
    if (certificate.role, certificate.instance) != (signature.role, signature.name):
        return f"{SIGNATURE} claims {signature.name}; its key is {certificate.instance}'s"
    try:
        verify(certificate.public_key, FILES_TYPE, files, signature.signature)
    except BadSignature:
        return f"{FILES} is not what {signature.name} signed"
    if files != list_files(folder):
        return f"files were added, removed or changed since {signature.name} signed {FILES}"
    return ""


def encrypt_folder(folder: Path, archive: Path, recipients: Sequence[str]) -> None:
    """`folder` as a tar archive, encrypted to age `recipients`, into the new file `archive`."""
    keys = [_recipient(text) for text in recipients]
    outlet, inlet = os.pipe()
    failed: list[OSError] = []

    def pack() -> None:
        try:
            with os.fdopen(inlet, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as tar:
                tar.add(folder, arcname=folder.name, filter=_nobodys)
        except OSError as error:
            failed.append(error)

    # A tar archive is pushed and age pulls: a pipe between two threads joins them.
    packer = threading.Thread(target=pack, name="packer")
    with archive.open("xb") as out, os.fdopen(outlet, "rb") as pipe:
        packer.start()
        pyrage.encrypt_io(pipe, out, keys)
        out.flush()
        os.fsync(out.fileno())
    packer.join()
    if failed:
        raise ExportDamaged(f"the archive cannot be written: {failed[0].strerror}") from failed[0]


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise BadRecipient(
            f"{text[:80]!r} is no age recipient",
            fix="ask the auditor for the public key that `age-keygen` printed: age1...",
        ) from error


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_recipients(recipients: Sequence[str]) -> None:
    """Raises `BadRecipient` before any work is done."""
    for text in recipients:
        _recipient(text)
