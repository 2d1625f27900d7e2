"""Benches: each connector with a real far side, and that far side's own record of what it did.

A far side is a process of its own that a test starts, blinds and kills. Nothing here sleeps:
a test waits for a line that the service says, to a deadline.
"""

import asyncio
import hashlib
import json
import secrets
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from schemas.actions import ActionOutcome
from schemas.httpapi import HttpApiSettings
from sidecar.connectors.connector import Connector, Finding
from sidecar.connectors.crm import CrmConnector
from sidecar.connectors.files import FilesConnector
from sidecar.connectors.hubspot import HubSpotConnector
from sidecar.connectors.rest import RestConnector
from sidecar.connectors.rest_tools import calls_of

DEADLINE_S: Final = 20.0
HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]


def new_key() -> str:
    """A fresh UUIDv7."""
    value = time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62)))


class Service:
    """A running example service."""

    def __init__(self, process: asyncio.subprocess.Process, port_file: Path) -> None:
        self.process = process
        self._port_file = port_file

    @classmethod
    async def start(cls, module: str, port_file: Path, *arguments: str) -> "Service":
        """Start it and wait until it listens."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", module, "--lifeline", f"--port-file={port_file}", *arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        service = cls(process, port_file)
        await service.says("listening")
        return service

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._port_file.read_text())

    async def says(self, beginning: str) -> None:
        """Wait for a line that begins so. Fails where the service ends before it says it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            while line := await self.process.stdout.readline():
                if line.decode().startswith(beginning):
                    return
        raise AssertionError(f"the service ended and never said {beginning!r}")

    async def kill(self) -> None:
        """End it as a crash would."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Bench(Protocol):
    """A connector, one effect to try with it, and its far side."""

    tool: str
    arguments: dict[str, Any]
    reads: dict[str, dict[str, Any]]

    async def start(self, *flags: str) -> None:
        """Bring the far side up."""
        ...

    async def down(self) -> None:
        """Take away what an effect needs."""
        ...

    def blind(self) -> None:
        """Take away what reading back needs."""
        ...

    def connector(self) -> Connector:
        """A new connector, as after a restart of the sidecar."""
        ...

    def effects(self, key: str) -> list[object]:
        """The effects that the far side's own record shows for `key`, oldest first."""
        ...


class FilesBench:
    """A folder. Its record is the file system's: a rewritten file is another inode."""

    tool = "files.write"
    arguments: dict[str, Any] = {"path": "drafts/boeing.txt", "content": "Dear Jane,\n"}
    reads: dict[str, dict[str, Any]] = {"files.list": {}, "files.read": {"path": "notes.txt"}}

    def __init__(self, home: Path) -> None:
        self.root = home / "root"
        self.root.mkdir()
        (self.root / "notes.txt").write_text("call Jane\n")

    async def start(self, *flags: str) -> None:
        pass

    async def down(self) -> None:
        self.blind()

    def blind(self) -> None:
        self.root.rename(self.root.with_name("gone"))

    def connector(self) -> Connector:
        return FilesConnector(self.root)

    def effects(self, key: str) -> list[object]:
        written = [path.stat() for path in self.root.glob("drafts/*")]
        return [(status.st_ino, status.st_mtime_ns) for status in written]


class RemoteBench:
    """A far side that is an example service with a log."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "far.log"
        self.service: Service | None = None

    async def down(self) -> None:
        """Kill the service."""
        assert self.service is not None
        await self.service.kill()

    @property
    def port(self) -> int:
        """Where the service listens, or last did."""
        assert self.service is not None
        return self.service.port

    def entries(self) -> list[dict[str, Any]]:
        """The far side's log."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines]


class CrmBench(RemoteBench):
    """The example CRM."""

    tool = "crm.update_deal"
    arguments: dict[str, Any] = {
        "id": "deal-1",
        "fields": {"stage": "negotiation", "next_step": "Zürich on Thursday"},
    }
    reads: dict[str, dict[str, Any]] = {
        "crm.find_account": {"name": "boe"},
        "crm.get_account": {"id": "acc-1"},
        "crm.list_deals": {"account": "acc-1", "limit": 1},
        "crm.export_pipeline": {},
    }
    lie = ActionOutcome.FAILED
    unkept = after_lie = Finding.NOT_DONE
    kept = Finding.DONE
    drops: tuple[str, ...] = ("--drop-writes",)
    credential = "not-a-real-token"

    async def start(self, *flags: str) -> None:
        token_file = self.home / "token"
        token_file.write_text("not-a-real-token\n")
        self.service = await Service.start(
            "examples.crm_service",
            self.home / "port",
            f"--data={self.home / 'crm.json'}",
            f"--token-file={token_file}",
            f"--log={self.log}",
            *flags,
        )

    def blind(self) -> None:
        self.port_override = 1

    port_override: int | None = None

    def connector(self, *, timeout_s: float = DEADLINE_S) -> Connector:
        port = self.port_override or self.port
        return CrmConnector(f"http://127.0.0.1:{port}", self.credential, timeout_s=timeout_s)

    def effects(self, key: str) -> list[object]:
        return [e for e in self.entries() if e["key"] == key and e["effect"] == "applied"]

    def asked(self, key: str) -> int:
        """How often the far side was asked for the effect, done or not."""
        return sum(entry["key"] == key for entry in self.entries())


