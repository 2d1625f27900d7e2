"""Blobs in a bucket, over the library of Google Cloud Storage and a server that speaks its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.documents.blobs import BlobFolder, Blobs
from projections.documents.bucket import open_bucket
from projections.errors import StoreFailed, StoreRefused
from schemas.settings import ProjectionSettings
from tests.contract.google_storage import BUCKET, GoogleStorage, google_storage

SEALED = b"sealed content" * 100


@pytest.fixture
def server() -> Iterator[GoogleStorage]:
    with google_storage() as server:
        yield server


def bucket(server: GoogleStorage, name: str = f"gs://{BUCKET}/trust") -> Blobs:
    chosen = ProjectionSettings(documents=True, blobs=name, blobs_endpoint=server.endpoint)
    return open_bucket(chosen, "acme")


def test_what_is_kept_lies_under_its_digest_below_prefix_and_workspace(
    server: GoogleStorage, tmp_path: Path
) -> None:
    blobs = bucket(server)
    digest = blobs.put(SEALED)
    assert digest == BlobFolder(tmp_path).put(SEALED)
    assert server.objects == {f"trust/acme/{digest[:2]}/{digest}": SEALED}
    assert blobs.get(digest) == SEALED
    blobs.remove(digest)
    assert (server.objects, blobs.get(digest)) == ({}, None)
    blobs.remove(digest)


def test_the_same_again_is_not_written_twice(server: GoogleStorage) -> None:
    blobs = bucket(server, f"gs://{BUCKET}")
    assert blobs.put(SEALED) == blobs.put(SEALED)
    assert list(server.objects.values()) == [SEALED]
    assert server.log == ["POST", "POST"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_busy_is_asked_again(server: GoogleStorage, status: int) -> None:
    blobs = bucket(server)
    server.refusals = [status]
    digest = blobs.put(SEALED)
    server.refusals = [status]
    assert blobs.get(digest) == SEALED
    server.refusals = [status]
    blobs.remove(digest)
    assert (server.objects, server.refusals, len(server.log)) == ({}, [], 6)


def test_a_missing_permission_is_named(server: GoogleStorage) -> None:
    blobs = bucket(server)
    digest = blobs.put(SEALED)
    server.refusals = [403] * 3
    asked = {
        "storage.objects.create": lambda: blobs.put(b"other"),
        "storage.objects.get": lambda: blobs.get(digest),
        "storage.objects.delete": lambda: blobs.remove(digest),
    }
    for permission, ask in asked.items():
        with pytest.raises(StoreRefused, match=f"lacks {permission} on gs://{BUCKET}"):
            ask()
    assert list(server.objects.values()) == [SEALED]


def test_who_writes_is_told_that_there_is_no_such_bucket(server: GoogleStorage) -> None:
    with pytest.raises(StoreRefused, match="no bucket gs://other-bucket"):
        bucket(server, "gs://other-bucket").put(SEALED)


def test_a_changed_object_is_not_given_out(server: GoogleStorage) -> None:
    blobs = bucket(server)
    digest = blobs.put(SEALED)
    name = f"trust/acme/{digest[:2]}/{digest}"
    other = blobs.put(b"other")
    found = server.storage.get_file_obj(BUCKET, f"trust/acme/{other[:2]}/{other}")
    server.storage.create_file(BUCKET, name, b"other", found)
    with pytest.raises(StoreFailed, match=f"blob gs://{BUCKET}/{name} is damaged"):
        blobs.get(digest)


def test_a_name_that_is_no_digest_is_asked_of_nobody(server: GoogleStorage) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        bucket(server).get("../" * 21 + "x")
    assert server.log == []
