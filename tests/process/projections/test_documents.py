"""The document store over a real server of MongoDB's protocol: what it keeps, what is erased."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest
import pytest_asyncio
from msgspec import Struct
from pymongo.errors import OperationFailure

from bus.decider import Recorded
from projections.documents.blobs import BlobFolder
from projections.documents.folds import Change, changes_of
from projections.documents.login import HOST, DocumentLogin, database_of
from projections.documents.server import DocumentServer
from projections.documents.writer import DocumentStore
from projections.errors import StoreFailed
from schemas.actions import ObservationRecorded
from schemas.content import plain
from schemas.erasure import ContentErased, ContentField
from schemas.memories import MemoryForgotten, MemoryRetained
from schemas.names import Classification
from schemas.tools import Trust
from tests.process.projections.conftest import ACME, RIVAL
from tests.projected import entries_of
from tests.stories import Said, Story

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLAIM = "m-" + "a" * 24


class Documents(Struct, frozen=True):
    """The server's port, and each workspace's login without it."""

    port: int

    def login(self, workspace: str) -> DocumentLogin:
        return DocumentLogin(self.port, database_of(workspace), f"projector_{workspace}", "secret")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def documents(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Documents]:
    home = tmp_path_factory.mktemp("documents")
    logins = [Documents(0).login(workspace) for workspace in (ACME, RIVAL)]
    server = await DocumentServer.start(home / "documents", logins, log=home / "log")
    yield Documents(server.port)
    await server.stop()


@pytest.fixture
def database(documents: Documents) -> Iterator[pymongo.database.Database[dict[str, Any]]]:
    login = documents.login(ACME)
    with pymongo.MongoClient[dict[str, Any]](
        HOST, login.port, username=login.user, password=login.password, directConnection=True
    ) as client:
        database = client[login.database]
        for name in database.list_collection_names():
            database[name].delete_many({})
        yield database


def told() -> tuple[Story, Said, Said]:
    """A run that read a mail and retained a claim."""
    story = Story(ACME)
    story.found()
    run = story.begin("r-1")
    proposal = run.propose()
    read = run.say("sidecar", ObservationRecorded(source="mail", content=plain("Dana called")))
    retained = run.say(
        "sidecar",
        MemoryRetained(
            claim=CLAIM,
            text=plain("Dana prefers calls"),
            rep="ann",
            agent="follow-up",
            proposal=proposal.digest,
            trust=Trust.UNTRUSTED,
            sensitivity=Classification.CONFIDENTIAL,
        ),
    )
    return story, read, retained


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_memory_and_observations_are_documents_whose_content_is_a_sealed_blob(
    documents: Documents, database: Any, tmp_path: Path
) -> None:
    story, read, retained = told()
    blobs = BlobFolder(tmp_path / "blobs")
    store = DocumentStore(documents.login(ACME), blobs)
    store.apply(entries_of(story.ledger()))
    store.close()
    [claim] = database.memory.find()
    [observation] = database.observations.find()
    assert (claim["_id"], claim["state"], claim["event"]) == (CLAIM, "retained", retained.event.id)
    assert (observation["_id"], observation["source"]) == (read.event.id, "mail")
    for document in (claim, observation):
        data = blobs.get(document["blob"])
        assert data is not None and b"Dana" not in data
        assert oct((files(tmp_path / "blobs")[0]).stat().st_mode)[-3:] == "600"
    assert "Dana" not in repr((claim, observation))


async def test_what_was_erased_is_in_no_document_and_no_blob_and_the_rest_stays(
    documents: Documents, database: Any, tmp_path: Path
) -> None:
    story, _, retained = told()
    blobs = BlobFolder(tmp_path / "blobs")
    store = DocumentStore(documents.login(ACME), blobs)
    store.apply(entries_of(story.ledger()))
    assert len(files(tmp_path / "blobs")) == 2
    field = ContentField(run="r-1", event=retained.event.id, name="text")
    story.say("ada", ContentErased(fields=(field,), reason="asked"))
    store.apply(entries_of(story.ledger()))
    [claim] = database.memory.find()
    assert "blob" not in claim and claim["erased"] == len(story.entries)
    [kept] = files(tmp_path / "blobs")
    [observation] = database.observations.find()
    assert observation["blob"] == kept.name
    # From nothing it comes to the same.
    for name in database.list_collection_names():
        database[name].delete_many({})
    again = DocumentStore(documents.login(ACME), BlobFolder(tmp_path / "again"))
    again.apply(entries_of(story.ledger()))
    assert [path.name for path in files(tmp_path / "again")] == [kept.name]
    for one in (store, again):
        one.close()


async def test_repeats_change_nothing_and_a_later_incarnation_goes_on(
    documents: Documents, database: Any, tmp_path: Path
) -> None:
    story, _, _ = told()
    index = len(story.entries)
    blobs = BlobFolder(tmp_path)
    first = DocumentStore(documents.login(ACME), blobs)
    for entry in entries_of(story.ledger()):
        first.apply([entry])
        first.apply([entry])
    before = list(database.memory.find())
    story.say("sidecar", MemoryForgotten(claim=CLAIM, proposal=bytes(32)), run="r-1")
    later = DocumentStore(documents.login(ACME), blobs)
    assert later.position() == index
    later.apply(entries_of(story.ledger()))
    [claim] = database.memory.find()
    assert (claim["state"], claim["blob"]) == ("forgotten", before[0]["blob"])
    for one in (first, later):
        one.close()


async def test_what_a_fold_or_the_server_cannot_take_is_set_aside_and_the_rest_goes_on(
    documents: Documents, database: Any, tmp_path: Path
) -> None:
    def breaks(recorded: Recorded) -> list[Change]:
        if recorded.event.type == "observation.recorded":
            raise KeyError("a bug of ours")
        return list(changes_of(recorded))

    story, read, _ = told()
    run = story.begin("r-2")
    vast = run.say("sidecar", ObservationRecorded(source="m", content=plain(1), answers=2**63))
    store = DocumentStore(documents.login(ACME), BlobFolder(tmp_path), fold=breaks)
    store.apply(entries_of(story.ledger()))
    assert {d["_id"] for d in database.set_aside.find()} == {read.index, vast.index}
    assert database.memory.count_documents({}) == 1
    for name in database.list_collection_names():
        database[name].delete_many({})
    other = DocumentStore(documents.login(ACME), BlobFolder(tmp_path))
    other.apply(entries_of(story.ledger()))
    assert [d["_id"] for d in database.set_aside.find()] == [vast.index]
    assert database.observations.count_documents({}) == 1
    for one in (store, other):
        one.close()


async def test_a_workspaces_login_leads_into_no_other_database_and_nobody_enters_without_one(
    documents: Documents,
) -> None:
    login = documents.login(RIVAL)
    with pymongo.MongoClient[dict[str, Any]](
        HOST, login.port, username=login.user, password=login.password, directConnection=True
    ) as client:
        theirs = client[database_of(ACME)]
        for attack in (
            theirs.memory.find_one,
            lambda: theirs.memory.insert_one({}),
            theirs.memory.drop,
            lambda: list(theirs.memory.aggregate([{"$match": {}}])),
            lambda: client[login.database].x.aggregate(
                [{"$lookup": {"from": {"db": database_of(ACME), "coll": "memory"}, "as": "a"}}]
            ),
            lambda: client.admin.command("createUser", "mine", pwd="x", roles=["root"]),
            lambda: client.admin.command("usersInfo", 1),
            lambda: client.drop_database(database_of(ACME)),
        ):
            with pytest.raises(OperationFailure):
                attack()
    stranger = pymongo.MongoClient[dict[str, Any]](HOST, login.port, directConnection=True)
    with stranger as nobody, pytest.raises(OperationFailure):
        nobody[database_of(ACME)].memory.find_one()


async def test_a_damaged_blob_is_not_given_out(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    digest = blobs.put(b"sealed")
    assert blobs.get(digest) == b"sealed"
    files(tmp_path)[0].write_bytes(b"other")
    with pytest.raises(StoreFailed, match="damaged"):
        blobs.get(digest)
    blobs.remove(digest)
    assert blobs.get(digest) is None
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.get("../" * 21 + "x")
