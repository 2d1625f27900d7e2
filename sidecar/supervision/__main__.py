"""`python -m sidecar.supervision --data FOLDER`: the supervisor's process.

It shares nothing with the sidecar but code: another identity, whose bus permission is to read
the ledger and to publish flags, and no content key.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Final

from bus.component import (
    Starting,
    connect_as,
    event_signer,
    run_process,
    together,
    until_orphaned,
)
from bus.connection import disconnect
from bus.decider import Effect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from bus.node import Node
from bus.outbox import Outbox
from bus.ownership import as_owner
from bus.shell import Shell
from bus.snapshot import folded_of
from crypto.keyfile import read_key
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.pruning import prune
from ledger.restart import restart
from ledger.snapshots import Snapshots
from ledger.taking import Taking
from schemas.events import Actor
from schemas.names import Role
from sidecar.supervision.decider import SupervisorDecider, WatcherState

_NAME = "supervisor"
REST_S: Final = 0.05
"""How long entries may gather (s): it watches what the gate decided, and nobody waits for it."""


async def serve(folder: DataFolder) -> None:
    """Watch until the parent is gone."""
    work = as_owner(folder.ownership(_NAME), partial(_serve, folder))
    await until_orphaned(await stdin_reader(), work)


async def _serve(folder: DataFolder) -> None:
    settings = folder.settings()
    node: Node[WatcherState] = Node(
        SupervisorDecider(),
        trust=Trust(settings.workspace, folder.root_public()),
        signer=event_signer(folder, Role.SUPERVISOR),
        actor=Actor(Role.SUPERVISOR, _NAME),
        keys=NoKeys(),
    )
    client = await connect_as(folder, Role.SUPERVISOR)
    outbox = Outbox(folder.root / "outbox" / _NAME)
    snapshots = Snapshots(
        folder.snapshot(_NAME),
        read_key(folder.identity(Role.SUPERVISOR) / "snapshot.key"),
        node.trust.workspace,
        _NAME,
        ("sidecar",),
    )
    start = await restart(client, snapshots, node)
    taking = Taking(
        node, partial(folded_of, node), snapshots, start, every=settings.bus.snapshot_every
    )
    starting = Starting()

    def ready() -> None:
        taking.caught_up()
        starting.ready()

    shell = Shell(
        node,
        client,
        _no_effects,
        consumer=_NAME,
        outbox=outbox,
        observe=starting.reading(taking.observe),
        on_ready=ready,
        rest_s=REST_S,
    )
    pruning = prune(
        client,
        node.trust,
        outbox,
        component=_NAME,
        taking=taking,
        after=start.place - 1 if start is not None else 0,
    )
    try:
        await together(shell.run(), pruning)
    finally:
        await disconnect(client)


async def _no_effects(effect: Effect) -> object:
    raise TypeError(f"the supervisor has no effects, not {effect.key}")


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m sidecar.supervision")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    return run_process(serve(DataFolder(parser.parse_args().data)))


if __name__ == "__main__":
    sys.exit(main())
