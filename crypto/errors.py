"""Errors of keys, signatures, sealing and trust.

AnyTeamError
└── CryptoError
    ├── BadSignature           a signature does not verify
    ├── BadAssertion           a passkey did not sign this, or not here, or for nobody it verified
    ├── KeyFileError           a key file cannot be used
    │   └── KeyFileTooOpen     others than its owner may read it
    ├── SealError              content cannot be sealed or opened
    ├── KmsError               a key-management service did not do what it was asked
    │   ├── KmsSetup           it cannot be asked: its library or credentials are missing
    │   ├── KmsDenied          this identity may not use the key
    │   ├── KmsKeyMissing      there is no such key
    │   ├── KmsKeyUnusable     the key is disabled, destroyed, or for something else
    │   ├── KmsExhausted       a quota is used up
    │   ├── KmsUnavailable     no answer in time
    │   ├── KmsCorrupted       an answer that its checksums or names do not bear out
    │   ├── PassphraseMissing  the key files are sealed, and nobody gave the passphrase
    │   └── WrongPassphrase    it does not open the key files
    ├── NewerRelease           from here on the ledger takes a newer release to read
    └── Rejected               an entry of the stream that is no valid event
        ├── Unreadable         not an envelope or not an event
        │   └── Unraised       of a version that the root has not raised this ledger to
        ├── WrongPlace         on another subject or from another workspace
        ├── Unauthorised       key unknown, revoked, out of time, role or run
        ├── Forged             certified key, but the signature does not verify
        ├── Replayed           the producer's chain already passed this event
        └── Broken             the producer's chain has a gap or a fork here
"""

from schemas.errors import AnyTeamError


class CryptoError(AnyTeamError):
    """Base of this package's errors."""


class BadSignature(CryptoError):
    """A signature does not verify under the given public key."""


class BadAssertion(CryptoError):
    """A passkey's assertion is not over this challenge, origin or relying party, or is forged."""


class KeyFileError(CryptoError):
    """A key file is missing, malformed or unreadable."""

    exit_code = 2


class KeyFileTooOpen(KeyFileError):
    """A key file whose mode lets others than its owner read it."""


class SealError(CryptoError):
    """Content could not be sealed or opened."""


class KmsError(CryptoError):
    """A key-management service did not do what it was asked."""


class KmsSetup(KmsError):
    """The service cannot be asked: its library or credentials are missing here."""

    exit_code = 2


class KmsDenied(KmsError):
    """This identity may not use the key; names the permission and the key."""

    exit_code = 2


class KmsKeyMissing(KmsError):
    """The service has no key of that name."""

    exit_code = 2


class KmsKeyUnusable(KmsError):
    """The key is disabled, destroyed, not made yet, or of another purpose or algorithm."""

    exit_code = 2


class KmsExhausted(KmsError):
    """A quota of the service is used up."""


class KmsUnavailable(KmsError):
    """The service did not answer in time."""


class KmsCorrupted(KmsError):
    """An answer that its checksums, names or signature do not bear out; it was discarded."""


class PassphraseMissing(KmsError):
    """The key files are sealed, and nobody gave the passphrase."""

    exit_code = 2


class WrongPassphrase(KmsError):
    """The passphrase does not open the key files."""

    exit_code = 2


class Rejected(CryptoError):
    """An entry that is refused. `reason` is safe to publish: it quotes no content."""

    @property
    def reason(self) -> str:
        """`<kind>: <what>`, at most 500 characters."""
        return f"{type(self).__name__.lower()}: {self.what}"[:500]


class Unreadable(Rejected):
    """Not an envelope, not an event, too large, or of an unknown version."""


class Unraised(Unreadable):
    """Of a version that the root has not raised this ledger to: so it is for every release.

    `body` is the entry's, where this release does not read the version either.
    """

    body = b""


class NewerRelease(CryptoError):
    """The root has raised the ledger to a version that this release does not read.

    No `Rejected`, for the entry is valid: who decides must stop here, and decide nothing without
    what it cannot read.
    """


class WrongPlace(Rejected):
    """On a subject that does not follow from the payload, or of another workspace."""


class Unauthorised(Rejected):
    """The key is unknown, revoked or outside its time, role or run."""


class Forged(Rejected):
    """The named key did not make this signature."""


class Replayed(Rejected):
    """The producer's chain has already passed this event."""


class Broken(Rejected):
    """The producer's chain has a gap or a fork here. `suspect` says whether the broker is:

    a certified component does not skip its own counter, a hostile runtime may.
    """

    suspect = False
