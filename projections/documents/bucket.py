"""Blobs in Google Cloud Storage: the same sealed content, as objects of a bucket.

    gs://<bucket>/<prefix>/<workspace>/ab/abcdef…    nonce (12 bytes) and AES-256-GCM ciphertext

Each operation has a deadline, and is tried again until then: a name is made of what it holds, so
that writing or removing twice is once. Credentials are Application Default Credentials and nothing
else; an endpoint on loopback, an emulator, gets none. The identity needs `storage.objects.get`,
`create` and `delete` on the bucket. Source: https://cloud.google.com/storage/docs/json_api/v1
"""

import hashlib
from collections.abc import Callable
from typing import Final, TypeVar

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    Forbidden,
    GoogleAPIError,
    NotFound,
    PreconditionFailed,
    Unauthorized,
)
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Blob, Bucket, Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException

from projections.documents.blobs import place_of
from projections.errors import StoreFailed, StoreMissing, StoreRefused
from schemas.settings import ProjectionSettings

REQUEST_S: Final = 10.0
OPERATION_S: Final = 30.0
"""Seconds for one request, and for an operation with all its repetitions."""

_SCHEME: Final = "gs://"
_RETRY: Final = DEFAULT_RETRY.with_timeout(OPERATION_S)
_FAILURES: Final = (GoogleAPIError, GoogleAuthError, RequestException, DataCorruption)
_QUOTED: Final = 300

_T = TypeVar("_T")


class BlobBucket:
    """One workspace's blobs, below `prefix` in a bucket."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix

    def put(self, data: bytes) -> str:
        """See `Blobs.put`."""
        digest = hashlib.sha256(data).hexdigest()
        blob = self._blob(digest)

        def write() -> None:
            try:
                blob.upload_from_string(
                    data,
                    content_type="application/octet-stream",
                    if_generation_match=0,
                    checksum="crc32c",
                    timeout=REQUEST_S,
                    retry=_RETRY,
                )
            except PreconditionFailed:
                # It is there: by an earlier try, or because the same was kept before.
                return

        self._try(write, "storage.objects.create")
        return digest

    def get(self, digest: str) -> bytes | None:
        """See `Blobs.get`."""
        blob = self._blob(digest)

        def read() -> bytes | None:
            try:
                found: bytes = blob.download_as_bytes(timeout=REQUEST_S, retry=_RETRY)
            except NotFound:
                # Nor is anything in a bucket that does not exist, which who writes is told.
                return None
            return found

        data = self._try(read, "storage.objects.get")
        if data is not None and hashlib.sha256(data).hexdigest() != digest:
            raise StoreFailed(
                f"blob {_SCHEME}{self._bucket.name}/{blob.name} is damaged",
                fix="remove the object and rebuild the documents",
            )
        return data

    def remove(self, digest: str) -> None:
        """See `Blobs.remove`."""
        blob = self._blob(digest)

        def remove() -> None:
            try:
                blob.delete(timeout=REQUEST_S, retry=_RETRY)
            except NotFound:
                return

        self._try(remove, "storage.objects.delete")

    def _blob(self, digest: str) -> Blob:
        return self._bucket.blob(f"{self._prefix}{place_of(digest)}")

    def _try(self, ask: Callable[[], _T], permission: str) -> _T:
        try:
            return ask()
        except _FAILURES as error:
            raise _refusal(error, permission, f"{_SCHEME}{self._bucket.name}") from error


def open_bucket(settings: ProjectionSettings, workspace: str) -> BlobBucket:
    """The workspace's blobs in the bucket that `settings.blobs` names. Raises `StoreMissing`
    without credentials."""
    name, _, prefix = settings.blobs.removeprefix(_SCHEME).partition("/")
    try:
        client = _client(settings.blobs_endpoint)
    except GoogleAuthError as error:
        raise _refusal(error, "", settings.blobs) from error
    below = f"{prefix.rstrip('/')}/" if prefix else ""
    return BlobBucket(client.bucket(name), f"{below}{workspace}/")


def _client(endpoint: str) -> Client:
    if not endpoint:
        return Client()
    return Client(
        project="emulator",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options=ClientOptions(api_endpoint=f"http://{endpoint}"),
    )


def _refusal(
    error: Exception, permission: str, where: str
) -> StoreFailed | StoreRefused | StoreMissing:
    """Our error for one of the library's, met while using `permission`."""
    said = " ".join(str(error).split())[:_QUOTED]
    if isinstance(error, GoogleAuthError):
        return StoreMissing(
            f"no Application Default Credentials for {where}: {said}",
            fix="log in with `gcloud auth application-default login`, or use a service account",
        )
    if isinstance(error, Forbidden | Unauthorized):
        return StoreRefused(
            f"this identity lacks {permission} on {where}: {said}",
            fix="grant roles/storage.objectUser on that bucket alone",
        )
    if isinstance(error, NotFound):
        return StoreRefused(
            f"there is no bucket {where}: {said}", fix="make it, or correct projections.blobs"
        )
    return StoreFailed(
        f"{where} gave no answer in time, or a wrong one: {said}",
        fix="check the network and the service's status; it is tried again from where it stood",
    )
