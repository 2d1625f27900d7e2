"""An authenticator in software, for tests: real keys and signatures, in WebAuthn's own formats.

What it says is built field by field, so that a test can change any one of them and have the rest
signed all the same. Source: W3C Web Authentication Level 3, sections 5.8.1, 6.1 and 6.5.1.
"""

import base64
import hashlib
import json
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

from crypto.passkeys import approval_challenge
from schemas.actions import ApprovalDecided, Decision
from schemas.passkeys import Assertion, PasskeyEnrolled

ORIGIN: Final = "https://trust.acme.example"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. `seed` makes it the same each time, where a test tells a story."""

    def __init__(self, seed: int = 1, *, origin: str = ORIGIN, eddsa: bool = False) -> None:
        self.origin = origin
        self.relying_party = origin.removeprefix("https://").partition(":")[0]
        self.credential = hashlib.sha256(f"credential {seed}".encode()).digest()[:16]
        self._edwards = ed25519.Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256(f"key {seed}".encode()).digest()
        )
        self._curve = ec.derive_private_key(seed + 1_000, ec.SECP256R1())
        self._eddsa = eddsa

    @property
    def public_key(self) -> bytes:
        """As a COSE_Key."""
        if self._eddsa:
            raw = self._edwards.public_key().public_bytes_raw()
            return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: raw})
        numbers = self._curve.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def enrolled(self, **changes: Any) -> PasskeyEnrolled:
        """What its holder puts on record."""
        body = {
            "credential": self.credential,
            "public_key": self.public_key,
            "relying_party": self.relying_party,
            "origin": self.origin,
            "label": "a key",
        }
        return PasskeyEnrolled(**{**body, **changes})

    def sign(
        self,
        challenge: bytes,
        *,
        client: dict[str, Any] | None = None,
        relying_party: str | None = None,
        flags: int = PRESENT | VERIFIED,
        counter: int = 0,
    ) -> Assertion:
        """An assertion; what differs from the right is given, and signed with the rest."""
        data = self._data(relying_party, flags, counter)
        said = self._client("webauthn.get", challenge, client or {})
        signed = data + hashlib.sha256(said).digest()
        signature = (
            self._edwards.sign(signed)
            if self._eddsa
            else self._curve.sign(signed, ec.ECDSA(SHA256()))
        )
        return Assertion(
            credential=self.credential,
            authenticator_data=data,
            client_data=said,
            signature=signature,
        )

    def approve(self, proposal: bytes, decision: Decision = Decision.APPROVE) -> ApprovalDecided:
        """An answer that bears its assertion."""
        signed = self.sign(approval_challenge(proposal, decision))
        return ApprovalDecided(proposal=proposal, decision=decision, assertion=signed)

    def register(self, challenge: bytes) -> str:
        """What a browser gives for `navigator.credentials.create`, as JSON."""
        data = self._data(None, PRESENT | VERIFIED | ATTESTED, 0)
        data += bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential
        attestation = cbor2.dumps(
            {"fmt": "none", "attStmt": {}, "authData": data + self.public_key}
        )
        return json.dumps(
            {
                "id": url64(self.credential),
                "rawId": url64(self.credential),
                "type": "public-key",
                "response": {
                    "clientDataJSON": url64(self._client("webauthn.create", challenge, {})),
                    "attestationObject": url64(attestation),
                },
            }
        )

    def _data(self, relying_party: str | None, flags: int, counter: int) -> bytes:
        party = hashlib.sha256((relying_party or self.relying_party).encode()).digest()
        return party + bytes([flags]) + counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: bytes, changes: dict[str, Any]) -> bytes:
        right = {
            "type": kind,
            "challenge": url64(challenge),
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps({**right, **changes}, separators=(",", ":")).encode()


def url64(raw: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def as_json(given: Assertion) -> str:
    """What a browser gives for `navigator.credentials.get`, as JSON."""
    return json.dumps(
        {
            "id": url64(given.credential),
            "rawId": url64(given.credential),
            "type": "public-key",
            "response": {
                "clientDataJSON": url64(given.client_data),
                "authenticatorData": url64(given.authenticator_data),
                "signature": url64(given.signature),
            },
        }
    )
