"""Seals of a live ledger and real witnesses: one that is away for a while, one shown a fork."""

import asyncio
import json
import os
import signal
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from bus.folder import DataFolder
from console.author import say
from console.feeding.memory import cosigned_in
from console.session import session
from console.supervisor import components_of
from crypto.keyfile import ensure_key, load_signer
from ledger.chain import leaf_of
from ledger.checkpoint import Checkpoint, NoteKey, b64, origin_of, read_checkpoint, sign_checkpoint
from ledger.cosignature import cosigned_by, parse_witness_vkey
from ledger.cosigned import kept_cosigned
from ledger.export import ExportReader
from ledger.merkle import Tree
from ledger.witness import request_of
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope
from schemas.witnesses import Objection, WitnessCosigned, WitnessRefused
from tests.commands import ended, said_by
from tests.faults.installation import DEADLINE_S, killed, prepared, up
from tests.process.test_witness import Serving


async def halted(folder: DataFolder, times: int) -> None:
    """Entries like any other."""
    async with session(folder.root, Role.ADMIN, content=False) as opened:
        pen = opened.pen(Role.ADMIN, None)
        for number in range(times):
            body = HaltEngaged(scope=HaltScope.RUN, target=f"r-{number}", reason="a test")
            await say(opened.client, opened.reader, pen, body, run=None)


async def said(folder: DataFolder) -> list[WitnessCosigned | WitnessRefused]:
    async with session(folder.root, Role.ADMIN, content=False) as opened:
        bodies = [recorded.event.body for recorded in opened.past]
        return [one for one in bodies if isinstance(one, WitnessCosigned | WitnessRefused)]


async def cosigned(folder: DataFolder, vkey: str, size: int) -> str:
    """The note of at least `size` entries with this witness's line, once it is there."""
    key = parse_witness_vkey(vkey)
    async with asyncio.timeout(DEADLINE_S):
        while True:
            for note in kept_cosigned(cosigned_in(folder.witnesses)):
                if read_checkpoint(note).size >= size and cosigned_by(note, [key]):
                    return note
            await asyncio.sleep(0.05)


def fork(folder: DataFolder, export: Path, last: str) -> bytes:
    """A request that has a witness cosign, after `last`, an entry that the ledger does not have."""
    old = read_checkpoint(last).size
    leaves = [leaf_of(entry.body) for entry in ExportReader(export).entries()][:old]
    tree = Tree([*leaves, leaf_of(b"what one auditor is to be shown")])
    other = Checkpoint(origin=origin_of("acme"), size=old + 1, root=tree.root(), head=bytes(32))
    signer = load_signer(folder.identity(Role.SIDECAR) / "sealer.key")
    path = [b64(step) for step in tree.consistency(old)]
    return request_of(old, path, sign_checkpoint(other, signer))


async def test_live_seals_are_cosigned_caught_up_and_a_fork_is_an_alarm(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    ensure_key(folder.identity(Role.SIDECAR) / "sealer.key")
    sealer = load_signer(folder.identity(Role.SIDECAR) / "sealer.key")
    log = NoteKey(origin_of("acme"), sealer.public).vkey
    with (
        Serving(tmp_path / "w1", log=log) as one,
        Serving(tmp_path / "w2", "witness.example.com/w2", log=log) as two,
    ):
        text = "\n[witnesses]\nquorum = 2\n"
        for witness in (one, two):
            text += f'[[witnesses.ask]]\nurl = "{witness.url}"\nvkey = "{witness.vkey}"\n'
        folder.settings_file.write_text(folder.settings_file.read_text() + text)
        # Away: it answers nothing, and nothing waits for it.
        os.kill(two.process.pid, signal.SIGSTOP)
        parts = components_of(folder.settings())
        async with up(folder, {name: parts[name] for name in ("sidecar", "feeder")}) as running:
            first = read_checkpoint(await cosigned(folder, one.vkey, 1)).size
            await halted(folder, 3)
            await cosigned(folder, one.vkey, first + 3)
            os.kill(two.process.pid, signal.SIGCONT)
            await cosigned(folder, two.vkey, first)
            await told(folder, WitnessCosigned, one.vkey, two.vkey)
            await killed(running, "feeder")
            await halted(folder, 3)
            await cosigned(folder, one.vkey, first + 6)
            await cosigned(folder, two.vkey, first + 6)
            export = tmp_path / "export"
            await said_by(folder, "export", str(export), "--bare")
            asked = ("--witness", one.vkey, "--witness", two.vkey, "--quorum", "2")
            root = ("--root", str(folder.root_public_file))
            (verdict,) = await said_by(folder, "verify", str(export), *root, *asked)
            assert set(verdict["witnesses"]) == {one.vkey, two.vkey}
            assert verdict["ok"] and verdict["witnessed"] >= first + 6
            # Told twice where the feeder was killed in between, and never as a refusal.
            news = await told(folder, WitnessCosigned, one.vkey, two.vkey)
            assert len(news) <= 4 and all(isinstance(body, WitnessCosigned) for body in news)
            await doctored(folder, ["ok", "ok"])

            # Somebody with the true seal key shows a witness another history.
            await show_a_fork(folder, one, tmp_path)
            await halted(folder, 3)
            refused = await told(folder, WitnessRefused, one.vkey)
            assert {body.objection for body in refused if isinstance(body, WitnessRefused)} == {
                Objection.OTHER_HISTORY
            }
            doctor = await doctored(folder, ["fault", "ok", "fault"])
            assert "two histories exist" in str(doctor[0]["fix"]), doctor


async def show_a_fork(folder: DataFolder, witness: Serving, home: Path) -> None:
    """Have a witness cosign a history that leaves the ledger's after its last cosigned entry."""
    async with asyncio.timeout(DEADLINE_S), httpx.AsyncClient() as client:
        for number in count():
            export = home / f"before-the-fork-{number}"
            await said_by(folder, "export", str(export), "--bare")
            size = ExportReader(export).manifest.size
            last = await cosigned(folder, witness.vkey, size)
            if read_checkpoint(last).size > size:
                continue
            url, request = f"{witness.url}/add-checkpoint", fork(folder, export, last)
            answer = await client.post(url, content=request)
            if answer.status_code == 200:
                return
            # The ledger's next seal came first.
            assert answer.status_code == 409, answer.text


async def told(
    folder: DataFolder, kind: type[WitnessCosigned | WitnessRefused], *vkeys: str
) -> list[WitnessCosigned | WitnessRefused]:
    """What was said of witnesses, once it was said in this way of each of these."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            news = await said(folder)
            if {body.witness for body in news if isinstance(body, kind)} >= set(vkeys):
                return news
            await asyncio.sleep(0.2)


async def doctored(folder: DataFolder, states: list[str]) -> list[dict[str, Any]]:
    """What `anyteam doctor` finds of witnesses, once they stand so."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            _, out, _ = await ended(folder, "doctor", "--json")
            findings = [json.loads(line) for line in out.splitlines()]
            found = [one for one in findings if one["check"] == "witnesses"]
            if [one["state"] for one in found] == states:
                return found
