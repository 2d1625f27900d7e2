"""Far sides for a sidecar that is killed: each connector's server, with a log of its own.

A far side says which effects it was made to do (`effects`), and whether what it keeps would tell
anybody what became of one action (`silent`): only then is an outcome `unknown` the truth. Two of
them cannot be had at once (two mailboxes, two calendars), so there are two worlds.
"""

import contextlib
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import trustme
from msgspec import Struct

from tests.contract.calendar_benches import CalendarBench, GoogleCalendarBench
from tests.contract.dns_server import DnsServer
from tests.contract.mail_benches import GmailBench, MailBench
from tests.contract.services import (
    HERE,
    CrmBench,
    HubSpotNoteBench,
    InvoicesBench,
    RemoteBench,
)
from tests.contract.site import Site, html
from tests.faults.renames import Renames

JANE = "jane.doe@boeing.example"


def _never(key: str, number: int) -> bool:
    """A far side that keeps every key: what became of an action can always be known."""
    return False


class FarSide(Struct, frozen=True, kw_only=True):
    """One connector's server. `section` is what the settings say of it, `secret` what the vault
    holds for it, `arguments` a run's call of `tool`. `effects` has a line for each effect done.
    """

    tool: str
    section: str
    arguments: Callable[[int], dict[str, Any]]
    effects: Callable[[], list[str]]
    silent: Callable[[str, int], bool] = _never
    secret: tuple[str, str] | None = None


