"""What makes this machine a device of a workspace, kept in one secret file of the agent's folder.

The three private keys were made here and never leave it: for events, for the bus, for TLS.
"""

import secrets
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bus.identity import KeyKind, UserIdentity, key_from_seed, new_key
from bus.tls import TlsIdentity, new_tls_key
from crypto.keyfile import read_secret, write_secret
from crypto.signing import Signer
from desktop_agent.errors import NotEnrolled
from schemas.authority import capture_subject
from schemas.enrolment import Admission, Application
from schemas.errors import UNREADABLE

_FILE: Final = "device.json"


class Keys(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The private parts. `tls` is PEM."""

    event: bytes
    user: str
    tls: bytes

    def __repr__(self) -> str:
        return "Keys()"


class Enrolled(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device that was admitted."""

    keys: Keys
    admission: Admission

    def __repr__(self) -> str:
        return f"Enrolled({self.admission.device})"

    @property
    def subject(self) -> str:
        """Where it writes, and nowhere else."""
        return capture_subject(self.admission.workspace, self.admission.device)

    @property
    def signer(self) -> Signer:
        """Its event key."""
        return Signer.from_seed(self.keys.event)

    @property
    def user(self) -> UserIdentity:
        """Who it is on the bus."""
        return UserIdentity(
            self.admission.jwt, self.keys.user, key_from_seed(self.keys.user).public
        )

    @property
    def tls(self) -> TlsIdentity:
        """What it shows and trusts."""
        given = self.admission
        return TlsIdentity(given.authority, given.certificate, self.keys.tls)


def new_keys(secret: bytes) -> tuple[Keys, Application]:
    """Fresh keys, and the application for them with a code's secret."""
    seed, user, (tls, public) = secrets.token_bytes(32), new_key(KeyKind.USER), new_tls_key()
    application = Application(
        secret=secret,
        event_key=Signer.from_seed(seed).public,
        user=user.public,
        tls=public,
    )
    return Keys(event=seed, user=user.seed, tls=tls), application


def is_enrolled(folder: Path) -> bool:
    """Whether this machine is a device of a workspace."""
    return (folder / _FILE).exists()


def enrolled_in(folder: Path) -> Enrolled:
    """What was kept. Raises `NotEnrolled` or `KeyFileError`."""
    if not is_enrolled(folder):
        raise NotEnrolled(
            "this machine is no device of a workspace",
            fix="have an admin run `anyteam device invite`, then anyteam-desktop enrol CODE",
        )
    try:
        return msgspec.json.decode(read_secret(folder / _FILE), type=Enrolled)
    except UNREADABLE as error:
        raise NotEnrolled(
            f"{folder / _FILE} is damaged: {error}", fix="enrol once more, under another name"
        ) from error


def keep(folder: Path, enrolled: Enrolled) -> None:
    """Keep it. Raises `NotEnrolled` where something is kept already."""
    if is_enrolled(folder):
        raise NotEnrolled(
            f"{folder} belongs to an enrolled device already", fix="choose another with --home"
        )
    write_secret(folder / _FILE, msgspec.json.encode(enrolled) + b"\n")
