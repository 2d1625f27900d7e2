"""Errors of Google Cloud KMS in our words: what was refused, for which key, and what to do.

Which of them may be tried again is said here too. Encrypting, decrypting and signing change
nothing at the service, so that repeating one is safe; what a repetition cannot mend (a missing
permission, a disabled key, a quota counted by the minute) ends at once.
"""

from typing import Final

from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from crypto.errors import (
    KmsCorrupted,
    KmsDenied,
    KmsError,
    KmsExhausted,
    KmsKeyMissing,
    KmsKeyUnusable,
    KmsSetup,
    KmsUnavailable,
)

_ANSWER_TRIES: Final = 3
"""How often one asks in all where either side did not get what the other sent."""

_QUOTED: Final = 300
_LOGIN: Final = "log in with `gcloud auth application-default login`, or use a service account"


class Patience:
    """Whether to try again, over one operation. Not for reuse: it counts."""

    def __init__(self) -> None:
        self._garbled = 0

    def __call__(self, error: Exception) -> bool:
        # INVALID_ARGUMENT is also what the service says where our checksums did not fit.
        if isinstance(error, KmsCorrupted | google.InvalidArgument):
            self._garbled += 1
            return self._garbled < _ANSWER_TRIES
        return isinstance(error, google.ServiceUnavailable | google.DeadlineExceeded)


def refusal(error: Exception, permission: str, key: str) -> KmsError:
    """Our error for one of the library's, met while using `permission` on `key`."""
    if isinstance(error, KmsError):
        return error
    if isinstance(error, google.RetryError):
        return refusal(error.cause, permission, key)
    if isinstance(error, google.PermissionDenied):
        told = error.metadata or {}
        missing = _quoted(told.get("permission", permission))
        return KmsDenied(
            f"this identity lacks the permission {missing} on {key}",
            fix=f"grant a role that has {missing}, on that key alone; or check the key's name",
        )
    if isinstance(error, google.Unauthenticated):
        return KmsDenied(f"the service knows no identity for {key}: {_said(error)}", fix=_LOGIN)
    if isinstance(error, google.NotFound):
        return KmsKeyMissing(
            f"there is no key {key}", fix="check the name in [kms], its project and location too"
        )
    if isinstance(error, google.FailedPrecondition):
        return KmsKeyUnusable(
            f"{key} cannot be used: {_said(error)}",
            fix="enable the version; one scheduled for destruction can be restored until its day",
        )
    if isinstance(error, google.ResourceExhausted):
        return KmsExhausted(
            f"a quota of Cloud KMS is used up for {key}: {_said(error)}",
            fix="wait a minute, or ask for more under IAM & Admin, Quotas",
        )
    if isinstance(error, google.ServiceUnavailable | google.DeadlineExceeded):
        return KmsUnavailable(
            f"Cloud KMS gave no answer for {key} in time: {_said(error)}",
            fix="check the network and the service's status; nothing was changed",
        )
    if isinstance(error, GoogleAuthError):
        return KmsSetup(f"no Application Default Credentials: {_quoted(str(error))}", fix=_LOGIN)
    if isinstance(error, google.GoogleAPICallError):
        return KmsError(f"Cloud KMS refused to use {key}: {_said(error)}", fix="see [kms]")
    raise error


def _said(error: Exception) -> str:
    return _quoted(error.message if isinstance(error, google.GoogleAPICallError) else str(error))


def _quoted(text: str) -> str:
    """Another's words as a terminal and a log may have them: printable, one line, bounded."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_QUOTED]
