"""A temporary house for benchmarks: a real installation, or only its bus."""

import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.peers.floor import fsync_per_s
from bus.folder import DataFolder
from bus.identity import Key, UserIdentity, mint_direct_user
from bus.provision import Site, Workspace, ensure_operator, provision_workspace, read_key
from bus.roles import ledger_subject, seals_subject
from bus.server import Server
from bus.tls import TlsFiles, client_context, ensure_tls
from console.supervisor import Supervisor
from schemas.names import Role

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.read"]
max_actions = {max_actions}
pace = {{ same_read = 1000000, reads_per_minute = 1000000 }}
[connectors.files]
root = "files"
[agents.reader]
planner = "scripted"
plan = "plan.json"
"""


@contextlib.asynccontextmanager
async def installation(actions: int, *, max_actions: int = 200) -> AsyncIterator[DataFolder]:
    """A running installation whose agent reads one small file `actions` times."""
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = DataFolder(Path(home))
        (folder.root / "files").mkdir()
        (folder.root / "files" / "note.txt").write_text("a small note\n")
        step = {"tool": "files.read", "arguments": {"path": "note.txt"}, "purpose": "measure"}
        (folder.root / "plan.json").write_text(json.dumps({"steps": [step] * actions}))
        folder.settings_file.write_text(SETTINGS.format(max_actions=max_actions))
        supervisor = Supervisor(folder, lambda text: None)
        try:
            await supervisor.up()
            yield folder
        finally:
            await supervisor.down()


class Bus:
    """A bare bus with one provisioned workspace `floor`, where nothing of ours runs."""

    def __init__(self, server: Server, tls: TlsFiles, workspace: Workspace, ledger: Key) -> None:
        self.server = server
        self.tls = tls
        self.workspace = workspace
        self._ledger = ledger

    def writer(self) -> UserIdentity:
        """A user for an hour who may write everybody's entries and seals, and read nothing."""
        now, name = int(time.time()), self.workspace.name
        subjects = (ledger_subject(name), seals_subject(name))
        return mint_direct_user(
            self._ledger, name="teller", now=now, expires=now + 3_600, publish=subjects
        )

    def user(self, role: Role, name: str) -> UserIdentity:
        """A user of `role` for an hour."""
        now = int(time.time())
        return self.workspace.mint(role, name, now=now, expires=now + 3_600)


@contextlib.asynccontextmanager
async def bare_bus() -> AsyncIterator[Bus]:
    """The same server, TLS and durability as an installation's."""
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        root = Path(home)
        trust = ensure_operator(root / "operator")
        tls = ensure_tls(root / "tls")
        server = await Server.start(root / "nats", trust=trust, tls=tls)
        try:
            site = Site(root / "operator", server.url, client_context(tls))
            workspace = await provision_workspace(site, "floor")
            yield Bus(server, tls, workspace, read_key(root / "operator" / "floor" / "ledger.nk"))
        finally:
            await server.stop()


def fsync_us() -> float:
    """What one fsync of a line takes (us) where the houses are, in the mean, just now."""
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        return 1e6 / fsync_per_s(Path(home))


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of `values` lie."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
