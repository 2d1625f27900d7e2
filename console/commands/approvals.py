"""`anyteam questions`, `approve`, `change` and `deny`: what the gate holds for a person."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from bus.decider import Recorded
from console.author import say
from console.errors import NeedsConsole, NoSuch, NotUp
from console.inviting import console_url
from console.output import JsonFlag, emit
from console.questions import Question, Questions
from console.session import (
    DEFAULT_DATA,
    DataOption,
    Session,
    about_run,
    about_topics,
    session,
)
from console.standing_effects import Standing, left_standing
from schemas.actions import ApprovalDecided, Decision, ProposalMade
from schemas.content import Sealed, plain, value_of
from schemas.names import SECOND, Role
from schemas.runs import RunCompleted, RunHalted

Proposal = Annotated[str, typer.Argument(help="The proposal's digest, or its beginning.")]
Note = Annotated[str, typer.Option(help="Why.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who answers.")]

_LATE: Final = 3_600 * SECOND
"""So long after its end a question is still looked at: the gate may not have refused it yet."""


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(questions)
    app.command()(approve)
    app.command()(change)
    app.command()(deny)


def questions(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """What waits for a person, with the exact arguments; and what was left half done."""
    asyncio.run(_questions(data, json))


async def _questions(data: Path, json: bool) -> None:
    async with _looking(data, "approval", "decision", "run") as opened:
        asked_in = _asked_in(opened.past, time.time_ns())
        runs = {run: None for run, _ in asked_in}
        runs |= {str(one.event.run): None for one in opened.past if _names_standing(one)}
        waiting, left = list[Question](), list[Standing]()
        for run in runs:
            past = await opened.again(about_run(run)).catch_up()
            waiting += Questions(past).open()
            left += left_standing(past)
        if not waiting and not left and not json:
            emit({}, json, "nothing waits for a person")
        for one in sorted(waiting, key=lambda one: one.asked.index):
            asked, body = one.asked, one.body
            arguments, purpose = _asked_for(one)
            value = {
                "proposal": body.proposal.hex(),
                "run": asked.event.run,
                "tool": body.tool,
                "question": body.question,
                "arguments": arguments,
                "purpose": purpose,
                "expires": body.expires,
                "people": body.people,
                "passkey": body.passkey,
                "approved_by": sorted(one.approvers),
            }
            text = f"[yellow]{body.proposal.hex()[:12]}[/] {escape(str(asked.event.run))}"
            text += f" {escape(body.tool)}: {escape(body.question)}"
            text += f"\n    {escape(str(arguments))}\n    its words: {escape(str(purpose))}"
            emit(value, json, text)
        for stands in sorted(left, key=lambda stands: stands.index):
            outcome = stands.outcome.value if stands.outcome is not None else "under way"
            value = {
                "standing": stands.action.hex(),
                "run": stands.run,
                "tool": stands.tool,
                "index": stands.index,
                "outcome": outcome,
            }
            text = f"[red]not undone[/] {stands.action.hex()[:12]} {escape(stands.run)}"
            text += f" {escape(stands.tool)}: {outcome}, and what belonged with it was not done"
            emit(value, json, text)


def approve(
    proposal: Proposal,
    note: Note = "",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Let exactly this proposal through, signed with your own key."""
    asyncio.run(_decide(data, proposal, Decision.APPROVE, note, admin, json))


