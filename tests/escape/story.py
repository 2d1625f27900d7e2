"""The whole story: an installation, a run that tries everything, and what came of it.

The program's own word is not the last: sockets know whether they were reached, files whether
they changed, and the ledger what stands in it. Only then the same is tried without walls.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.folder import DataFolder
from bus.identity import UserIdentity, key_from_seed, mint_direct_user
from bus.tls import TlsFiles, TlsIdentity
from console.supervisor import COMPONENTS, Supervisor
from crypto.keyfile import read_secret
from schemas.actions import ApprovalRequested
from schemas.confinement import Wall
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome, RunStarted
from tests.escape.attempts import ATTEMPTS, Outcome
from tests.escape.control import Unconfined, expected
from tests.escape.field import CANARY, Field, Sockets, decoy, digest, secret_files
from tests.escape.runtime import MARK
from tests.faults.installation import (
    ROOT,
    ask,
    below,
    far_side,
    is_a,
    is_end,
    prepared,
    server_of,
    until,
    up,
)

_HOSTILE = {**COMPONENTS, "orchestrator": ("tests.escape.orchestrator",)}
_NOTE = {"tool": "files.write", "arguments": {"path": "note.txt", "content": "a note"}}


class Told(Struct, frozen=True):
    """One attempt: its outcome within walls, and whether it is known to be real."""

    name: str
    why: str
    got: str
    refusal: str
    control: str


class Report(Struct, frozen=True, kw_only=True):
    """`harm` is what was seen from outside; `unmade` are attempts of which nothing was heard.

    `unreal` did not succeed even without walls, though they should have.
    """

    confined_by: tuple[Wall, ...]
    told: tuple[Told, ...]
    harm: tuple[str, ...]
    unmade: tuple[str, ...]
    unreal: tuple[str, ...]
    ended: str

    @property
    def succeeded(self) -> list[str]:
        """Everything that got through, by the program's word or by what was seen."""
        return [each.name for each in self.told if each.got] + list(self.harm)


async def played(home: Path) -> Report:
    """Set up, let it loose, look, and try again without walls."""
    async with contextlib.AsyncExitStack() as stack:
        crm = await stack.enter_async_context(far_side(home / "far"))
        folder = prepared(home / "data", port=crm)
        supervisor = await stack.enter_async_context(up(folder, _HOSTILE))
        other_run = await ask(folder, "writer", "files.write", effects=())
        await until(folder, other_run, is_a(ApprovalRequested))
        sockets = Sockets(home, int(folder.bus_url().rpartition(":")[2]))
        stack.callback(sockets.close)
        held = home / "held"
        bait = await stack.enter_async_context(decoy(held))
        field = _field(folder, supervisor, sockets, bait, held, other_run, crm)
        before = _digests(field)

        steps = [{**_NOTE, "purpose": msgspec.json.encode(field).decode()}]
        steps.append({**_NOTE, "purpose": "keep a note"})
        (folder.root / "keeper.json").write_text(json.dumps({"steps": steps}))
        run = await ask(folder, "keeper", "files.write")
        entries = await until(folder, run, is_end)

        log = folder.log(f"run-{run}-runtime-1").read_text().splitlines()
        outcomes = [
            msgspec.json.decode(line.removeprefix(MARK), type=Outcome)
            for line in log
            if line.startswith(MARK)
        ]
        harm = [f"reached: {name}" for name in sockets.reached()]
        harm += [f"changed: {name}" for name in _changed(field, before)]
        harm += [f"said on the bus: {subject}" for subject in await _said(folder, run)]
        real = await _without_walls(folder, field)
    started = next(e.event.body for e in entries if isinstance(e.event.body, RunStarted))
    end = entries[-1].event.body
    return _report(started, end, outcomes, harm, real)


def _report(
    started: RunStarted, end: object, outcomes: list[Outcome], harm: list[str], real: list[Outcome]
) -> Report:
    heard = {outcome.name: outcome for outcome in outcomes}
    control = {outcome.name: outcome for outcome in real}
    wanted = [attempt.name for attempt in expected()]
    told = tuple(
        Told(
            name,
            ATTEMPTS[name].why,
            outcome.got,
            outcome.refusal,
            ("succeeds" if control[name].got else control[name].refusal)
            if name in control
            else "not tried",
        )
        for name, outcome in heard.items()
    )
    ended = end.outcome.value if isinstance(end, RunCompleted) else type(end).__name__
    return Report(
        confined_by=started.confined_by,
        told=told,
        harm=tuple(harm),
        unmade=tuple(name for name in ATTEMPTS if name not in heard),
        unreal=tuple(n for n in wanted if n not in control or not control[n].got),
        ended="success" if ended == RunOutcome.SUCCESS.value else ended,
    )


