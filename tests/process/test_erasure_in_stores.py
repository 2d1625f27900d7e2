"""`anyteam erase` and the real stores: tables, documents, blobs and the index by meaning lose what
they hold of a person, and a copy of them taken before opens with no key that is left."""

import asyncio
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from bus.folder import DataFolder
from console.custody import content_keys
from projections.documents.bucket import open_bucket
from projections.documents.login import DocumentLogin
from projections.documents.login import read_login as read_document_login
from projections.postgres.login import read_login
from projections.vectors.embedding import vectors_of
from projections.vectors.folder import vector_folder
from schemas.erasure import ContentField
from tests.contract.google_storage import BUCKET, GoogleStorage, google_storage
from tests.faults.installation import DEADLINE_S, up
from tests.process.test_erasure import CLAIM, SETTINGS, anyteam, run_of

NOBODY = "The weather in Oslo is cold."


@pytest.fixture
def object_store() -> Iterator[GoogleStorage]:
    with google_storage() as server:
        yield server


async def soon(look: Callable[[], Any], met: Callable[[Any], bool]) -> Any:
    """What `look` finds, once it is as wanted. Raises TimeoutError."""
    async with asyncio.timeout(DEADLINE_S):
        while not met(found := await asyncio.to_thread(look)):
            await asyncio.sleep(0.05)
    return found


def contents(folder: DataFolder) -> dict[tuple[str, str, str], bytes | None]:
    """The ciphertext in PostgreSQL of each field, by run, event and name."""
    with psycopg.connect(read_login(folder, "console").conninfo()) as connection:
        connection.execute("SELECT set_config('app.workspace', 'acme', true)")
        rows = connection.execute("SELECT run, event, name, ciphertext FROM contents").fetchall()
    return {(run, event, name): ciphertext for run, event, name, ciphertext in rows}


def claims(login: DocumentLogin) -> list[dict[str, Any]]:
    """The memory as MongoDB has it."""
    with pymongo.MongoClient[dict[str, Any]](
        login.host, login.port, username=login.user, password=login.password, directConnection=True
    ) as client:
        return list(client[login.database].memory.find().sort("index"))


def indexed(folder: DataFolder, text: str) -> bool:
    """Whether the vector of a text is anywhere in the index's files, used or let go."""
    [vector] = vectors_of([text])
    told = [struct.pack(">d", number) for number in vector[:8]]
    files = [file for file in vector_folder(folder, "acme").rglob("*") if file.is_file()]
    return any(all(part in file.read_bytes() for part in told) for file in files)


async def test_a_person_is_erased_from_every_store(
    tmp_path: Path, object_store: GoogleStorage
) -> None:
    folder = DataFolder(tmp_path / "home")
    folder.root.mkdir(mode=0o700)
    (folder.root / "files").mkdir()
    stores = (
        f'[projections]\ndocuments = true\nvectors = true\nblobs = "gs://{BUCKET}/trust"\n'
        f'blobs_endpoint = "{object_store.endpoint}"\n'
    )
    folder.settings_file.write_text(SETTINGS.replace("[policy]", f"{stores}[policy]"))
    settings = folder.settings()
    async with up(folder):
        for claim in (CLAIM, NOBODY):
            await run_of(folder, f"Remember this: {claim}", ("memory.retain", {"claim": claim}))
        login = read_document_login(folder)
        about, other = await soon(lambda: claims(login), lambda found: len(found) == 2)
        field = ContentField(run=about["run"], event=about["event"], name="text")
        place = (field.run, field.event, field.name)
        before = await soon(lambda: contents(folder), lambda found: bool(found.get(place)))
        assert content_keys(folder, settings).field_key(field) is not None
        assert settings.projections is not None
        blobs = open_bucket(settings.projections, "acme")
        assert blobs.get(about["blob"]) is not None

        asked = ("memory", "search", "when does Dana like to be phoned?")
        while len(near := await anyteam(folder, *asked)) < 2:
            await asyncio.sleep(0.05)
        assert [one["text"] for one in near] == [CLAIM, NOBODY]
        assert indexed(folder, CLAIM)

        [done] = await anyteam(folder, "erase", "Whitfield", "--yes")
        gone = {(f["run"], f["event"], f["name"]) for f in done["fields"]}
        assert place in gone
        after = await soon(lambda: contents(folder), lambda found: found.get(place) is None)
        await soon(lambda: claims(login), lambda found: "erased" in found[0])
        assert {one for one in before if after[one] is None} == gone
        assert all(after[one] == before[one] for one in before.keys() - gone)
        erased, kept = claims(login)
        assert "blob" not in erased and kept["blob"] == other["blob"]
        assert blobs.get(about["blob"]) is None
        assert blobs.get(kept["blob"]) is not None
        assert not list(folder.root.glob("blobs/**/*"))
        await soon(lambda: indexed(folder, CLAIM), lambda there: not there)
        near = await anyteam(folder, *asked)
        assert [one["text"] for one in near] == [NOBODY]
        assert indexed(folder, NOBODY)
        # Whoever copied the stores before has ciphertext, and there is no key to it.
        keys = content_keys(folder, settings)
        assert [
            one
            for one in gone
            if keys.field_key(ContentField(run=one[0], event=one[1], name=one[2])) is not None
        ] == []
        assert keys.field_key(ContentField(run=kept["run"], event=kept["event"], name="text"))
        [stands] = await anyteam(folder, "projections", "status")
        assert stands["postgres"]["set_aside"] == []
    # The words of the intents name her: they are no content, and `erase` says that they stay.
    assert {mention["type"] for mention in done["clear"]} >= {"run.requested"}
    for part in ("documents", "blobs", "vectors", "logs"):
        for path in (folder.root / part).rglob("*"):
            if path.is_file():
                assert b"hitfield" not in path.read_bytes(), path
