"""A day with leaky far sides, and the search that follows it.

Credentials that exist nowhere else are put into the vault; runs use them, the far side says them
back in every way it can, the sidecar is killed while it acts, everything is exported and shown.
Then every place is searched.
"""

import asyncio
import contextlib
import json
import os
import resource
import secrets
import signal
import sys
from pathlib import Path

from bus.folder import DataFolder
from console.session import session
from console.vaults import vault_of
from schemas.actions import ActionFinished, ActionStarted
from schemas.content import Plain
from schemas.names import Role
from sidecar.vault import Grant, Secret
from tests.canaries.far_side import LeakyCrm
from tests.canaries.places import Search, may_read_memory
from tests.faults.installation import ROOT, Running, ask, below, is_end, until, up

TOOLS = ("crm.find_account", "crm.get_account", "crm.list_deals", "crm.update_deal")
SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["crm.find_account", "crm.get_account", "crm.list_deals", "crm.update_deal"]
[connectors.crm]
url = "http://127.0.0.1:{port}"
[agents.reader]
planner = "scripted"
plan = "reader.json"
"""
PLAN = [
    ("crm.find_account", {"name": "Boeing"}),
    ("crm.get_account", {"id": "a-1"}),
    ("crm.list_deals", {"account": "a-1"}),
    ("crm.update_deal", {"id": "deal-1", "fields": {"note": "a note"}}),
]


async def play(home: Path) -> Search:
    """The search, done. Raises `AssertionError` where the story itself did not happen."""
    canaries = [f"canary-{secrets.token_urlsafe(24)}" for _ in range(4)]
    search, crm = Search(canaries), LeakyCrm()
    folder = DataFolder(home / "data")
    folder.root.mkdir(parents=True)
    async with crm.serving() as port:
        folder.settings_file.write_text(SETTINGS.format(port=port))
        steps = [{"tool": t, "arguments": a, "purpose": "look"} for t, a in PLAN]
        (folder.root / "reader.json").write_text(json.dumps({"steps": steps}))
        vault = vault_of(folder)
        vault.put("crm", Secret(canaries[0]), "ann")
        vault.put("mail", Secret(canaries[1]))
        vault.put("drive", Grant(refresh_token=canaries[2], client_secret=canaries[3]), "ann")
        before = {process.pid for process in below(os.getpid())}
        async with up(folder):
            await _runs(folder, search, before)
            await _killed(folder, search, before)
            await _ledger(folder, search)
            said = await _shown(folder, home)
    assert crm.asked >= len(PLAN), "the far side was hardly asked"
    for words, output in said.items():
        search.look(f"output of anyteam {words}", output)
    search.files(home)
    return search


async def _runs(folder: DataFolder, search: Search, before: set[int]) -> None:
    """A run through every tool, looked at while it runs and after it."""
    run = await ask(folder, "reader", *TOOLS)
    await until(folder, run, lambda entry: isinstance(entry.event.body, ActionStarted))
    _processes(search, before)
    seen = await until(folder, run, is_end)
    finished = [entry for entry in seen if isinstance(entry.event.body, ActionFinished)]
    assert len(finished) == len(PLAN), "not every tool was reached"
    _processes(search, before)


async def _killed(folder: DataFolder, search: Search, before: set[int]) -> None:
    """The sidecar ends by a fault of its memory, although somebody lets it leave a core file."""
    sidecar = next(p for p in _mine(before) if p.argv[3:4] == ("sidecar",))
    hard = resource.prlimit(sidecar.pid, resource.RLIMIT_CORE)
    assert hard == (0, 0), f"the sidecar may leave core files: {hard}"
    with contextlib.suppress(PermissionError):
        resource.prlimit(sidecar.pid, resource.RLIMIT_CORE, (1 << 30, 1 << 30))
    run = await ask(folder, "reader", *TOOLS)
    await until(folder, run, lambda entry: isinstance(entry.event.body, ActionStarted))
    handle = os.pidfd_open(sidecar.pid)
    os.kill(sidecar.pid, signal.SIGSEGV)
    await until(folder, run, is_end)
    os.close(handle)
    cores = [*Path("/").glob("core*"), *Path.cwd().glob("core*"), *folder.root.glob("core*")]
    search.look("core files", *(path.read_bytes() for path in cores if path.is_file()))


def _processes(search: Search, before: set[int]) -> None:
    for process in _mine(before):
        own = process.argv[3:4] == ("sidecar",)
        search.process(process, memory=not own and may_read_memory(process.pid))


def _mine(before: set[int]) -> list[Running]:
    return [process for process in below(os.getpid()) if process.pid not in before]


async def _shown(folder: DataFolder, home: Path) -> dict[str, bytes]:
    """What the commands say of it all."""
    said = {}
    for words in (
        ("tail", "--no-follow"),
        ("tail", "--no-follow", "--json"),
        ("runs", "--json"),
        ("credential", "list"),
        ("export", str(home / "export")),
        ("verify", str(home / "export"), "--root", str(folder.root_public_file)),
        ("replay", "--check"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "console.main", *words),
            env={"ANYTEAM_DATA": str(folder.root), "PATH": os.environ["PATH"]},
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, f"{words}: {out.decode()[-400:]}"
        said[words[0]] = said.get(words[0], b"") + out
    return said


async def _ledger(folder: DataFolder, search: Search) -> None:
    """Every event as the workspace's own key opens it."""
    async with session(folder.root, Role.REP) as opened:
        entries = opened.past
    assert any(isinstance(entry.event.body, ActionFinished) for entry in entries)
    for entry in entries:
        body = entry.event.body
        held = [getattr(body, field) for field in body.__struct_fields__]
        pieces = [one.data if isinstance(one, Plain) else repr(one).encode() for one in held]
        search.look(f"ledger entry {entry.index} ({entry.event.type})", *pieces)