def _field(
    folder: DataFolder,
    supervisor: Supervisor,
    sockets: Sockets,
    bait: tuple[int, int, int],
    held: Path,
    other_run: str,
    crm: int,
) -> Field:
    log = folder.log(f"run-{other_run}-runtime-1")
    with log.open("a") as file:
        file.write("what another run has said\n")
    pids = {name: supervisor.pid_of(name) for name in _HOSTILE}
    pids["nats-server"] = server_of(folder)
    pids["other runtime"] = next(
        p.pid for p in below(os.getpid()) if p.argv[3:] == ("tests.escape.runtime",)
    )
    return Field(
        canary_size=len(CANARY),
        canary_digest=digest(CANARY.encode()),
        shared_key_digest=digest(TlsFiles(folder.tls).client[1].read_bytes()),
        root=str(folder.root),
        files=secret_files(folder, log),
        decoy=bait[0],
        decoy_address=bait[1],
        decoy_held=bait[2],
        decoy_file=str(held),
        pids=pids,
        bus_port=int(folder.bus_url().rpartition(":")[2]),
        ports={**sockets.ports, "crm": crm},
        unix=sockets.unix,
        abstract=sockets.abstract,
        run="",
        other_run=other_run,
        workspace="acme",
    )


def _digests(field: Field) -> dict[str, tuple[str, int, int]]:
    """Content, mode and owner of what must stay as it is; what grows by itself left out."""
    found = {}
    for name, path in {**field.files, "decoy's file": field.decoy_file}.items():
        if name != "ledger":
            stat = Path(path).stat()
            found[name] = (digest(Path(path).read_bytes()), stat.st_mode, stat.st_uid)
    return found


def _changed(field: Field, before: dict[str, tuple[str, int, int]]) -> list[str]:
    after = _digests(field)
    found = [name for name in before if before[name] != after[name]]
    places = (Path(field.root), Path("/tmp"), Path("/dev/shm"), ROOT / "agents")
    return found + [str(path) for place in places for path in place.glob("escaped*")]


async def _said(folder: DataFolder, run: str) -> list[str]:
    """Subjects on which something stands that the hijacked run may have put there."""
    client = await connect_as(folder, Role.SIDECAR)
    found = []
    own = f"ws.acme.run.{run}.proposal"
    try:
        stream = follow(
            client, stream="LEDGER", filter_subject=None, consumer="sidecar", throwaway=True
        )
        async with contextlib.aclosing(stream) as entries:
            async for entry in entries:
                if isinstance(entry, CaughtUp):
                    break
                answer = entry.body.startswith(b'{"stream"')
                if entry.subject != own and (entry.body == b"escaped" or answer):
                    found.append(entry.subject)
    finally:
        await disconnect(client)
    return found


async def _without_walls(folder: DataFolder, field: Field) -> list[Outcome]:
    """The control, with a secret wherever the hijacked run must find none."""
    now = int(time.time())
    account = key_from_seed(
        read_secret(folder.root / "operator" / "acme" / "account.nk").decode().strip()
    )
    user: UserIdentity = mint_direct_user(
        account, name="everything", now=now, expires=now + 300, publish=[">"], subscribe=[">"]
    )
    given = Unconfined(
        msgspec.structs.replace(field, run="r-of-no-run"),
        folder.bus_url(),
        _components_tls(TlsFiles(folder.tls)),
        user,
        account.seed,
    )
    held = os.open(field.decoy_file, os.O_RDONLY)
    try:
        with (folder.root / "control.log").open("w+b") as log:
            log.write(b"what it has said before\n")
            log.flush()
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-m", "tests.escape.control", CANARY),
                env={"SECRET": CANARY},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                pass_fds=[held],
            )
            said, _ = await process.communicate(msgspec.json.encode(given) + b"\n")
    finally:
        os.close(held)
    return [msgspec.json.decode(line, type=Outcome) for line in said.splitlines()]


def _components_tls(files: TlsFiles) -> TlsIdentity:
    certificate, key = files.client
    return TlsIdentity(files.ca.read_bytes(), certificate.read_bytes(), key.read_bytes())
