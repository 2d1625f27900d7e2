"""Blobs: sealed content, each named by the SHA-256 of what it holds. Here in a folder.

    blobs/<workspace>/ab/abcdef…    nonce (12 bytes) and AES-256-GCM ciphertext

The same content twice is the same blob; one that does not hash to its name is never given out.
In Google Cloud Storage: `projections.documents.bucket`.
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Protocol

from crypto.keyfile import write_secret
from projections.errors import StoreFailed


class Blobs(Protocol):
    """One workspace's blobs."""

    def put(self, data: bytes) -> str:
        """Keep `data`, durable on return; its digest, in hex. Raises a `ProjectionError`."""
        ...

    def get(self, digest: str) -> bytes | None:
        """What has this digest, None where there is nothing. Raises `StoreFailed` for damage."""
        ...

    def remove(self, digest: str) -> None:
        """Nothing has this digest any more. Raises a `ProjectionError`."""
        ...


class BlobFolder:
    """Blobs as files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """See `Blobs.put`."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        try:
            if not path.exists():
                write_secret(path, data)
        except OSError as error:
            raise StoreFailed(f"blob {path} cannot be written: {error.strerror}") from error
        return digest

    def get(self, digest: str) -> bytes | None:
        """See `Blobs.get`."""
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreFailed(
                f"blob {digest} is damaged", fix="remove the file and rebuild the documents"
            )
        return data

    def remove(self, digest: str) -> None:
        """See `Blobs.remove`."""
        with contextlib.suppress(FileNotFoundError):
            self._path(digest).unlink()

    def _path(self, digest: str) -> Path:
        return self._root / place_of(digest)


def place_of(digest: str) -> str:
    """Where a blob lies below its workspace. Raises ValueError for what is no SHA-256 in hex."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ValueError(f"{digest!r} is no SHA-256")
    return f"{digest[:2]}/{digest}"
