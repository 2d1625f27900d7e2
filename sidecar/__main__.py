"""`python -m sidecar --data FOLDER`: the sidecar's process, the only holder of credentials.

It runs the gate, the tools and the sealer for one workspace. Whatever puts the ledger in
doubt (a stream shorter or other than what was sealed, a broken chain, a refused write)
ends the process: no audit, no action.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import msgspec

from bus.component import (
    Starting,
    connect_as,
    event_signer,
    read_unlock,
    run_process,
    together,
    until_orphaned,
)
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from bus.node import Node
from bus.outbox import Outbox
from bus.ownership import as_owner
from bus.shell import Shell
from bus.snapshot import folded_of
from classify.detect import Detector
from classify.dictionary import Dictionary
from crypto.keyfile import load_signer, read_key
from crypto.kms import load_data_key, load_keyring, open_kms
from crypto.sealing import WorkspaceKeys
from crypto.trust import Trust
from ledger.restart import restart
from ledger.snapshots import Snapshots, content_snapshot_key
from ledger.taking import Taking
from schemas.addresses import Admits, is_public
from schemas.erasure import ContentField
from schemas.events import Actor
from schemas.names import Role
from schemas.settings import Settings
from sidecar.connectors.serving import Connectors
from sidecar.decider import SidecarDecider
from sidecar.destinations.resolver import Resolver
from sidecar.models import ModelGateway
from sidecar.performer import Performer
from sidecar.sealing import Sealer
from sidecar.state import SidecarState
from sidecar.tokenising import Masker
from sidecar.vault import Secret, Vault


async def serve(folder: DataFolder, admits: Admits = is_public) -> None:
    """Gate, act and seal until the parent is gone. The web connector reaches what `admits` says."""
    settings = folder.settings()
    reader = await stdin_reader()
    passphrase = (await read_unlock(reader)).passphrase if settings.kms.passphrase else None
    work = partial(_serve, folder, settings, passphrase, admits)
    await until_orphaned(reader, as_owner(folder.ownership("sidecar"), work))


async def _serve(
    folder: DataFolder, settings: Settings, passphrase: str | None, admits: Admits
) -> None:
    workspace, root = settings.workspace, folder.root_public()
    own = folder.identity(Role.SIDECAR)
    with open_kms(settings.kms, folder.kms, passphrase) as kms:
        data_key = load_data_key(kms, folder.data_key_file(workspace), workspace)
        ring = load_keyring(kms, folder.keyring_file(workspace), workspace)
    keys = WorkspaceKeys(ring)
    vault = Vault(folder.vault(workspace), data_key, workspace)
    node: Node[SidecarState] = Node(
        SidecarDecider(),
        trust=Trust(workspace, root),
        signer=event_signer(folder, Role.SIDECAR),
        actor=Actor(Role.SIDECAR, "sidecar"),
        keys=keys,
    )
    gateway = None
    if settings.model is not None or settings.judge is not None:
        gateway = ModelGateway(
            settings.model,
            _key(vault, "model"),
            masker=Masker(data_key, workspace, Detector(_names(settings))),
            judge=settings.judge,
            judge_key=_key(vault, "judge"),
        )
    resolver = Resolver(settings.resolver.nameservers)
    connectors = Connectors(
        settings.connectors,
        settings.oauth,
        vault,
        base=folder.root,
        resolver=resolver,
        admits=admits,
    )
    performer = Performer(
        workspace,
        connectors=connectors,
        keys=keys,
        receipts=load_signer(own / "receipts.key"),
        receipt_key=read_key(own / "receipts.mac"),
        gateway=gateway,
        resolver=resolver,
    )
    client = await connect_as(folder, Role.SIDECAR)
    outbox = Outbox(folder.root / "outbox" / "sidecar")
    snapshots = Snapshots(
        folder.snapshot("sidecar"),
        content_snapshot_key(data_key, ring),
        workspace,
        "sidecar",
        ("sidecar",),
    )
    start = await restart(client, snapshots, node)
    if start is not None:
        keys.forget(msgspec.msgpack.decode(start.held, type=tuple[ContentField, ...]))
    taking = Taking(
        node,
        partial(folded_of, node),
        snapshots,
        start,
        held=lambda: msgspec.msgpack.encode(tuple(keys.erased)),
        every=settings.bus.snapshot_every,
    )
    sealer_key = load_signer(own / "sealer.key")
    sealer = Sealer(client, workspace, sealer_key, outbox, taking=taking, start=start)
    await sealer.begin()

    starting = Starting()

    def ready() -> None:
        sealer.caught_up()
        starting.ready()

    shell = Shell(
        node,
        client,
        performer.perform,
        consumer="sidecar",
        outbox=outbox,
        observe=starting.reading(sealer.observe),
        on_ready=ready,
    )
    try:
        await together(shell.run(), sealer.run())
    finally:
        await connectors.close()
        await disconnect(client)


def _key(vault: Vault, name: str) -> str:
    """A model's API key; one that is inside the walls may need none."""
    found = vault.find(name, None)
    return found.value if isinstance(found, Secret) else "none"


def _names(settings: Settings) -> Dictionary:
    """The workspace's own names: its reps', and those that the settings list."""
    named = settings.names
    return Dictionary((*settings.reps, *named.persons), named.organisations)


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m sidecar")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    return run_process(serve(DataFolder(parser.parse_args().data)))


if __name__ == "__main__":
    sys.exit(main())
