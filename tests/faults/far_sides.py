"""Far sides for a sidecar that is killed: each connector's server, with a log of its own.

A far side says which effects it was made to do (`effects`), and whether what it keeps would tell
anybody what became of one action (`silent`): only then is an outcome `unknown` the truth. Two of
them cannot be had at once (two mailboxes, two calendars), so there are two worlds.
"""

import base64
import contextlib
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
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
    holds for it, `arguments` a run's call of `tool`, `undo` the tool that undoes it. `effects` has
    a line for each effect done.
    """

    tool: str
    section: str
    arguments: Callable[[int], dict[str, Any]]
    effects: Callable[[], list[str]]
    silent: Callable[[str, int], bool] = _never
    secret: tuple[str, str] | None = None
    undo: str = ""


@contextlib.asynccontextmanager
async def protocols(home: Path) -> AsyncIterator[tuple[FarSide, ...]]:
    """SMTP and IMAP, CalDAV, the example CRM, a CRM over MCP, files, the web, an HTTP API.

    Of a mailbox and a calendar two effects: sending and drafting, a new event and a changed one.
    """
    async with contextlib.AsyncExitStack() as stack:
        mail, calendar = MailBench(_made(home / "mail")), CalendarBench(_made(home / "calendar"))
        crm, invoices = CrmBench(_made(home / "crm")), InvoicesBench(_made(home / "invoices"))
        for bench in (mail, calendar, crm, invoices):
            await bench.start()
            stack.push_async_callback(bench.down)
        yield (
            _mail(mail),
            _draft(lambda: [m for m in mail.filed("Drafts") if b"Subject: Draft" in m]),
            _caldav(calendar),
            _change(calendar, "pilot.ics"),
            _crm(crm),
            _mcp(_made(home / "mcp")),
            _files(_made(home / "files"), stack),
            await _web(stack),
            _invoices(invoices),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def undoable(home: Path) -> AsyncIterator[tuple[FarSide, ...]]:
    """A calendar and a CRM over MCP, whose effects can be undone, and a CRM whose cannot."""
    async with contextlib.AsyncExitStack() as stack:
        calendar, crm = CalendarBench(_made(home / "calendar")), CrmBench(_made(home / "crm"))
        for bench in (calendar, crm):
            await bench.start()
            stack.push_async_callback(bench.down)
        yield (_caldav(calendar), _mcp(_made(home / "mcp")), _crm(crm))


@contextlib.asynccontextmanager
async def shapes(home: Path) -> AsyncIterator[tuple[FarSide, ...]]:
    """The REST shapes of Gmail, Google Calendar and HubSpot, with two effects of each."""
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
            _draft(lambda: _drafts(gmail)),
            _change(calendar, calendar.event),
            FarSide(
                tool="hubspot.add_note",
                section=f'[connectors.hubspot]\nurl = "http://127.0.0.1:{hubspot.port}"\n',
                secret=("hubspot", hubspot.credential),
                arguments=lambda n: {"type": "deals", "id": "301", "body": f"the next step, {n}"},
                effects=lambda: _logged(hubspot, "key", "applied", "/notes"),
            ),
            FarSide(
                tool="hubspot.update_deal",
                section="",
                arguments=lambda n: {"id": "302", "fields": {"hs_next_step": f"a call, {n}"}},
                effects=lambda: _logged(hubspot, "key", "applied", "/deals/302"),
            ),
        )  # fmt: skip


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _logged(bench: RemoteBench, what: str, effect: str, path: str = "") -> list[str]:
    """`what` of each such effect in the far side's log, at a path that ends so."""
    return [
        entry[what]
        for entry in bench.entries()
        if entry["effect"] == effect and entry.get("path", "").endswith(path)
    ]


def _draft(kept: Callable[[], Sequence[bytes]]) -> FarSide:
    """Drafting at a mailbox that is there; `kept` are the drafts that were asked for."""

    def arguments(number: int) -> dict[str, Any]:
        subject = f"Draft of the contract, {number}"
        return {"to": [JANE], "subject": subject, "body": "Dear Jane,\n\nmore soon.\n"}

    def effects() -> list[str]:
        return [hashlib.sha256(message).hexdigest() for message in kept()]

    return FarSide(tool="mail.draft", section="", arguments=arguments, effects=effects)


def _drafts(bench: GmailBench) -> list[bytes]:
    raws = [base64.urlsafe_b64decode(m["raw"]) for m in bench.mailbox()["messages"].values()]
    return [data for data in raws if b"Subject: Draft" in data]


def _change(bench: CalendarBench, event: str) -> FarSide:
    """Changing an event of a calendar that is there."""

    def arguments(number: int) -> dict[str, Any]:
        return {"event": event, "fields": {"location": f"room {number}"}, "attendees": [JANE]}

    return FarSide(
        tool="calendar.update",
        section="",
        arguments=arguments,
        effects=lambda: _logged(bench, "key", "applied", event),
    )


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


def _caldav(bench: CalendarBench) -> FarSide:
    section = f"""\
[connectors.calendar]
url = "http://127.0.0.1:{bench.port}/ann/work/"
user = "ann"
organizer = "ann@acme.example"
"""
    return _calendar(bench, section, "calendar")


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
        undo="calendar.cancel",
        arguments=arguments,
        effects=lambda: [
            entry["key"]
            for entry in bench.entries()
            if entry["effect"] == "applied" and not entry["path"].endswith(bench.event)
        ],
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
        undo="contacts.remove_note",
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
