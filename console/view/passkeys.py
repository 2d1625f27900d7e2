"""People's passkeys as the console and the command know them, from the ledger. Pure, one writer."""

import msgspec
from msgspec import Struct

from schemas.events import Event
from schemas.passkeys import PasskeyAdmitted, PasskeyEnrolled, PasskeyRevoked


class Passkey(Struct):
    """A passkey that `person` enrolled; it approves once it is admitted, until it is revoked.

    Times are ns since the epoch, 0 for never.
    """

    digest: bytes
    person: str
    body: PasskeyEnrolled
    at: int
    admitted_at: int = 0
    admitted_by: str = ""
    revoked: str = ""

    @property
    def name(self) -> str:
        """How people call it: the beginning of its enrolment's digest."""
        return self.digest.hex()[:16]

    @property
    def counts(self) -> bool:
        """Whether it approves."""
        return bool(self.admitted_at) and not self.revoked

    @property
    def state(self) -> str:
        """In one word, for a label."""
        if self.revoked:
            return "revoked"
        return "admitted" if self.admitted_at else "waiting"


class Passkeys(Struct):
    """All of them, by the digest of the enrolment, in the ledger's order."""

    known: dict[bytes, Passkey] = msgspec.field(default_factory=dict)

    def fold(self, digest: bytes, event: Event) -> None:
        """Take in one verified event."""
        body = event.body
        if isinstance(body, PasskeyEnrolled):
            self.known[digest] = Passkey(digest, event.actor.instance, body, event.at)
            return
        if not isinstance(body, PasskeyAdmitted | PasskeyRevoked):
            return
        found = self.known.get(body.enrolment)
        if found is None:
            return
        if isinstance(body, PasskeyAdmitted):
            found.admitted_at, found.admitted_by = event.at, event.actor.instance
            found.revoked = ""
        else:
            found.revoked = body.reason or "revoked"

    def of(self, person: str) -> list[Passkey]:
        """A person's, the latest first."""
        return [one for one in reversed(self.known.values()) if one.person == person]

    def approving(self, person: str) -> list[Passkey]:
        """Those of a person's that approve."""
        return [one for one in self.of(person) if one.counts]
