"""Google Cloud KMS on loopback: its published interface over real AES-256-GCM and Ed25519 keys.

It checks what the service checks: the routing header, the caller's permission on that key, the
quota, the version's state and purpose, and each CRC32C field that came. `alter` is the hand of
whoever tampers with answers on their way, `garbled` counts requests that arrive with a bit
flipped, `unchecked` names what came without a checksum, `silent` lets a request run into its
deadline.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NoReturn

import google_crc32c
import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.cloud import kms_v1
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from tests.contract.google_interface import KeyManagementServicer, serve

RING: Final = "projects/example-project/locations/europe-west3/keyRings/anyteam"
ENCRYPT, DECRYPT, SIGN, VIEW = (
    f"cloudkms.cryptoKeyVersions.{name}"
    for name in ("useToEncrypt", "useToDecrypt", "useToSign", "viewPublicKey")
)

_State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
_Algorithm = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
_MAX_BYTES: Final = 65_536
_ID_BYTES: Final = 8


class Version:
    """One version of a key: its material, its state, and the mark its ciphertexts begin with."""

    def __init__(self, name: str, material: Any) -> None:
        self.name = name
        self.material = material
        self.state = _State.ENABLED
        self.mark = secrets.token_bytes(_ID_BYTES)


class GoogleKms(KeyManagementServicer):
    """The server. `denied` holds (permission, key) pairs that the caller lacks."""

    def __init__(self) -> None:
        self.keys: dict[str, list[Version]] = {}
        self.denied: set[tuple[str, str]] = set()
        self.quota: int | None = None
        self.unavailable = 0
        self.garbled = 0
        self.unchecked: list[str] = []
        self.silent = False
        self.alter: Callable[[Any], Any] = lambda answer: answer
        self.asked: Counter[str] = Counter()
        self._server, self.endpoint = serve(self)

    def stop(self) -> None:
        """End the server and what it is still doing."""
        self._server.stop(grace=None).wait()

    def add_wrapping_key(self, key: str) -> str:
        """A symmetric key with one version; its name."""
        return self._add(key, AESGCM(AESGCM.generate_key(256)))

    def add_root(self, key: str) -> str:
        """An Ed25519 key with one version; the version's name."""
        return f"{self._add(key, Ed25519PrivateKey.generate())}/cryptoKeyVersions/1"

    def add_elliptic_root(self, key: str) -> str:
        """A P-256 signing key, which is no root of ours; its version's name."""
        return f"{self._add(key, generate_private_key(SECP256R1()))}/cryptoKeyVersions/1"

    def rotate(self, key: str) -> None:
        """Make a new primary version, as the service does by schedule."""
        versions = self.keys[key]
        material = AESGCM(AESGCM.generate_key(256))
        versions.append(Version(f"{key}/cryptoKeyVersions/{len(versions) + 1}", material))

    def Encrypt(  # noqa: N802
        self, request: kms_v1.EncryptRequest, context: grpc.ServicerContext
    ) -> kms_v1.EncryptResponse:
        self._admit(request, context, ENCRYPT, request.name)
        version = self._usable(self._versions(request.name, context)[-1], AESGCM, context)
        plain, aad = request.plaintext, request.additional_authenticated_data
        self._bounded(plain, context)
        nonce = secrets.token_bytes(12)
        ciphertext = version.mark + nonce + version.material.encrypt(nonce, plain, aad)
        return self._answer(
            kms_v1.EncryptResponse(
                name=version.name,
                ciphertext=ciphertext,
                ciphertext_crc32c=google_crc32c.value(ciphertext),
                verified_plaintext_crc32c=self._checked(
                    plain, request.plaintext_crc32c, "plaintext", context
                ),
                verified_additional_authenticated_data_crc32c=self._checked(
                    aad, request.additional_authenticated_data_crc32c, "AAD", context
                ),
            )
        )

    def Decrypt(  # noqa: N802
        self, request: kms_v1.DecryptRequest, context: grpc.ServicerContext
    ) -> kms_v1.DecryptResponse:
        self._admit(request, context, DECRYPT, request.name)
        data, aad = request.ciphertext, request.additional_authenticated_data
        self._checked(data, request.ciphertext_crc32c, "ciphertext", context)
        self._checked(aad, request.additional_authenticated_data_crc32c, "AAD", context)
        versions = self._versions(request.name, context)
        by_mark = {version.mark: version for version in versions}
        version = by_mark.get(data[:_ID_BYTES])
        if version is None:
            _abort(context, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.")
        self._usable(version, AESGCM, context)
        rest = data[_ID_BYTES:]
        try:
            plain = version.material.decrypt(rest[:12], rest[12:], aad)
        except (InvalidTag, ValueError):
            _abort(context, "INVALID_ARGUMENT", "Decryption failed: verify that 'name' refers to")
        return self._answer(
            kms_v1.DecryptResponse(
                plaintext=plain,
                plaintext_crc32c=google_crc32c.value(plain),
                used_primary=version is versions[-1],
            )
        )

    def GetPublicKey(  # noqa: N802
        self, request: kms_v1.GetPublicKeyRequest, context: grpc.ServicerContext
    ) -> kms_v1.PublicKey:
        self._admit(request, context, VIEW, request.name)
        version = self._version(request.name, context)
        pem = version.material.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        is_ed25519 = isinstance(version.material, Ed25519PrivateKey)
        return self._answer(
            kms_v1.PublicKey(
                name=version.name,
                pem=pem.decode(),
                pem_crc32c=google_crc32c.value(pem),
                algorithm=_Algorithm.EC_SIGN_ED25519
                if is_ed25519
                else _Algorithm.EC_SIGN_P256_SHA256,
            )
        )

    def AsymmetricSign(  # noqa: N802
        self, request: kms_v1.AsymmetricSignRequest, context: grpc.ServicerContext
    ) -> kms_v1.AsymmetricSignResponse:
        self._admit(request, context, SIGN, request.name)
        version = self._version(request.name, context)
        self._usable(version, Ed25519PrivateKey, context)
        came_whole = self._checked(request.data, request.data_crc32c, "data", context)
        if request.digest:
            _abort(context, "INVALID_ARGUMENT", "PureEdDSA signs data, not a digest.")
        self._bounded(request.data, context)
        signature = version.material.sign(request.data)
        return self._answer(
            kms_v1.AsymmetricSignResponse(
                name=version.name,
                signature=signature,
                signature_crc32c=google_crc32c.value(signature),
                verified_data_crc32c=came_whole,
            )
        )

    def _add(self, key: str, material: Any) -> str:
        name = f"{RING}/cryptoKeys/{key}"
        self.keys[name] = [Version(f"{name}/cryptoKeyVersions/1", material)]
        return name

    def _admit(
        self, request: Any, context: grpc.ServicerContext, permission: str, name: str
    ) -> None:
        self.asked[type(request).__name__] += 1
        headers = dict(context.invocation_metadata())
        if "authorization" in headers:
            _abort(context, "UNAUTHENTICATED", "A credential on a channel without TLS.")
        if "name=" not in headers.get("x-goog-request-params", ""):
            _abort(context, "INVALID_ARGUMENT", "The routing header is missing.")
        if self.silent:
            gone = threading.Event()
            if context.add_callback(gone.set):
                gone.wait()
        if self.unavailable:
            self.unavailable -= 1
            _abort(context, "UNAVAILABLE", "The service is currently unavailable.")
        if self.quota is not None:
            if self.quota == 0:
                _abort(context, "RESOURCE_EXHAUSTED", "Quota exceeded for 'Crypto requests'.")
            self.quota -= 1
        if (permission, name) in self.denied:
            _deny(context, permission, name)
        if self.garbled:
            self.garbled -= 1
            field = {ENCRYPT: "plaintext", DECRYPT: "ciphertext", SIGN: "data"}[permission]
            data = getattr(request, field)
            setattr(request, field, data[:-1] + bytes([data[-1] ^ 1]))

    def _versions(self, key: str, context: grpc.ServicerContext) -> list[Version]:
        if key not in self.keys:
            _abort(context, "NOT_FOUND", f"CryptoKey {key} not found.")
        return self.keys[key]

    def _version(self, name: str, context: grpc.ServicerContext) -> Version:
        key, _, _ = name.partition("/cryptoKeyVersions/")
        found = {version.name: version for version in self._versions(key, context)}
        if name not in found:
            _abort(context, "NOT_FOUND", f"CryptoKeyVersion {name} not found.")
        return found[name]

    def _usable(self, version: Version, kind: type, context: grpc.ServicerContext) -> Version:
        if not isinstance(version.material, kind):
            _abort(context, "FAILED_PRECONDITION", f"{version.name} is for another purpose.")
        if version.state != _State.ENABLED:
            text = f"{version.name} is not enabled, current state is: {version.state.name}."
            _abort(context, "FAILED_PRECONDITION", text)
        return version

    def _checked(
        self, data: bytes, checksum: int | None, what: str, context: grpc.ServicerContext
    ) -> bool:
        """Whether a checksum came, having aborted where it is wrong."""
        if checksum is None:
            self.unchecked.append(what)
        elif checksum != google_crc32c.value(data):
            _abort(context, "INVALID_ARGUMENT", f"The checksum in {what}_crc32c did not match.")
        return checksum is not None

    def _bounded(self, data: bytes, context: grpc.ServicerContext) -> None:
        if len(data) > _MAX_BYTES:
            _abort(context, "INVALID_ARGUMENT", f"The request is over {_MAX_BYTES} bytes.")

    def _answer(self, answer: Any) -> Any:
        return self.alter(answer)


def _deny(context: grpc.ServicerContext, permission: str, name: str) -> NoReturn:
    """As the service says it: a message, and the same as data (google.rpc.ErrorInfo)."""
    info = AnyMessage()
    info.Pack(
        error_details_pb2.ErrorInfo(
            reason="IAM_PERMISSION_DENIED",
            domain="cloudkms.googleapis.com",
            metadata={"permission": permission, "resource": name},
        )
    )
    status = status_pb2.Status(
        code=code_pb2.PERMISSION_DENIED,
        message=f"Permission '{permission}' denied on resource '{name}' (or it may not exist).",
        details=[info],
    )
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort raises")


def _abort(context: grpc.ServicerContext, code: str, text: str) -> NoReturn:
    context.abort(grpc.StatusCode[code], text)
    raise AssertionError("abort raises")
