"""`python -m console.web --data FOLDER`: the console's process.

It has a bus identity and an event key of its own, people's keys to sign what they decide, and,
where the KMS gives them, the content keys to show what a question is about. Without the KMS it
comes up all the same: a halt must not wait for it.
"""

import argparse
import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from bus.component import (
    Starting,
    connect_as,
    event_signer,
    read_unlock,
    run_process,
    until_orphaned,
)
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from console.api.answers import Answers
from console.api.bearers import Bearers
from console.api.serving import api
from console.web.app import application
from console.web.desk import Desk
from console.web.exporting import Exports
from console.web.feed import Feed
from console.web.here import Here
from console.web.mail import Post
from console.web.notices import notify
from console.web.oidc import Providers
from console.web.saml.providers import SamlProviders
from console.web.serving import listening, serve
from console.web.sessions import Limits, Sessions
from console.web.store import Store
from crypto.errors import CryptoError
from crypto.keyfile import read_key, write_secret
from crypto.kms import load_keyring, open_kms
from crypto.sealing import ContentKeys, NoKeys, WorkspaceKeys
from crypto.trust import Trust
from ledger.restart import bring_back
from ledger.snapshots import Snapshots
from ledger.taking import Taking
from schemas.names import Role
from schemas.settings import Settings
from schemas.webconsole import ConsoleSettings

_LOG = logging.getLogger("anyteam.console")


async def run(folder: DataFolder) -> None:
    """Serve until the parent is gone."""
    settings = folder.settings()
    reader = await stdin_reader()
    passphrase = (await read_unlock(reader)).passphrase if settings.kms.passphrase else None
    await until_orphaned(reader, _run(folder, settings, passphrase))


async def _run(folder: DataFolder, settings: Settings, passphrase: str | None) -> None:
    chosen = settings.console or ConsoleSettings()
    own = folder.identity(Role.CONSOLE)
    keys, sealed = _keys(folder, settings, passphrase)
    client = await connect_as(folder, Role.CONSOLE)
    store, answers = Store(own / "console.sqlite"), Answers(own / "api.sqlite")
    sock = listening(chosen, own / "port")
    origin = chosen.url or f"https://localhost:{sock.getsockname()[1]}"
    key = read_key(own / "snapshot.key")
    trust = Trust(settings.workspace, folder.root_public())
    feed = Feed(client, trust, keys, own / "read", key)
    snapshots = Snapshots(
        folder.snapshot("console"),
        key,
        settings.workspace,
        "console",
        ("console.view", "console.web"),
    )
    # Before anybody holds the view: what comes back is another.
    start = await bring_back(client, snapshots, feed.resume)
    feed.taking = Taking(
        feed, feed.folded, snapshots, start, held=feed.held, every=settings.bus.snapshot_every
    )
    desk = Desk(client, feed, folder, event_signer(folder, Role.CONSOLE), keys)
    limits = Limits(lives_s=chosen.session_h * 3_600, idle_s=chosen.idle_min * 60)
    here = Here(
        folder=folder,
        settings=settings,
        origin=origin,
        client=client,
        feed=feed,
        desk=desk,
        sessions=Sessions(store, feed.view, desk.record, limits),
        post=Post(chosen.mail, own),
        providers=Providers(chosen.oidc, own, origin),
        saml=SamlProviders(chosen.saml, folder.root, origin),
        keys=keys,
        sealed=sealed,
        exports=Exports(folder, own / "exports"),
    )
    ready, starting = asyncio.Event(), Starting()
    work = [
        asyncio.ensure_future(feed.run(ready.set, starting.reading(feed.take))),
        asyncio.ensure_future(feed.run_seals()),
    ]
    try:
        await _first(asyncio.ensure_future(ready.wait()), *work)
        programs = api(here, Bearers(feed.view, desk.record, chosen.api_per_min), answers)
        app = application(here, programs)
        work.append(asyncio.ensure_future(serve(app, sock, chosen, folder.root, own)))
        write_secret(folder.console_file, json.dumps({"url": origin}).encode() + b"\n")
        if here.post.notices:
            work.append(asyncio.ensure_future(notify(feed, store, here.post, origin)))
        starting.ready()
        await _first(*work)
    finally:
        folder.console_file.unlink(missing_ok=True)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await here.exports.close()
        store.close()
        answers.close()
        sock.close()
        feed.close()
        await disconnect(client)


async def _first(*tasks: asyncio.Future[Any]) -> None:
    """Wait for the first to end, and raise what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task


def _keys(
    folder: DataFolder, settings: Settings, passphrase: str | None
) -> tuple[ContentKeys, str]:
    """The content keys, or none and why."""
    workspace = settings.workspace
    try:
        with open_kms(settings.kms, folder.kms, passphrase) as kms:
            return WorkspaceKeys(load_keyring(kms, folder.keyring_file(workspace), workspace)), ""
    except CryptoError as error:
        _LOG.error("content stays sealed: %s", error)
        return NoKeys(), "The key service gave no content key, so arguments stay sealed."


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m console.web")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    return run_process(run(DataFolder(parser.parse_args().data)))


if __name__ == "__main__":
    sys.exit(main())
