"""`python -m projections.webhooks --data FOLDER`: the process that posts the ledger's events.

Its bus identity may read the ledger and publish nothing; its one secret is the key that opens
the endpoints' signing secrets. It holds no content key.
"""

import argparse
import logging
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from bus.client import Client
from bus.component import connect_as, run_process, say_ready, until_orphaned
from bus.connection import disconnect
from bus.consume import CaughtUp, Message, follow
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from bus.roles import LEDGER
from crypto.keyfile import read_key
from crypto.trust import Trust
from projections.webhooks.feed import Feed
from projections.webhooks.service import Service
from projections.webhooks.store import Store
from schemas.names import Role
from schemas.settings import WebhookSettings


async def serve(folder: DataFolder) -> None:
    """Post until the parent is gone."""
    await until_orphaned(await stdin_reader(), _serve(folder))


async def _serve(folder: DataFolder) -> None:
    # It writes each URL down, whose path may be what the receiver knows its senders by.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = folder.settings()
    workspace = settings.workspace
    key = read_key(folder.webhook_key_file)
    store = Store(folder.webhook_file, workspace, synced=False)
    client = await connect_as(folder, Role.WEBHOOKS)
    feed = Feed(Trust(workspace, folder.root_public()), lambda after: _follow(client, after))
    service = Service(store, key, workspace, settings.webhooks or WebhookSettings(), feed)
    # Before the ledger is verified, however long it is: nothing waits for this component.
    say_ready()
    try:
        await service.run()
    finally:
        await disconnect(client)
        store.close()


def _follow(client: Client, after: int) -> AsyncGenerator[Message | CaughtUp, None]:
    return follow(
        client,
        stream=LEDGER,
        filter_subject=None,
        consumer=Role.WEBHOOKS.value,
        throwaway=True,
        after=after,
    )


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m projections.webhooks")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    return run_process(serve(DataFolder(parser.parse_args().data)))


if __name__ == "__main__":
    sys.exit(main())
