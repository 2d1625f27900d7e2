"""What a browser gives of a passkey, read and checked, and what it is asked for. Pure.

Source: W3C Web Authentication Level 3, sections 5.1 and 7.1; the JSON forms are those of
`PublicKeyCredential.toJSON`.
"""

import base64
import binascii
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from console.view.passkeys import Passkey
from console.web.errors import BadForm, NeedsPasskey
from crypto.errors import BadAssertion
from crypto.passkeys import approval_challenge, check_assertion, enrolment_challenge
from schemas.actions import Decision
from schemas.passkeys import Assertion, PasskeyEnrolled

ALGORITHMS: Final = (-7, -8, -257)
"""ES256, EdDSA, RS256 (IANA COSE Algorithms), the first that the authenticator has."""

_WHERE: Final = "approve it in the console, signed in, with an admitted passkey"
_ADMIT: Final = "an admin admits it: `anyteam passkey admit`"
_AGAIN: Final = "try again, with the passkey's own prompt"


class _Response(Struct, rename="camel"):
    client_data_j_s_o_n: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str
    signature: str


class _Given(Struct, rename="camel"):
    raw_id: str
    response: _Response


def to_approve(proposal: bytes, mine: list[Passkey]) -> str:
    """What the browser is asked for to approve this proposal with one of `mine`, as JSON.

    Those of another origin cannot be asked for, and are left out by the caller.
    """
    return _json(
        {
            "challenge": url64(approval_challenge(proposal, Decision.APPROVE)),
            "rpId": mine[0].body.relying_party if mine else "",
            "userVerification": "required",
            "allowCredentials": [
                {"type": "public-key", "id": url64(one.body.credential)} for one in mine
            ],
        }
    )


def to_enrol(origin: str, secret: str, person: str, mine: list[Passkey]) -> str:
    """What the browser is asked for to make another passkey of `person`, as JSON. `secret` is the
    session's own, which the challenge follows from.
    """
    return _json(
        {
            "challenge": url64(enrolment_challenge(secret)),
            "rp": {"id": party_of(origin), "name": "AnyTeam Trust"},
            "user": {
                "id": url64(person.encode()),
                "name": person,
                "displayName": person,
            },
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
            "authenticatorSelection": {
                "userVerification": "required",
                "residentKey": "preferred",
            },
            "attestation": "none",
            "excludeCredentials": [
                {"type": "public-key", "id": url64(one.body.credential)}
                for one in mine
                if not one.revoked
            ],
        }
    )


def enrolled(text: str, origin: str, secret: str, label: str) -> PasskeyEnrolled:
    """What a browser gave to be enrolled, once it is as it was asked for. Raises `BadForm`."""
    from webauthn import verify_registration_response
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        made = verify_registration_response(
            credential=text,
            expected_challenge=enrolment_challenge(secret),
            expected_rp_id=party_of(origin),
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(alg) for alg in ALGORITHMS],
        )
        body = PasskeyEnrolled(
            credential=made.credential_id,
            public_key=made.credential_public_key,
            relying_party=party_of(origin),
            origin=origin,
            label=label,
        )
        return msgspec.convert(msgspec.to_builtins(body, builtin_types=_RAW), PasskeyEnrolled)
    except (WebAuthnException, LookupError, TypeError, ValueError) as error:
        raise BadForm(f"this passkey cannot be enrolled: {str(error)[:300]}", fix=_AGAIN) from error


def assertion(text: str) -> Assertion:
    """What a browser gave to approve, in form; whether it does is not asked. Raises `BadForm`."""
    try:
        given = msgspec.json.decode(text, type=_Given)
        return msgspec.convert(
            {
                "credential": _raw(given.raw_id),
                "authenticator_data": _raw(given.response.authenticator_data),
                "client_data": _raw(given.response.client_data_j_s_o_n),
                "signature": _raw(given.response.signature),
            },
            Assertion,
            builtin_types=_RAW,
        )
    except (binascii.Error, ValueError) as error:
        raise BadForm(f"what the passkey gave is not in form: {error}", fix=_AGAIN) from error


def check_passkey(
    proposal: bytes, decision: Decision, given: Assertion | None, mine: list[Passkey]
) -> None:
    """Whether one of `mine` signed this answer. The gate will ask again, and go by the ledger.

    Raises `NeedsPasskey`.
    """
    if given is None:
        raise NeedsPasskey("policy has this approved with a passkey", fix=_WHERE)
    asked = [one for one in mine if one.body.credential == given.credential]
    if not asked:
        raise NeedsPasskey("no admin has admitted this passkey as yours", fix=_ADMIT)
    try:
        check_assertion(given, asked[0].body, approval_challenge(proposal, decision))
    except BadAssertion as error:
        raise NeedsPasskey(f"your passkey did not sign this: {error.what}", fix=_AGAIN) from error


def party_of(origin: str) -> str:
    """The relying party of an origin's passkeys: its domain, without a port."""
    return urlsplit(origin).hostname or ""


def url64(raw: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


_RAW: Final = (bytes,)


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
