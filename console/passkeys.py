"""Passkeys on record, and an admin's word on them: the console cannot give it (`bus.roles`)."""

from console.author import say
from console.errors import NoSuch
from console.session import Session
from console.view.passkeys import Passkey, Passkeys
from schemas.names import Role
from schemas.passkeys import PasskeyAdmitted, PasskeyRevoked


def passkeys_of(opened: Session) -> Passkeys:
    """Every passkey on record."""
    found = Passkeys()
    for entry in opened.past:
        found.fold(entry.digest, entry.event)
    return found


async def admit(opened: Session, prefix: str, by: str | None) -> Passkey:
    """Let a passkey approve, by the beginning of its name. Raises `NoSuch` or `BusError`."""
    passkey = _one(opened, prefix)
    if passkey.counts:
        raise NoSuch(f"passkey {passkey.name} is admitted already", fix="nothing is left to do")
    body = PasskeyAdmitted(enrolment=passkey.digest)
    await say(opened.client, opened.reader, opened.pen(Role.ADMIN, by), body, run=None)
    return passkey


async def revoke(opened: Session, prefix: str, reason: str, by: str | None) -> Passkey:
    """Have a passkey approve nothing more. Raises `NoSuch` or `BusError`."""
    passkey = _one(opened, prefix)
    if passkey.revoked:
        raise NoSuch(f"passkey {passkey.name} is revoked already", fix="nothing is left to do")
    body = PasskeyRevoked(enrolment=passkey.digest, reason=reason)
    await say(opened.client, opened.reader, opened.pen(Role.ADMIN, by), body, run=None)
    return passkey


def _one(opened: Session, prefix: str) -> Passkey:
    known = passkeys_of(opened).known.values()
    found = [one for one in known if prefix and one.digest.hex().startswith(prefix)]
    if len(found) != 1:
        raise NoSuch(
            f"{len(found)} passkeys are called {prefix!r}", fix="`anyteam passkey list` lists them"
        )
    return found[0]
