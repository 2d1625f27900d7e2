"""`python -m projections --data FOLDER [--store documents]`: a projector's process.

It follows the ledger under an identity that may read and nothing else, holds no content key, and
writes into one store, PostgreSQL or MongoDB, with a login of its own. Each store has a process,
so that one that is down keeps no other waiting.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bus.component import connect_as, run_process, say_ready, until_orphaned
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from crypto.trust import Trust
from projections.documents.blobs import BlobFolder
from projections.documents.embedded import blob_folder
from projections.documents.login import read_login as read_document_login
from projections.documents.writer import DocumentStore
from projections.postgres.login import read_login
from projections.postgres.writer import PostgresStore
from projections.projector import project
from projections.reading import entries
from projections.store import Store
from schemas.names import Role

_NAME = "projector"


async def serve(folder: DataFolder, kind: str) -> None:
    """Project into a store until the parent is gone."""
    await until_orphaned(await stdin_reader(), _serve(folder, kind))


async def _serve(folder: DataFolder, kind: str) -> None:
    workspace = folder.settings().workspace
    store = await asyncio.to_thread(_open, folder, workspace, kind)
    try:
        after = await asyncio.to_thread(store.position)
        client = await connect_as(folder, Role.PROJECTOR)
        try:
            say_ready()
            trust = Trust(workspace, folder.root_public())
            read = entries(client, trust, consumer=_NAME, after=after)
            await project(read, store)
        finally:
            await disconnect(client)
    finally:
        store.close()


def _open(folder: DataFolder, workspace: str, kind: str) -> Store:
    if kind == "documents":
        blobs = BlobFolder(blob_folder(folder, workspace))
        return DocumentStore(read_document_login(folder), blobs)
    return PostgresStore(read_login(folder, _NAME), workspace)


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m projections")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--store", choices=("postgres", "documents"), default="postgres")
    given = parser.parse_args()
    return run_process(serve(DataFolder(given.data), given.store))


if __name__ == "__main__":
    sys.exit(main())
