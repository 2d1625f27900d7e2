"""Google Cloud KMS: a symmetric key wraps the data key, an Ed25519 key is the root.

Keys are made, rotated and destroyed at Google, by people; this identity needs no more than
`cloudkms.cryptoKeyVersions.useToEncrypt`, `useToDecrypt`, `useToSign` and `viewPublicKey`.
Credentials are Application Default Credentials and nothing else; an endpoint on loopback, an
emulator, gets none and no TLS. Each call has a deadline, each answer is held against
`crypto.kms.checks` before it counts.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import (
    KeyManagementServiceGrpcTransport,
)
from msgspec import Struct

from crypto.errors import KmsCorrupted, KmsError, KmsKeyUnusable, SealError
from crypto.kms import checks
from crypto.kms.provider import Wrapped, decode_wrapped, encode_wrapped, key_context
from crypto.kms.refusals import Patience, refusal
from schemas.kms import KmsSettings, loopback

MAX_BYTES: Final = 65_536
"""The most that the service signs or encrypts at once."""

_HOST: Final = "cloudkms.googleapis.com"
_TRANSPORT_LOG: Final = "google.cloud.kms_v1.services.key_management_service.transports.grpc"
_ED25519: Final = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_ED25519

_T = TypeVar("_T")


class Deadlines(Struct, frozen=True):
    """Seconds: for one request, and for an operation with all its repetitions."""

    request_s: float = 5.0
    operation_s: float = 20.0


class CloudKms:
    """One workspace's keys at Google: see the module's docstring."""

    def __init__(
        self,
        client: kms_v1.KeyManagementServiceClient,
        wrapping_key: str,
        root_key: str,
        deadlines: Deadlines,
    ) -> None:
        self._client = client
        self._wrapping_key = wrapping_key
        self._root_key = root_key
        self._deadlines = deadlines
        self._root_public: bytes | None = None

    def create(self, workspace: str) -> None:
        """Keys are made at Google. Asks for the root's, so that what is missing is told now."""
        self.root_public(workspace)

    def rotate(self, workspace: str) -> None:
        """Nothing: versions are made at Google, by schedule or by hand."""

    def wrap(self, workspace: str, key: bytes) -> bytes:
        context = key_context(workspace)
        request = kms_v1.EncryptRequest(
            name=self._wrapping_key,
            plaintext=key,
            plaintext_crc32c=checks.crc32c(key),
            additional_authenticated_data=context,
            additional_authenticated_data_crc32c=checks.crc32c(context),
        )

        def ask() -> Wrapped:
            answer = self._client.encrypt(request, retry=None, timeout=self._deadlines.request_s)
            checks.received(answer.verified_plaintext_crc32c, "the key to wrap")
            checks.received(answer.verified_additional_authenticated_data_crc32c, "its context")
            version = checks.from_key(answer.name, self._wrapping_key)
            what = "the wrapped key"
            return Wrapped(
                "google", version, checks.intact(answer.ciphertext, answer.ciphertext_crc32c, what)
            )

        permission = "cloudkms.cryptoKeyVersions.useToEncrypt"
        return encode_wrapped(self._try(ask, permission, self._wrapping_key))

    def unwrap(self, workspace: str, wrapped: bytes) -> bytes:
        stored = decode_wrapped(wrapped, "google")
        try:
            checks.from_key(stored.version, self._wrapping_key)
        except KmsCorrupted:
            raise SealError(
                f"the key was wrapped under {stored.version!r}, not {self._wrapping_key}",
                fix="name the key in kms.wrapping_key that it was wrapped under",
            ) from None
        context = key_context(workspace)
        request = kms_v1.DecryptRequest(
            name=self._wrapping_key,
            ciphertext=stored.ciphertext,
            ciphertext_crc32c=checks.crc32c(stored.ciphertext),
            additional_authenticated_data=context,
            additional_authenticated_data_crc32c=checks.crc32c(context),
        )

        def ask() -> bytes:
            answer = self._client.decrypt(request, retry=None, timeout=self._deadlines.request_s)
            return checks.intact(answer.plaintext, answer.plaintext_crc32c, "the unwrapped key")

        permission = "cloudkms.cryptoKeyVersions.useToDecrypt"
        try:
            return self._try(ask, permission, self._wrapping_key)
        except KmsError as error:
            if isinstance(error.__cause__, InvalidArgument):
                raise SealError(
                    f"the wrapped key is not workspace {workspace!r}'s, or is damaged:"
                    f" {self._wrapping_key} does not open it",
                    fix="restore the wrapped key from your backup",
                ) from error
            raise

    def root_public(self, workspace: str) -> bytes:
        if self._root_public is None:
            permission = "cloudkms.cryptoKeyVersions.viewPublicKey"
            self._root_public = self._try(self._ask_public, permission, self._root_key)
        return self._root_public

    def sign_root(self, workspace: str, message: bytes) -> bytes:
        if len(message) > MAX_BYTES:
            raise KmsError(
                f"the root is to sign {len(message)} bytes; Cloud KMS signs {MAX_BYTES} at most",
                fix="shorten the policy: its rules and patterns are most of such an event",
            )
        public = self.root_public(workspace)
        request = kms_v1.AsymmetricSignRequest(
            name=self._root_key, data=message, data_crc32c=checks.crc32c(message)
        )

        def ask() -> bytes:
            answer = self._client.asymmetric_sign(
                request, retry=None, timeout=self._deadlines.request_s
            )
            checks.received(answer.verified_data_crc32c, "the message to sign")
            checks.from_key(answer.name, self._root_key)
            signature = checks.intact(answer.signature, answer.signature_crc32c, "the signature")
            return checks.signed(signature, public, message)

        return self._try(ask, "cloudkms.cryptoKeyVersions.useToSign", self._root_key)

    def _ask_public(self) -> bytes:
        request = kms_v1.GetPublicKeyRequest(name=self._root_key)
        answer = self._client.get_public_key(request, retry=None, timeout=self._deadlines.request_s)
        checks.from_key(answer.name, self._root_key)
        checks.intact(answer.pem.encode(), answer.pem_crc32c, "the root's public key")
        if answer.algorithm != _ED25519:
            raise KmsKeyUnusable(
                f"{self._root_key} is for {answer.algorithm.name}, not EC_SIGN_ED25519",
                fix="make an asymmetric-signing key of algorithm ec-sign-ed25519 for kms.root_key",
            )
        return checks.ed25519_public(answer.pem, self._root_key)

    def _try(self, ask: Callable[[], _T], permission: str, key: str) -> _T:
        """What `ask` gives, tried again where that is safe. Raises `KmsError`."""
        again = Retry(
            predicate=Patience(),
            initial=0.05,
            maximum=2.0,
            multiplier=2.0,
            timeout=self._deadlines.operation_s,
        )
        try:
            return again(ask)()
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            raise refusal(error, permission, key) from error


@contextmanager
def connected(settings: KmsSettings, deadlines: Deadlines | None = None) -> Iterator[CloudKms]:
    """A provider with a channel to the service, which is closed afterwards. Raises `KmsError`."""
    client = _client(settings)
    # At DEBUG the library writes each request out, and with it the key that is being wrapped.
    logging.getLogger(_TRANSPORT_LOG).setLevel(logging.INFO)
    with client:
        yield CloudKms(client, settings.wrapping_key, settings.root_key, deadlines or Deadlines())


def _client(settings: KmsSettings) -> kms_v1.KeyManagementServiceClient:
    if settings.endpoint:
        loopback(settings.endpoint)
        # A proxy from the environment would take the call off this machine.
        channel = grpc.insecure_channel(settings.endpoint, (("grpc.enable_http_proxy", 0),))
        return kms_v1.KeyManagementServiceClient(
            transport=KeyManagementServiceGrpcTransport(channel=channel)
        )
    try:
        return kms_v1.KeyManagementServiceClient(
            client_options=ClientOptions(api_endpoint=_HOST, universe_domain="googleapis.com")
        )
    except GoogleAuthError as error:
        raise refusal(error, "", settings.wrapping_key) from error
