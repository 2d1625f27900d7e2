"""`python -m projections --data FOLDER [--store documents|vectors]`: a projector's process.

It follows the ledger under an identity that may read and nothing else, and writes into one store,
PostgreSQL, MongoDB or Qdrant. Each store has a process, so that one that is down keeps no other
waiting. None but the index by meaning holds a content key: a vector cannot be made of ciphertext.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bus.component import connect_as, read_unlock, run_process, say_ready, until_orphaned
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from crypto.kms import load_keyring, open_kms
from crypto.sealing import ContentKeys, NoKeys, WorkspaceKeys
from crypto.trust import Trust
from projections.documents.blobs import BlobFolder, Blobs
from projections.documents.embedded import blob_folder
from projections.documents.login import read_login as read_document_login
from projections.documents.writer import DocumentStore
from projections.errors import StoreMissing
from projections.postgres.login import read_login
from projections.postgres.own import need_revision
from projections.postgres.writer import PostgresStore
from projections.projector import project
from projections.reading import entries
from projections.store import Store
from projections.vectors.folder import vector_folder
from projections.vectors.opening import opened
from schemas.names import Role
from schemas.settings import Settings

_NAME = "projector"


async def serve(folder: DataFolder, kind: str) -> None:
    """Project into a store until the parent is gone."""
    reader = await stdin_reader()
    settings = folder.settings()
    keys: ContentKeys = NoKeys()
    if kind == "vectors":
        sealed = settings.kms.passphrase
        passphrase = (await read_unlock(reader)).passphrase if sealed else None
        keys = await asyncio.to_thread(_keys, folder, settings, passphrase)
    await until_orphaned(reader, _serve(folder, settings.workspace, kind, keys))


async def _serve(folder: DataFolder, workspace: str, kind: str, keys: ContentKeys) -> None:
    store = await asyncio.to_thread(_open, folder, workspace, kind)
    try:
        after = await asyncio.to_thread(store.position)
        client = await connect_as(folder, Role.PROJECTOR)
        try:
            say_ready()
            trust = Trust(workspace, folder.root_public())
            read = entries(client, trust, consumer=_NAME, after=after)
            await project(opened(read, keys), store)
        finally:
            await disconnect(client)
    finally:
        store.close()


def _keys(folder: DataFolder, settings: Settings, passphrase: str | None) -> ContentKeys:
    workspace = settings.workspace
    with open_kms(settings.kms, folder.kms, passphrase) as kms:
        return WorkspaceKeys(load_keyring(kms, folder.keyring_file(workspace), workspace))


def _open(folder: DataFolder, workspace: str, kind: str) -> Store:
    if kind == "vectors":
        from projections.vectors.store import VectorStore

        return VectorStore(vector_folder(folder, workspace), workspace)
    if kind == "documents":
        return DocumentStore(read_document_login(folder), _blobs(folder, workspace))
    login = read_login(folder, _NAME)
    need_revision(login)
    return PostgresStore(login, workspace)


def _blobs(folder: DataFolder, workspace: str) -> Blobs:
    chosen = folder.settings().projections
    if chosen is None or not chosen.blobs:
        return BlobFolder(blob_folder(folder, workspace))
    try:
        from projections.documents.bucket import open_bucket
    except ModuleNotFoundError as error:
        raise StoreMissing(
            f"projections.blobs is in Google Cloud Storage, and {error.name} is not installed",
            fix="install the extra gcp",
        ) from error
    return open_bucket(chosen, workspace)


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m projections")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--store", choices=("postgres", "documents", "vectors"), default="postgres")
    given = parser.parse_args()
    return run_process(serve(DataFolder(given.data), given.store))


if __name__ == "__main__":
    sys.exit(main())
