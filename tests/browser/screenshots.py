"""`python -m tests.browser.screenshots [--out docs/images]`: each page, light, dark and on a phone.

Plays the demo's story on its real servers, with mail held for a person, and photographs the
console while one question waits. Nothing is drawn: what is on the pictures has happened.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from bus.folder import DataFolder
from console import inviting
from console.commands.credentials import store
from console.commands.demo import SETTINGS, make_room, services
from console.commands.runs import request_run
from console.session import session
from console.supervisor import Supervisor
from console.web.mail import dropped
from console.web.store import Store
from crypto.keyfile import ensure_key
from projections.webhooks.administration import add_endpoint
from projections.webhooks.endpoint import TlsChoice
from projections.webhooks.filters import Filter
from projections.webhooks.progress import paused
from projections.webhooks.store import Store as WebhookStore
from schemas.access import AccessRole
from schemas.actions import ActionRefused, ApprovalRequested
from schemas.leases import Intent
from schemas.names import Role
from schemas.settings import WebhookSettings
from schemas.tools import Effect
from tests.browser.chromium import (
    LAPTOP,
    PHONE,
    authenticator,
    chromium,
    enrol,
    missing,
    sign_in,
)
from tests.faults.installation import halt, is_a, is_end, until

EDITOR = """
[agents.editor]
planner = "scripted"
plan = "plans/editor.json"
"""
PLAN = {
    "steps": [
        {
            "tool": "crm.find_account",
            "arguments": {"name": "Boeing"},
            "purpose": "find the account",
        },
        {
            "tool": "crm.list_deals",
            "arguments": {"account": {"$from": [0, "accounts", 0, "id"]}},
            "purpose": "see its deals",
        },
        {
            "tool": "crm.update_deal",
            "arguments": {
                "id": {"$from": [1, "deals", 0, "id"]},
                "fields": {"stage": "negotiation", "next_step": "send the revised offer"},
            },
            "purpose": "the deal has moved on",
        },
    ]
}
"""Nobody asked for the last one, so it is held."""

PAGES = {
    "overview": "/",
    "inbox": "/inbox",
    "question": "/inbox/{proposal}",
    "runs": "/runs",
    "run": "/runs/{run}",
    "run-refused": "/runs/{refused}",
    "kill-switch": "/halt",
    "destinations": "/destinations",
    "memory": "/memory",
    "flags": "/flags",
    "ledger": "/ledger",
    "entry": "/ledger/12",
    "people": "/people",
    "passkeys": "/passkeys",
    "leases": "/leases",
    "export": "/export",
    "webhooks": "/webhooks",
    "question-change": "/inbox/{change}",
}
ON_PHONE = ("overview", "inbox", "question", "question-change", "run", "kill-switch", "leases")
ADDRESS = "ada@acme.example"


async def photograph(out: Path) -> None:
    """Play the story, and take the pictures."""
    home = Path(tempfile.mkdtemp(prefix="anyteam-pictures-"))
    try:
        data = home / "data"
        make_room(data)
        folder = DataFolder(data)
        async with services(data) as ports:
            text = SETTINGS.format(**ports).replace(
                "[policy]\n",
                '[policy]\nhuman_effects = ["communication"]\npasskey = ["communication"]\n',
            )
            folder.settings_file.write_text(f"{text}{EDITOR}\n[webhooks]\n[console]\n")
            (data / "plans" / "editor.json").write_text(json.dumps(PLAN))
            for name, file in (("crm", "token"), ("mail", "password"), ("calendar", "password")):
                store(folder, name, (data / name / file).read_text().strip())
            _endpoint(folder)
            supervisor = Supervisor(folder, print)
            try:
                await supervisor.up()
                await _pictures(folder, out, await _story(folder))
            finally:
                await supervisor.down()
    finally:
        shutil.rmtree(home)


def _endpoint(folder: DataFolder) -> None:
    """A webhook endpoint that somebody paused: the pictures post to nobody."""
    workspace = folder.settings().workspace
    with closing(WebhookStore(folder.webhook_file, workspace)) as kept:
        add_endpoint(
            kept,
            ensure_key(folder.webhook_key_file),
            workspace,
            WebhookSettings(),
            name="crm",
            url="https://hooks.example.com/anyteam",
            chosen=Filter(types=("action.*", "run.completed")),
            tls=TlsChoice(),
            start=1,
            secret="",
            now=time.time_ns(),
        )
        kept.change("crm", paused)


async def _story(folder: DataFolder) -> dict[str, str]:
    """A run that waits, one that was talked over, one that was halted; their names."""
    async with session(folder.root, Role.ADMIN) as opened:
        with closing(Store(inviting.store_file(folder))) as kept:
            for address, role in (
                (ADDRESS, AccessRole.ADMIN),
                ("ann@acme.example", AccessRole.REP),
            ):
                await inviting.invite(opened, kept, address, role, None, None)
    refused = await _ask(
        folder,
        "reader",
        Intent(
            summary="summarise the aerospace newsletter into a draft", effects=(Effect.MUTATION,)
        ),
        ("mail.search", "mail.read", "files.write", "mail.send"),
    )
    await until(folder, refused, is_end)
    halted = await _ask(
        folder,
        "reporter",
        Intent(
            summary="keep forty reports at Embraer's deal",
            effects=(Effect.MUTATION,),
            objects=("deal-4",),
        ),
        ("crm.update_deal",),
    )
    await until(folder, halted, lambda entry: entry.event.type == "receipt.issued")
    await halt(folder, halted, "that is enough")
    await until(folder, halted, is_end)
    run = await _ask(
        folder,
        "follow-up",
        Intent(
            summary="send Boeing the summary it asked for, note the next step, and book a call"
            " with Jane about it for 2026-11-26 from 15:00 to 15:30",
            effects=(Effect.MUTATION, Effect.COMMUNICATION),
            destinations=("jane.doe@boeing.example",),
        ),
        (
            *("mail.search", "mail.read", "crm.find_account", "crm.list_deals"),
            *("calendar.list", "files.write", "crm.update_deal", "mail.send", "calendar.create"),
        ),
    )
    asked = (await until(folder, run, is_a(ApprovalRequested)))[-1].event.body
    assert isinstance(asked, ApprovalRequested)
    editing = await _ask(
        folder,
        "editor",
        Intent(summary="bring Boeing's deal up to date"),
        ("crm.find_account", "crm.list_deals", "crm.update_deal"),
    )
    moved = (await until(folder, editing, is_a(ApprovalRequested, ActionRefused)))[-1].event.body
    assert isinstance(moved, ApprovalRequested), moved
    names = {"run": run, "refused": refused, "proposal": asked.proposal.hex()}
    return {**names, "change": moved.proposal.hex()}


async def _ask(folder: DataFolder, agent: str, intent: Intent, tools: tuple[str, ...]) -> str:
    async with session(folder.root, Role.REP) as opened:
        return await request_run(opened, agent, intent, tools, 900, 60, None)


async def _pictures(folder: DataFolder, out: Path, names: dict[str, str]) -> None:
    origin = inviting.console_url(folder)
    out.mkdir(parents=True, exist_ok=True)

    async def link() -> str:
        async with asyncio.timeout(20):
            while not (found := dropped(folder.identity(Role.CONSOLE))):
                await asyncio.sleep(0.05)
        return found[0][1]

    async with chromium() as browser:
        context = await browser.new_context(ignore_https_errors=True, viewport=LAPTOP)
        page = await context.new_page()
        await page.goto(f"{origin}/sign-in")
        await page.screenshot(path=out / "sign-in-light.png")
        await sign_in(page, origin, ADDRESS, link)
        await authenticator(page)
        await enrol(page, folder, "laptop")
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            for name, path in PAGES.items():
                await _picture(
                    page, f"{origin}{path.format(**names)}", out / f"{name}-{scheme}.png"
                )
        await page.emulate_media(color_scheme="light")
        await page.set_viewport_size(PHONE)
        for name in ON_PHONE:
            path = PAGES[name].format(**names)
            await _picture(page, f"{origin}{path}", out / f"{name}-phone.png")


async def _picture(page: Any, url: str, file: Path) -> None:
    await page.goto(url)
    await page.locator("[data-state=live]").wait_for()
    if "/ledger/" in url:
        await page.locator("[data-verify]").click()
        await page.locator("[data-result]").wait_for()
    await page.screenshot(path=file, full_page=True)
    print(file)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    if reason := missing():
        print(f"error: {reason}", file=sys.stderr)
        return 1
    asyncio.run(photograph(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
