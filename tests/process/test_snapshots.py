"""Snapshots of a running installation: each component goes on from its own, and from no other."""

import asyncio
from pathlib import Path

import msgspec

from agents.orchestration import OrchestratorState
from agents.orchestrator import OrchestratorDecider
from bus.component import connect_as, event_signer
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.node import Node
from console.taking import take_whole
from crypto.keyfile import read_key
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.export import ExportReader
from ledger.restart import restart
from ledger.snapshots import Snapshots
from ledger.verify import verify
from schemas.events import Actor
from schemas.names import Role
from tests.faults.installation import DEADLINE_S, ask, is_end, killed, prepared, until, up

COMPONENTS = ("orchestrator", "sidecar", "supervisor", "console")


async def a_run(folder: DataFolder) -> None:
    run = await ask(folder, "writer", "files.write")
    entries = await until(folder, run, is_end)
    assert entries[-1].event.type == "run.completed", entries[-1].event.body


def in_log(folder: DataFolder, component: str, words: str) -> int:
    return folder.log(component).read_text().count(words)


async def there(path: Path) -> None:
    """Wait until the file is there."""
    async with asyncio.timeout(DEADLINE_S):
        while not path.exists():
            await asyncio.sleep(0.02)


async def test_components_go_on_from_their_snapshots_and_without_them(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text + "[bus]\nsnapshot_every = 10\n[console]\n")
    async with up(folder) as supervisor:
        await a_run(folder)
        for component in COMPONENTS:
            await there(folder.snapshot(component))
            await killed(supervisor, component)
            assert in_log(folder, component, "goes on from its snapshot at") == 1
        await a_run(folder)
        await beyond_and_beside_the_sealed_history(folder)

    # One flipped bit, another's snapshot, none at all: the ledger is folded from its beginning.
    damaged = bytearray(folder.snapshot("sidecar").read_bytes())
    damaged[-20] ^= 1
    folder.snapshot("sidecar").write_bytes(damaged)
    folder.snapshot("orchestrator").write_bytes(folder.snapshot("supervisor").read_bytes())
    folder.snapshot("supervisor").unlink()
    # Its snapshot is whole, and yet what lies beside it is not what it says.
    (folder.identity(Role.CONSOLE) / "read" / "tree" / "0").write_bytes(bytes(32) * 500)
    async with up(folder):
        for component in ("sidecar", "orchestrator", "console"):
            assert in_log(folder, component, "is not used, the ledger is folded") == 1
        assert in_log(folder, "supervisor", "goes on from its snapshot at") == 1
        await a_run(folder)
        await take_whole(folder.root, tmp_path / "export")
    report = verify(ExportReader(tmp_path / "export"), folder.root_public())
    assert report.ok, report.findings


async def beyond_and_beside_the_sealed_history(folder: DataFolder) -> None:
    """A snapshot that is whole and ours, and yet of a history that the bus does not show."""
    path = folder.root / "copy"
    path.write_bytes(folder.snapshot("orchestrator").read_bytes())
    path.chmod(0o600)
    key = read_key(folder.identity(Role.ORCHESTRATOR) / "snapshot.key")
    snapshots = Snapshots(path, key, "acme", "orchestrator", ("agents",))
    good = snapshots.load()
    assert good is not None
    size, peaks = good.folded.index + (1 << 20), (b"p" * 32, *good.peaks)
    changes = {
        "no seal there": {"place": good.place + 100_000},
        "another seal there": {"seal": good.seal.swapcase()},
        "another entry there": {"leaf": b"l" * 32},
        "more entries than there are": {
            "folded": msgspec.structs.replace(good.folded, index=size),
            "peaks": peaks,
        },
    }
    client = await connect_as(folder, Role.ORCHESTRATOR)
    try:
        for change in ({}, *changes.values()):
            snapshots.save(msgspec.structs.replace(good, **change))
            node = fresh(folder)
            found = await restart(client, snapshots, node)
            assert (found is None) is (change != {})
            assert node.index == (0 if change else good.folded.index)
            assert path.exists() is (change == {}), "what is not used is not kept"
    finally:
        await disconnect(client)


def fresh(folder: DataFolder) -> Node[OrchestratorState]:
    return Node(
        OrchestratorDecider(),
        trust=Trust("acme", folder.root_public()),
        signer=event_signer(folder, Role.ORCHESTRATOR),
        actor=Actor(Role.ORCHESTRATOR, "orchestrator"),
        keys=NoKeys(),
    )
