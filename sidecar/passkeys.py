"""The passkeys that approve: a fold over what people enrolled and admins admitted. Pure.

One counts from its admission until it is revoked, for the person who enrolled it and for nobody
else. Of what was never enrolled, or is not of this person, the gate knows nothing.
"""

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Recorded
from schemas.passkeys import PasskeyAdmitted, PasskeyEnrolled, PasskeyRevoked


class Passkeys(Struct, frozen=True):
    """`enrolled` by the digest of the enrolment, with its person; `admitted` by (person, credential
    id), with that digest.
    """

    enrolled: Map[bytes, tuple[str, PasskeyEnrolled]] = Map()
    admitted: Map[tuple[str, bytes], bytes] = Map()

    def of(self, person: str, credential: bytes) -> PasskeyEnrolled | None:
        """The person's admitted passkey of that credential id."""
        digest = self.admitted.get((person, credential))
        return self.enrolled[digest][1] if digest is not None else None


def evolve(known: Passkeys, entry: Recorded) -> Passkeys:
    """The passkeys after one entry."""
    body = entry.event.body
    if isinstance(body, PasskeyEnrolled):
        return _replace(
            known, enrolled=known.enrolled.set(entry.digest, (entry.event.actor.instance, body))
        )
    if not isinstance(body, PasskeyAdmitted | PasskeyRevoked):
        return known
    found = known.enrolled.get(body.enrolment)
    if found is None:
        return known
    place = (found[0], found[1].credential)
    if isinstance(body, PasskeyAdmitted):
        return _replace(known, admitted=known.admitted.set(place, body.enrolment))
    if known.admitted.get(place) != body.enrolment:
        return known
    return _replace(known, admitted=known.admitted.delete(place))


_replace = msgspec.structs.replace