def change(
    proposal: Proposal,
    text: Annotated[str, typer.Option(help="What should be different, in your words.")],
    note: Note = "",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Refuse this proposal, and tell the agent what another should be like; that one is asked
    about anew. The text is sealed like other content; a note is not.
    """
    asyncio.run(_decide(data, proposal, Decision.CHANGE, note, admin, json, text))


def deny(
    proposal: Proposal,
    note: Note = "",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Refuse exactly this proposal, signed with your own key."""
    asyncio.run(_decide(data, proposal, Decision.DENY, note, admin, json))


async def _decide(
    data: Path,
    prefix: str,
    decision: Decision,
    note: str,
    admin: str | None,
    json: bool,
    text: str = "",
) -> None:
    async with _looking(data, "approval", "decision") as looked:
        asked_in = _asked_in(looked.past, time.time_ns())
        runs = {run for run, proposal in asked_in if proposal.startswith(prefix)}
        found = [
            str(one.asked.event.run)
            for run in sorted(runs)
            for one in Questions(await looked.again(about_run(run)).catch_up()).open()
            if one.body.proposal.hex().startswith(prefix)
        ]
    if len(found) != 1:
        raise _not_one(len(found), prefix)
    async with session(data, Role.ADMIN, scope=about_run(*found)) as opened:
        index = await answer(opened, prefix, decision, note, admin, text)
        emit({"index": index}, json, f"recorded: {decision.value}, at index {index}")


async def answer(
    opened: Session,
    prefix: str,
    decision: Decision,
    note: str,
    admin: str | None,
    text: str = "",
) -> int:
    """Sign and publish a person's answer; its ledger index. `text` is what should be different.

    Raises `NoSuch`, `NeedsConsole`, or `SealError` where there is no key to seal the text with.
    """
    found = [
        one for one in Questions(opened.past).open() if one.body.proposal.hex().startswith(prefix)
    ]
    if len(found) != 1:
        raise _not_one(len(found), prefix)
    (question,) = found
    if decision is Decision.APPROVE and question.body.passkey:
        raise NeedsConsole(
            f"policy has {prefix} approved with a passkey, which the command line has none of",
            fix=f"approve it in the console{_at_console(opened)}; deny it here if you like",
        )
    if decision is Decision.CHANGE and not text.strip():
        raise NoSuch("--text says nothing", fix="say what should be different, in your words")
    body = ApprovalDecided(
        proposal=question.body.proposal,
        decision=decision,
        note=note,
        change=plain(text.strip()) if text.strip() else None,
    )
    pen = opened.pen(Role.ADMIN, admin)
    if question.body.people > 1 and pen.actor.instance in question.approvers:
        raise NoSuch(
            f"{pen.actor.instance} has approved {prefix} already",
            fix="another person must approve it as well: `--as ANOTHER`",
        )
    causes = (question.asked.digest, body.proposal)
    return await say(
        *(opened.client, opened.reader, pen, body),
        run=question.asked.event.run,
        causes=causes,
        keys=opened.keys,
    )


def _not_one(found: int, prefix: str) -> NoSuch:
    return NoSuch(
        f"{found} open questions about a proposal {prefix}",
        fix="`anyteam questions` lists those that wait",
    )


def _looking(data: Path, *topics: str) -> AbstractAsyncContextManager[Session]:
    """A session that finds which runs to read: few have a question, and a ledger is long."""
    return session(data, Role.ADMIN, scope=about_topics(*topics), partial=True)


def _asked_in(past: Iterable[Recorded], now: int) -> list[tuple[str, str]]:
    """Each run and proposal that may wait for somebody at `now` (ns): it was asked about, was not
    answered by enough people, and has not run out long ago. The run itself says whether it does,
    and who its rep is.
    """
    return [
        (str(one.asked.event.run), one.body.proposal.hex())
        for one in Questions(past).unsettled()
        if (one.body.people > 1 or not one.approvers) and now < one.body.expires + _LATE
    ]


def _names_standing(recorded: Recorded) -> bool:
    body = recorded.event.body
    return isinstance(body, RunCompleted | RunHalted) and bool(body.standing)


def _at_console(opened: Session) -> str:
    with contextlib.suppress(NotUp):
        return f", {console_url(opened.folder)}/inbox"
    return ""


def _asked_for(question: Question) -> tuple[object, object]:
    """The proposal's arguments and purpose, where this machine can open them."""
    body = question.proposal.event.body if question.proposal is not None else None
    assert isinstance(body, ProposalMade)
    closed = "sealed: this machine does not hold the workspace's key"
    return tuple(  # type: ignore[return-value]
        closed if isinstance(content, Sealed) else value_of(content)
        for content in (body.arguments, body.purpose)
    )