@contextlib.asynccontextmanager
async def protocols(home: Path) -> AsyncIterator[tuple[FarSide, ...]]:
    """SMTP and IMAP, CalDAV, the example CRM, a CRM over MCP, files, the web, an HTTP API."""
    async with contextlib.AsyncExitStack() as stack:
        mail, calendar = MailBench(_made(home / "mail")), CalendarBench(_made(home / "calendar"))
        crm, invoices = CrmBench(_made(home / "crm")), InvoicesBench(_made(home / "invoices"))
        for bench in (mail, calendar, crm, invoices):
            await bench.start()
            stack.push_async_callback(bench.down)
        yield (
            _mail(mail),
            _calendar(calendar, f"""\
[connectors.calendar]
url = "http://127.0.0.1:{calendar.port}/ann/work/"
user = "ann"
organizer = "ann@acme.example"
""", "calendar"),
            _crm(crm),
            _mcp(_made(home / "mcp")),
            _files(_made(home / "files"), stack),
            await _web(stack),
            _invoices(invoices),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def shapes(home: Path) -> AsyncIterator[tuple[FarSide, ...]]:
    """The REST shapes of Gmail, Google Calendar and HubSpot."""
    async with contextlib.AsyncExitStack() as stack:
        gmail, hubspot = GmailBench(_made(home / "gmail")), HubSpotNoteBench(_made(home / "hub"))
        calendar = GoogleCalendarBench(_made(home / "gcalendar"))
        for bench in (gmail, calendar, hubspot):
            await bench.start()
            stack.push_async_callback(bench.down)
        yield (
            FarSide(
                tool="mail.send",
                section=f"""\
[connectors.gmail]
sender = "ann@acme.example"
url = "http://127.0.0.1:{gmail.port}"
""",
                secret=("gmail", gmail.credential),
                arguments=_message,
                effects=lambda: _logged(gmail, "message_id", "sent"),
            ),
            _calendar(calendar, f"""\
[connectors.gcalendar]
url = "http://127.0.0.1:{calendar.port}"
""", "gcalendar"),
            FarSide(
                tool="hubspot.add_note",
                section=f'[connectors.hubspot]\nurl = "http://127.0.0.1:{hubspot.port}"\n',
                secret=("hubspot", hubspot.credential),
                arguments=lambda n: {"type": "deals", "id": "301", "body": f"the next step, {n}"},
                effects=lambda: _logged(hubspot, "key", "applied"),
            ),
        )  # fmt: skip


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _logged(bench: RemoteBench, what: str, effect: str) -> list[str]:
    return [entry[what] for entry in bench.entries() if entry["effect"] == effect]


def _message(number: int) -> dict[str, Any]:
    subject = f"Summary of our pilot, {number}"
    return {"to": [JANE], "subject": subject, "body": "Dear Jane,\n\nthe next step.\n"}


def _mail(bench: MailBench) -> FarSide:
    imap = int((bench.home / "imap.port").read_text())

    def silent(key: str, number: int) -> bool:
        """Marked as being handed over, and no copy: SMTP says no more, to whom it may concern."""
        said = [
            any(key.encode() in message for message in bench.filed(folder))
            for folder in ("AnyTeam Outbox", "Sent")
        ]
        return said == [True, False]

    return FarSide(
        tool="mail.send",
        section=f"""\
[connectors.mail]
sender = "ann@acme.example"
smtp = {{ port = {bench.port}, tls = "none" }}
imap = {{ port = {imap}, tls = "none" }}
""",
        secret=("mail", bench.credential),
        arguments=_message,
        effects=lambda: _logged(bench, "message_id", "delivered"),
        silent=silent,
    )


def _calendar(bench: CalendarBench, section: str, name: str) -> FarSide:
    def arguments(number: int) -> dict[str, Any]:
        # Half an hour of its own, so that no two calls are alike.
        day, half = 1 + number // 48 % 28, number % 48
        start = f"2027-02-{day:02}T{half // 2:02}:{half % 2 * 30:02}:00Z"
        end = f"2027-02-{day:02}T{half // 2:02}:{half % 2 * 30 + 29:02}:00Z"
        title = f"Call about the next step, {number}"
        return {"title": title, "start": start, "end": end, "attendees": [JANE]}

    return FarSide(
        tool="calendar.create",
        section=section,
        secret=(name, bench.credential),
        arguments=arguments,
        effects=lambda: _logged(bench, "key", "applied"),
    )


def _crm(bench: CrmBench) -> FarSide:
    return FarSide(
        tool="crm.update_deal",
        section=f'[connectors.crm]\nurl = "http://127.0.0.1:{bench.port}"\n',
        secret=("crm", bench.credential),
        arguments=lambda n: {"id": "deal-1", "fields": {"next_step": f"the next step, {n}"}},
        effects=lambda: _logged(bench, "key", "applied"),
    )


def _invoices(bench: InvoicesBench) -> FarSide:
    description = HERE / "invoices.yaml"
    return FarSide(
        tool="billing.create_invoice",
        section=f"""\
[connectors.http.billing]
url = "http://127.0.0.1:{bench.port}/v2"
description = "{description}"
sha256 = "{hashlib.sha256(description.read_bytes()).hexdigest()}"
header = "X-Api-Key"
[connectors.http.billing.operations.createInvoice]
amounts = ["amount"]
contents = ["lines"]
reach = "inside"
key = "argument:reference"
[connectors.http.billing.operations.createInvoice.read]
operation = "listInvoices"
arguments = {{ reference = "$key" }}
found = "/items/0"
holds = {{ "/reference" = "$key", "/amount" = "$amount", "/customer" = "$customer" }}
""",
        secret=("http-billing", bench.credential),
        arguments=lambda n: {
            "customer": "Boeing",
            "amount": 250,
            "lines": [{"text": f"the pilot, part {n}"}],
        },
        effects=lambda: _logged(bench, "key", "applied"),
    )


def _mcp(home: Path) -> FarSide:
    log = home / "seen.log"
    words = [sys.executable, "-m", "examples.crm_mcp_service"]
    words += ["--data", str(home / "notes.json"), "--log", str(log)]

    def entries() -> list[dict[str, str]]:
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def note(number: int) -> str:
        return f"asked about the next step, {number}"

    def silent(key: str, number: int) -> bool:
        """Not among the notes when they were last looked at, and there is nothing else to ask."""
        seen = [entry["note"] if entry["tool"] == "add_note" else None for entry in entries()]
        looked = max(at for at, one in enumerate(seen) if one is None) if None in seen else -1
        return note(number) not in seen[: looked + 1]

    return FarSide(
        tool="contacts.add_note",
        section=f"[connectors.mcp.contacts]\ncommand = {json.dumps(words)}\n",
        arguments=lambda n: {"contact": JANE, "note": note(n)},
        effects=lambda: [
            e["note"] for e in entries() if (e["tool"], e["effect"]) == ("add_note", "applied")
        ],
        silent=silent,
    )


def _files(root: Path, stack: contextlib.AsyncExitStack) -> FarSide:
    renames = Renames(root)
    stack.callback(renames.close)
    return FarSide(
        tool="files.write",
        section=f'[connectors.files]\nroot = "{root}"\n',
        arguments=lambda n: {"path": f"note-{n}.txt", "content": f"the next step, {n}\n"},
        effects=renames.names,
    )


async def _web(stack: contextlib.AsyncExitStack) -> FarSide:
    site, dns = Site(trustme.CA(), tls=False), DnsServer({"docs.example": {"A": ["127.0.0.1"]}})
    await site.start()
    stack.push_async_callback(site.stop)
    await dns.start()
    stack.push_async_callback(dns.stop)
    page = html("<title>The next step</title><p>It is a meeting.</p>")

    def arguments(number: int) -> dict[str, Any]:
        site.pages[f"/next/{number}"] = page
        return {"url": f"http://docs.example:{site.port}/next/{number}"}

    return FarSide(
        tool="web.fetch",
        section=f"""\
[resolver]
nameservers = ["127.0.0.1:{dns.port}"]
[connectors.web]
hosts = ["docs.example:{site.port}"]
http = ["docs.example:{site.port}"]
""",
        arguments=arguments,
        effects=lambda: [head.split(" ")[1] for head in site.heads],
        # A web server tells nobody who asked it for what.
        silent=lambda key, number: True,
    )
