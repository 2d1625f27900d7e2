"""A real installation for tests to harm: settings and plan, runs, and its processes.

Its agent `keeper` changes a deal at a CRM service of another process `STEPS` times, its
agent `writer` writes as many files. What happened is read from the ledger, what runs from
/proc; waiting is for an entry of the ledger or for a process's end, to a deadline.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import Pen, say
from console.commands.credentials import store
from console.commands.runs import request_run
from console.pens import person_pen
from console.session import session
from console.supervisor import Supervisor
from schemas.leases import Intent, Unanswered
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope, RunCompleted, RunHalted, RunRefused
from schemas.tools import Effect

STEPS = 5
DEADLINE_S = 60.0
TOKEN = "a-token-for-tests"
ROOT = Path(__file__).parents[2]

_SETTINGS = """\
workspace = "acme"
reps = {reps}
admins = ["ada"]
[policy]
tools = ["files.write", "crm.update_deal"]
[connectors.files]
root = "files"
[connectors.crm]
url = "http://127.0.0.1:{port}"
[agents.keeper]
planner = "scripted"
plan = "keeper.json"
[agents.writer]
planner = "scripted"
plan = "writer.json"
"""

Condition = Callable[[Recorded], bool]


class Running(Struct, frozen=True):
    """A live process: the arguments and the environment it was started with."""

    pid: int
    argv: tuple[str, ...]
    environ: bytes


def prepared(home: Path, *, reps: Iterable[str] = ("ann",), port: int = 9) -> DataFolder:
    """A data folder, configured but never up. `port` is the CRM's."""
    folder = DataFolder(home)
    (home / "files").mkdir(parents=True)
    configure(folder, reps=reps, port=port)
    steps = [
        {
            "tool": "files.write",
            "arguments": {"path": f"note-{step}.txt", "content": f"note {step}"},
            "purpose": "keep a note",
        }
        for step in range(STEPS)
    ]
    (home / "writer.json").write_text(json.dumps({"steps": steps}))
    store(folder, "crm", TOKEN)
    return folder


def configure(folder: DataFolder, *, reps: Iterable[str], port: int = 9) -> None:
    """Write the settings."""
    text = _SETTINGS.format(reps=json.dumps(list(reps)), port=port)
    folder.settings_file.write_text(text)


def plan_notes(folder: DataFolder, prefix: str) -> list[str]:
    """Have the keeper's next run put one note after another on a deal; the notes."""
    notes = [f"{prefix}.{step}" for step in range(STEPS)]
    steps = [
        {
            "tool": "crm.update_deal",
            "arguments": {"id": "deal-1", "fields": {"note": note}},
            "purpose": "keep a note",
        }
        for note in notes
    ]
    (folder.root / "keeper.json").write_text(json.dumps({"steps": steps}))
    return notes


@contextlib.asynccontextmanager
async def far_side(home: Path) -> AsyncIterator[int]:
    """A CRM service of its own process; its port. Its log is `seen.log` in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "token").write_text(TOKEN)
    port_file = home / "port"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "examples.crm_service", "--data", str(home / "crm.json")),
        *("--token-file", str(home / "token"), "--log", str(home / "seen.log")),
        *("--port-file", str(port_file), "--lifeline"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while not port_file.exists():
                await asyncio.sleep(0.02)
        yield int(port_file.read_text())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def up(
    folder: DataFolder, components: Mapping[str, tuple[str, ...]] | None = None
) -> AsyncIterator[Supervisor]:
    """The installation, up; down again at the end."""
    supervisor = Supervisor(folder, lambda text: None, components=components)
    try:
        await supervisor.up()
        yield supervisor
    finally:
        await supervisor.down()


async def ask(
    folder: DataFolder,
    agent: str,
    *tools: str,
    effects: tuple[Effect, ...] = (Effect.MUTATION,),
    ttl_s: int = 120,
    unanswered: Unanswered = Unanswered.GO_ON,
) -> str:
    """Ask for a run as the first rep; its name. Without effects, each step needs a person."""
    async with session(folder.root, Role.REP) as opened:
        intent = Intent(summary="keep notes on deal-1", effects=effects, unanswered=unanswered)
        return await request_run(opened, agent, intent, tools, ttl_s, 30, None)


async def follow(folder: DataFolder) -> AsyncIterator[Recorded]:
    """Every verified entry from the first on, and what comes."""
    async with session(folder.root, Role.REP, read=False) as opened:
        async for item in opened.again().follow():
            if isinstance(item, Recorded):
                yield item


async def until(folder: DataFolder, run: str, condition: Condition) -> list[Recorded]:
    """The run's entries, up to the first that meets `condition`. Raises `TimeoutError`."""
    found: list[Recorded] = []
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(follow(folder)) as entries:
        async for recorded in entries:
            if recorded.event.run == run:
                found.append(recorded)
                if condition(recorded):
                    return found
    raise AssertionError("the ledger ended")


def is_end(recorded: Recorded) -> bool:
    """Whether this entry ends its run."""
    return isinstance(recorded.event.body, RunCompleted | RunHalted | RunRefused)


def is_a(*bodies: type) -> Condition:
    """The condition that an entry is of one of these types."""
    return lambda recorded: isinstance(recorded.event.body, bodies)


async def killed(supervisor: Supervisor, component: str) -> None:
    """Kill the component, and wait until its next incarnation decides."""
    before = supervisor.pid_of(component)
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE_S):
        while supervisor.pid_of(component) == before:
            await asyncio.sleep(0.02)


async def halt(folder: DataFolder, run: str, reason: str) -> None:
    """Halt one run, as the admin."""
    body = HaltEngaged(scope=HaltScope.RUN, target=run, reason=reason)
    async with session(folder.root, Role.ADMIN) as opened:
        await say(opened.client, opened.reader, opened.pen(Role.ADMIN, None), body, run=None)


def pen_of_rep(folder: DataFolder, name: str) -> Pen:
    """A rep's pen, whether or not the settings still list them."""
    return person_pen(folder, name, Role.REP)


def below(ancestor: int) -> list[Running]:
    """The live processes that descend from `ancestor`, from /proc."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                parents[int(stat.parent.name)] = int(parent)
    found = []
    for pid in parents:
        line = pid
        while line in parents and line != ancestor:
            line = parents[line]
        if line == ancestor and pid != ancestor:
            with contextlib.suppress(OSError):
                found.append(Running(pid, _argv(pid), _environ(pid)))
    return found


def _argv(pid: int) -> tuple[str, ...]:
    """Its arguments; one that said anew what it is (`bus.arguments`) has some room behind them."""
    said = Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0")
    return tuple(said.split("\0"))


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        # The process keeps it from us, who are the same user: nobody else reads it either.
        return b""


def server_of(folder: DataFolder) -> int:
    """The installation's nats-server itself, not its guardian."""
    config = str(folder.root / "nats" / "server.conf")
    for process in below(os.getpid()):
        if process.argv[0].endswith("nats-server") and config in process.argv:
            return process.pid
    raise AssertionError("no nats-server of this installation")


class Watched:
    """Processes by handle, so that an end is an event and a pid's next owner is no confusion."""

    def __init__(self, processes: Iterable[Running]) -> None:
        self._handles: dict[int, Running] = {}
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                self._handles[os.pidfd_open(process.pid)] = process

    def outliving(self, deadline_s: float) -> list[Running]:
        """Those that have not ended within `deadline_s` seconds. Lets the handles go."""
        left = []
        for handle, process in self._handles.items():
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            if not poll.poll(deadline_s * 1_000):
                left.append(process)
            os.close(handle)
        self._handles = {}
        return left
