"""Passkeys (WebAuthn): what is on the ledger of them, and what they sign.

A person enrols one in the console and signs that with their own key; it counts for nothing until
an admin's word admits it, on a topic that the console cannot write. Public keys alone are on
record, and no biometric ever is. Source: W3C Web Authentication Level 3.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.names import Digest, Text
from schemas.runs import Body

Credential = Annotated[
    bytes, Meta(min_length=1, max_length=1023, description="WebAuthn credential id")
]


class Assertion(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A passkey's signature over a challenge, whole, as the browser gave it.

    `client_data` is the collected client data (JSON), which holds challenge and origin.
    """

    credential: Credential
    authenticator_data: Annotated[bytes, Meta(min_length=37, max_length=4_096)]
    client_data: Annotated[bytes, Meta(min_length=1, max_length=4_096)]
    signature: Annotated[bytes, Meta(min_length=1, max_length=8_192)]


class PasskeyEnrolled(Body, frozen=True, tag="passkey.enrolled"):
    """Whoever signs this says that the passkey is theirs. `public_key` is a COSE_Key (RFC 9052).

    `relying_party` is the domain that it is bound to, `origin` the only one whose pages may use it.
    """

    credential: Credential
    public_key: Annotated[bytes, Meta(min_length=1, max_length=4_096)]
    relying_party: Annotated[str, Meta(min_length=1, max_length=253)]
    origin: Annotated[str, Meta(min_length=1, max_length=320)]
    label: Text = ""


class PasskeyAdmitted(Body, frozen=True, tag="passkey.admitted"):
    """From here on the passkey of that `passkey.enrolled` approves for the person it is of."""

    enrolment: Digest


class PasskeyRevoked(Body, frozen=True, tag="passkey.revoked"):
    """It approves nothing from here on."""

    enrolment: Digest
    reason: Text
