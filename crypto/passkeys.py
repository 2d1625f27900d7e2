"""What a passkey's approval is over, and whether one is good.

Pure. The challenge that the authenticator signs is the decision itself: a digest of the proposal's
digest and the answer, under a name of its own, so that an assertion can be used for nothing else
and never again. User verification (PIN or biometric) is always required; the signature counter is
not trusted, since passkeys that are synced between devices keep none.
Source: W3C Web Authentication Level 3, section 7.2.
"""

import hashlib
from typing import Final

from crypto.errors import BadAssertion
from schemas.actions import Decision
from schemas.passkeys import Assertion, PasskeyEnrolled

_APPROVAL: Final = b"anyteam approval v1\x00"
_ENROLMENT: Final = b"anyteam enrolment v1\x00"


def approval_challenge(proposal: bytes, decision: Decision) -> bytes:
    """The 32 bytes to be signed for this decision on the proposal of that digest (32 bytes)."""
    return hashlib.sha256(_APPROVAL + proposal + decision.value.encode()).digest()


def enrolment_challenge(secret: str) -> bytes:
    """The 32 bytes that an enrolment answers, which follow from a secret of the session."""
    return hashlib.sha256(_ENROLMENT + secret.encode()).digest()


def check_assertion(given: Assertion, passkey: PasskeyEnrolled, challenge: bytes) -> None:
    """Raise `BadAssertion` unless `passkey` signed exactly this challenge, on its own origin, for
    a user it had verified. Whatever the bytes are, nothing else is raised.
    """
    # Half a second of imports, which only who ever meets a passkey should wait for.
    from cryptography.exceptions import UnsupportedAlgorithm
    from webauthn import verify_authentication_response
    from webauthn.helpers import bytes_to_base64url, parse_client_data_json
    from webauthn.helpers.exceptions import WebAuthnException
    from webauthn.helpers.structs import (
        AuthenticationCredential,
        AuthenticatorAssertionResponse,
    )

    if given.credential != passkey.credential:
        raise BadAssertion("the assertion is of another passkey")
    response = AuthenticatorAssertionResponse(
        client_data_json=given.client_data,
        authenticator_data=given.authenticator_data,
        signature=given.signature,
    )
    credential = AuthenticationCredential(
        id=bytes_to_base64url(given.credential), raw_id=given.credential, response=response
    )
    try:
        verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=passkey.relying_party,
            expected_origin=passkey.origin,
            credential_public_key=passkey.public_key,
            # Below any: it would otherwise be asked to have grown, and synced passkeys have none.
            credential_current_sign_count=-1,
            require_user_verification=True,
        )
        framed = parse_client_data_json(given.client_data).cross_origin
    except WebAuthnException as error:
        raise BadAssertion(_sentence(error)) from error
    except (
        *(ArithmeticError, AttributeError, LookupError, RecursionError),
        *(TypeError, ValueError, UnsupportedAlgorithm),
    ) as error:
        # The library reads keys without asking their form, and these are anybody's bytes.
        raise BadAssertion("the passkey's public key or data is not in form") from error
    if framed:
        raise BadAssertion("the assertion was made in a frame of another origin")


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text[0].lower() + text[1:300]