class HubSpotBench(RemoteBench):
    """HubSpot's shape, with the change of a deal as its effect."""

    tool = "hubspot.update_deal"
    arguments: dict[str, Any] = {
        "id": "301",
        "fields": {"dealstage": "negotiation", "amount": "480000.00", "closedate": "2027-01-31"},
    }
    reads: dict[str, dict[str, Any]] = {
        "hubspot.find": {"type": "companies", "property": "name", "value": "Boeing Company"},
        "hubspot.read": {"type": "deals", "id": "301"},
        "hubspot.related": {"type": "companies", "id": "201", "to": "deals", "limit": 1},
    }
    lie = ActionOutcome.UNKNOWN
    unkept = after_lie = Finding.NOT_DONE
    kept = Finding.DONE
    drops: tuple[str, ...] = ("--drop-writes",)
    credential = "not-a-real-token"
    port_override: int | None = None

    async def start(self, *flags: str) -> None:
        token_file = self.home / "token"
        token_file.write_text("not-a-real-token\n")
        self.service = await Service.start(
            "tests.contract.hubspot_service",
            self.home / "port",
            f"--data={self.home / 'hubspot.json'}",
            f"--token-file={token_file}",
            f"--log={self.log}",
            *flags,
        )

    def blind(self) -> None:
        self.port_override = 1

    def connector(self, *, timeout_s: float = DEADLINE_S) -> Connector:
        port = self.port_override or self.port
        return HubSpotConnector(f"http://127.0.0.1:{port}", self.credential, timeout_s=timeout_s)

    def effects(self, key: str) -> list[object]:
        return [e for e in self.entries() if e["key"] == key and e["effect"] == "applied"]

    def asked(self, key: str) -> int:
        """How often the far side was asked for the effect, done or not."""
        return sum(entry["key"] == key for entry in self.entries())


class HubSpotNoteBench(HubSpotBench):
    """HubSpot's shape, with a new note as its effect."""

    tool = "hubspot.add_note"
    arguments: dict[str, Any] = {
        "type": "deals",
        "id": "301",
        "body": "Zürich on Thursday\nif 3 < 4 & so on",
    }


class HubSpotContactBench(HubSpotBench):
    """HubSpot's shape, with a new contact as its effect."""

    tool = "hubspot.create_contact"
    arguments: dict[str, Any] = {"email": "Ana.Souza@embraer.example", "firstname": "Ana"}


class InvoicesBench(RemoteBench):
    """The service of `invoices.yaml`, with a new invoice as its effect, under a reference."""

    tool = "billing.create_invoice"
    arguments: dict[str, Any] = {
        "customer": "Embraer",
        "amount": 250,
        "lines": [{"text": "Zürich"}],
    }
    reads: dict[str, dict[str, Any]] = {
        "billing.list_invoices": {"state": ["open"]},
        "billing.get_invoice": {"id": "inv-1"},
    }
    operations: dict[str, Any] = {
        "listInvoices": {"omit": ["reference"], "fixed": {"limit": 2}, "keep": ["id", "state"]},
        "getInvoice": {"objects": ["id"]},
        "createInvoice": {
            "amounts": ["amount"],
            "contents": ["lines"],
            "key": "argument:reference",
            "read": {
                "operation": "listInvoices",
                "arguments": {"reference": "$key"},
                "found": "/items/0",
                "holds": {"/reference": "$key", "/amount": "$amount", "/customer": "$customer"},
            },
        },
    }
    lie = ActionOutcome.UNKNOWN
    unkept = after_lie = Finding.NOT_DONE
    kept = Finding.DONE
    drops: tuple[str, ...] = ("--drop-writes",)
    credential = "not-a-real-token"
    port_override: int | None = None

    async def start(self, *flags: str) -> None:
        token_file = self.home / "token"
        token_file.write_text("not-a-real-token\n")
        self.service = await Service.start(
            "tests.contract.invoices_service",
            self.home / "port",
            f"--data={self.home / 'invoices.json'}",
            f"--token-file={token_file}",
            f"--log={self.log}",
            *flags,
        )

    def blind(self) -> None:
        self.port_override = 1

    def settings(self, operations: dict[str, Any] | None = None) -> HttpApiSettings:
        """What the settings file would say, of these operations."""
        port = self.port_override or self.port
        return described(f"http://127.0.0.1:{port}/v2", operations or self.operations)

    def connector(
        self, *, timeout_s: float = DEADLINE_S, operations: dict[str, Any] | None = None
    ) -> Connector:
        settings = self.settings(operations)
        calls = calls_of("billing", settings, HERE)
        return RestConnector(calls, settings, self.credential, timeout_s=timeout_s)

    def effects(self, key: str) -> list[object]:
        return [e for e in self.entries() if e["key"] == key and e["effect"] == "applied"]

    def asked(self, key: str) -> int:
        """How often the far side was asked for the effect, done or not."""
        return sum(entry["key"] == key for entry in self.entries())


def described(url: str, operations: dict[str, Any] = InvoicesBench.operations) -> HttpApiSettings:
    """Settings of the API that `invoices.yaml` describes, as the settings file would say them."""
    written = {
        "url": url,
        "description": "invoices.yaml",
        "sha256": hashlib.sha256((HERE / "invoices.yaml").read_bytes()).hexdigest(),
        "header": "X-Api-Key",
        "operations": operations,
    }
    return msgspec.convert(written, HttpApiSettings)
