"""An allowed destination whose domain changes hands: looked up at a real DNS server, on record."""

import asyncio
import contextlib
import copy
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.credentials import store
from console.commands.runs import request_run
from console.session import session
from schemas.actions import ActionRefused, ApprovalRequested, LayerOutcome, LayerResult
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome
from schemas.tools import Effect
from tests.contract.dns_server import DnsServer, Manner
from tests.contract.services import Service
from tests.faults.installation import ROOT, is_a, is_end, until, up

PASSWORD = "not-a-real-password"
JANE = "jane.doe@boeing.example"

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
organisation = ["acme.example"]
tools = ["mail.send"]
fresh_s = 0
[[policy.destinations]]
destination = "@Boeing.example."
[resolver]
nameservers = ["127.0.0.1:{dns}"]
[connectors.mail]
sender = "ann@acme.example"
smtp = {{ port = {smtp}, tls = "none" }}
imap = {{ port = {imap}, tls = "none" }}
[agents.writer]
planner = "scripted"
plan = "writer.json"
"""

ZONE: dict[str, dict[str, list[str]]] = {
    "boeing.example": {
        "SOA": ["ns1.dns-one.example. hostmaster.boeing.example. 7 3600 600 86400 60"],
        "NS": ["ns1.dns-one.example.", "ns2.dns-one.example."],
        "MX": ["10 mx1.post-one.example."],
    },
}
SOLD: dict[str, list[str]] = {
    "SOA": ["ns1.parked.example. hostmaster.parked.example. 1 3600 600 86400 60"],
    "NS": ["ns1.parked.example.", "ns2.parked.example."],
    "MX": ["10 mx.parked.example."],
}


@contextlib.asynccontextmanager
async def dns() -> AsyncIterator[DnsServer]:
    server = DnsServer(copy.deepcopy(ZONE))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def smtp(home: Path) -> AsyncIterator[Service]:
    (home / "mail.password").write_text(PASSWORD)
    service = await Service.start(
        "examples.mail_service",
        home / "smtp.port",
        f"--imap-port-file={home / 'imap.port'}",
        f"--mail={home / 'mail'}",
        f"--password-file={home / 'mail.password'}",
        f"--log={home / 'smtp.log'}",
    )
    try:
        yield service
    finally:
        await service.kill()


def configured(home: Path, *, dns_port: int, smtp_port: int) -> DataFolder:
    folder = DataFolder(home)
    imap_port = int((home / "imap.port").read_text())
    folder.settings_file.write_text(SETTINGS.format(dns=dns_port, smtp=smtp_port, imap=imap_port))
    store(folder, "mail", PASSWORD)
    return folder


async def write_to_jane(folder: DataFolder, subject: str, until_a: type) -> list[Recorded]:
    """A run that writes Jane one message; its entries up to an end or the first of a type."""
    step = {
        "tool": "mail.send",
        "arguments": {"to": [JANE], "subject": subject, "body": "See you on Thursday."},
        "purpose": "say when we meet",
    }
    (folder.root / "writer.json").write_text(json.dumps({"steps": [step]}))
    async with session(folder.root, Role.REP) as opened:
        intent = Intent(
            summary="tell Jane when we meet",
            effects=(Effect.COMMUNICATION,),
            destinations=(JANE,),
        )
        run = await request_run(opened, "writer", intent, ("mail.send",), 120, 5, None)
    return await until(folder, run, lambda r: is_end(r) or is_a(until_a)(r))


async def anyteam(folder: DataFolder, *words: str) -> list[dict[str, Any]]:
    """What the command says, as JSON lines. It must succeed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", *words, "--json"),
        env={"ANYTEAM_DATA": str(folder.root), "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, out + err
    return [json.loads(one) for one in out.splitlines()]


async def of_the_workspace(folder: DataFolder, prefix: str) -> list[str]:
    async with session(folder.root, Role.ADMIN) as opened:
        types = [r.event.type for r in opened.past if r.event.run is None]
    return [one.removeprefix(prefix) for one in types if one.startswith(prefix)]


def layer_10(entry: Recorded) -> LayerOutcome:
    body = entry.event.body
    assert isinstance(body, ActionRefused | ApprovalRequested), body
    return body.layers[9]


def succeeded(entries: list[Recorded]) -> bool:
    end = entries[-1].event.body
    return isinstance(end, RunCompleted) and end.outcome is RunOutcome.SUCCESS


def sent(folder: DataFolder) -> int:
    return len((folder.root / "smtp.log").read_text().splitlines())


async def test_a_destination_is_reached_while_its_owner_is_seen_and_no_longer_than_that(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    async with dns() as server, smtp(home) as post:
        folder = configured(home, dns_port=server.port, smtp_port=post.port)
        async with up(folder):
            entries = await write_to_jane(folder, "first", ApprovalRequested)
            assert succeeded(entries), entries[-1].event.body
            assert sent(folder) == 1

            server.udp = server.tcp = Manner.FAILS
            entries = await write_to_jane(folder, "in the dark", ApprovalRequested)
            held = layer_10(entries[-1])
            assert held.result is LayerResult.HOLD
            assert "the name servers failed" in held.evidence
            server.udp = server.tcp = Manner.ANSWERS

            server.records["boeing.example"] = SOLD
            entries = await write_to_jane(folder, "to whom", ActionRefused)
            kept_back = layer_10(entries[-1])
            assert kept_back.result is LayerResult.REFUSE
            assert "mx.parked.example" in kept_back.evidence
            [listed] = await anyteam(folder, "destinations", "list")
            assert listed["destination"] == "@boeing.example"
            assert listed["standing"] == "changed"
            assert sent(folder) == 1

            [shown] = await anyteam(folder, "destinations", "show", "boeing.example")
            await anyteam(folder, "destinations", "allow", "boeing.example")
            entries = await write_to_jane(folder, "again", ApprovalRequested)
            assert succeeded(entries), entries[-1].event.body
            assert sent(folder) == 2
            on_record = await of_the_workspace(folder, "destination.")
            [replayed] = await anyteam(folder, "replay", "--check")
            await anyteam(folder, "export", str(tmp_path / "export"))
    assert shown["seen"]["facts"]["mail"] == ["mx.parked.example"]
    assert shown["allowed"]["facts"]["mail"] == ["mx1.post-one.example"]
    assert on_record[0] == "allowed"
    assert [on_record.count(one) for one in ("allowed", "blocked", "readmitted")] == [1, 1, 1]
    assert "unverified" in on_record[: on_record.index("blocked")]
    assert on_record[-1] == "revalidated"
    assert replayed["differences"] == []
    assert replayed["derived"]["destination.blocked"] == 1
    root = str(folder.root_public_file)
    [verified] = await anyteam(folder, "verify", str(tmp_path / "export"), "--root", root)
    assert verified["ok"]
