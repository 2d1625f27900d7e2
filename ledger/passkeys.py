"""Approvals by passkey, as an auditor checks them: from the ledger alone, long afterwards.

The rule: of a tool that the policy reserves to passkeys, each approval that counts bears an
assertion over exactly this proposal and answer, by a passkey that its person had enrolled, an
admin had admitted and nobody had revoked when the sidecar decided. It shares no fold with the gate.
"""

from collections.abc import Iterator

from msgspec import Struct

from crypto.errors import BadAssertion
from crypto.passkeys import approval_challenge, check_assertion
from schemas.actions import ApprovalDecided
from schemas.events import Event
from schemas.passkeys import PasskeyAdmitted, PasskeyEnrolled, PasskeyRevoked


class Spell(Struct):
    """A passkey of a person's; `since` and `until` are the entries that admit and revoke it, 0
    where none does.
    """

    person: str
    body: PasskeyEnrolled
    since: int = 0
    until: int = 0

    def counts(self, seen: int) -> bool:
        """Whether it did for whoever had read the ledger as far as `seen`."""
        return 0 < self.since <= seen and not 0 < self.until <= seen


class Passkeys:
    """All that the ledger says of passkeys, by the digest of the enrolment."""

    def __init__(self) -> None:
        self._known: dict[bytes, Spell] = {}

    def fold(self, index: int, digest: bytes, event: Event) -> None:
        """Take in one verified event."""
        body = event.body
        if isinstance(body, PasskeyEnrolled):
            self._known[digest] = Spell(event.actor.instance, body)
        elif isinstance(body, PasskeyAdmitted) and body.enrolment in self._known:
            spell = self._known[body.enrolment]
            # Admitted again after a revocation, it is so from there on.
            if not spell.since or spell.until:
                spell.since, spell.until = index, 0
        elif isinstance(body, PasskeyRevoked) and body.enrolment in self._known:
            spell = self._known[body.enrolment]
            spell.until = spell.until or (index if spell.since else 0)

    def lacks(self, person: str, said: ApprovalDecided, seen: int) -> str:
        """What an approval lacks of its passkey, empty where nothing."""
        given = said.assertion
        if given is None:
            return f"{person} approved without the passkey that policy asks for"
        problem = f"{person} approved with a passkey that was not admitted as theirs"
        for spell in self._of(person, given.credential, seen):
            try:
                challenge = approval_challenge(said.proposal, said.decision)
                check_assertion(given, spell.body, challenge)
            except BadAssertion as error:
                problem = f"{person}'s passkey does not approve it: {error.what}"
            else:
                return ""
        return problem

    def _of(self, person: str, credential: bytes, seen: int) -> Iterator[Spell]:
        for spell in self._known.values():
            same = spell.person == person and spell.body.credential == credential
            if same and spell.counts(seen):
                yield spell
