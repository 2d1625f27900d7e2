"""All or nothing on real servers: what was done is undone there, and what cannot be is told."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest_asyncio

from bus.decider import Recorded
from bus.folder import DataFolder
from console.commands.runs import request_run
from console.session import session
from schemas.actions import ActionOutcome, ActionStarted, ProposalMade
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome
from schemas.tools import Effect
from tests.commands import said_by
from tests.faults.effects import installed
from tests.faults.far_sides import JANE, FarSide, undoable
from tests.faults.installation import is_end, until, up
from tests.faults.kills import account_of

Installed = tuple[DataFolder, tuple[FarSide, ...]]


@pytest_asyncio.fixture
async def there(tmp_path: Path) -> AsyncIterator[Installed]:
    """An installation, up, with its far sides."""
    async with installed(tmp_path, undoable) as (folder, sides), up(folder):
        yield folder, sides


async def played(folder: DataFolder, *calls: tuple[str, dict[str, Any]]) -> list[Recorded]:
    """A run of these calls, which belong together; its entries."""
    steps = [{"tool": t, "arguments": a, "purpose": "as asked"} for t, a in calls]
    (folder.root / "keeper.json").write_text(json.dumps({"steps": steps}))
    intent = Intent(
        summary=f"book a call, note it with {JANE} and at deal-1 and deal-404",
        effects=(Effect.MUTATION,),
        destinations=(JANE,),
        together=True,
    )
    tools = (*dict.fromkeys(t for t, _ in calls), "calendar.cancel", "contacts.remove_note")
    async with session(folder.root, Role.REP) as opened:
        run = await request_run(opened, "keeper", intent, tools, 120, 30, None)
    return await until(folder, run, is_end)


def done(entries: Sequence[Recorded]) -> list[tuple[str, bool]]:
    """Each action's tool, and whether it was to undo another."""
    made = {e.digest: e.event.body for e in entries if isinstance(e.event.body, ProposalMade)}
    started = [e.event.body for e in entries if isinstance(e.event.body, ActionStarted)]
    return [(one.tool, made[one.proposal].compensates is not None) for one in started]


def ending(entries: Sequence[Recorded]) -> RunCompleted:
    body = entries[-1].event.body
    assert isinstance(body, RunCompleted)
    return body


MISSING = {"id": "deal-404", "fields": {"next_step": "a call"}}


async def test_a_batch_that_fails_half_way_is_undone_at_the_servers_the_latest_first(
    there: Installed, tmp_path: Path
) -> None:
    folder, (calendar, contacts, crm) = there
    entries = await played(
        folder,
        (calendar.tool, calendar.arguments(0)),
        (contacts.tool, contacts.arguments(0)),
        (crm.tool, MISSING),
    )
    assert done(entries) == [
        ("calendar.create", False),
        ("contacts.add_note", False),
        ("crm.update_deal", False),
        ("contacts.remove_note", True),
        ("calendar.cancel", True),
    ]
    account = account_of(entries)
    assert account.unpaired == 0
    assert list(account.outcomes.values()).count(ActionOutcome.CONFIRMED) == 4
    assert ending(entries).outcome is RunOutcome.FAILURE
    assert ending(entries).standing == ()
    assert json.loads((tmp_path / "mcp" / "notes.json").read_text()) == {JANE: []}
    stored = [p for p in (tmp_path / "calendar" / "radicale").rglob("*") if p.is_file()]
    texts = [text for text in map(Path.read_bytes, stored) if text.startswith(b"BEGIN:VCALENDAR")]
    [event] = [text for text in texts if b"next step\\, 0" in text or b"next step, 0" in text]
    assert b"STATUS:CANCELLED" in event
    [replayed] = await said_by(folder, "replay", "--check")
    assert replayed["differences"] == []


async def test_what_nothing_undoes_stands_and_a_person_is_told(there: Installed) -> None:
    folder, (calendar, _, crm) = there
    entries = await played(
        folder,
        (crm.tool, crm.arguments(0)),
        (calendar.tool, calendar.arguments(1)),
        (crm.tool, MISSING),
    )
    [kept] = [
        e.digest
        for e in entries
        if isinstance(e.event.body, ActionStarted) and e.event.body.tool == crm.tool
    ][:1]
    assert ending(entries).standing == (kept,)
    [listed] = [run for run in await said_by(folder, "runs") if run["run"] == entries[0].event.run]
    assert listed["standing"] == [kept.hex()]
    [stands] = [one for one in await said_by(folder, "questions") if "standing" in one]
    assert (stands["standing"], stands["tool"], stands["outcome"]) == (
        kept.hex(),
        crm.tool,
        "confirmed",
    )


async def test_a_batch_that_can_be_done_whole_succeeds_and_undoes_nothing(
    there: Installed,
) -> None:
    folder, (calendar, contacts, _) = there
    entries = await played(
        folder,
        (calendar.tool, calendar.arguments(2)),
        (contacts.tool, contacts.arguments(2)),
    )
    assert ending(entries).outcome is RunOutcome.SUCCESS
    assert done(entries) == [("calendar.create", False), ("contacts.add_note", False)]
