"""`python -m projections --data FOLDER`: the projector's process.

It follows the ledger under an identity that may read and nothing else, holds no content key, and
writes into PostgreSQL with a login of its own.
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
from projections.postgres.login import read_login
from projections.postgres.writer import PostgresStore
from projections.projector import project
from projections.reading import entries
from schemas.names import Role

_NAME = "projector"


async def serve(folder: DataFolder) -> None:
    """Project until the parent is gone."""
    await until_orphaned(await stdin_reader(), _serve(folder))


async def _serve(folder: DataFolder) -> None:
    workspace = folder.settings().workspace
    login = read_login(folder, _NAME)
    store = await asyncio.to_thread(PostgresStore, login, workspace)
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


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m projections")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    return run_process(serve(DataFolder(parser.parse_args().data)))


if __name__ == "__main__":
    sys.exit(main())
