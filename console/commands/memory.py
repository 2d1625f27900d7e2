"""`anyteam memory list|show|search|forget`: what the agents remember, why, and an end to it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import say
from console.commands.approvals import open_questions
from console.errors import NoSuch
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, Session, session
from console.stores import need_packages
from schemas.actions import ApprovalRequested
from schemas.memories import MemoryWithdrawn
from schemas.names import Role
from schemas.runs import PolicySet
from schemas.sections import BadSettings
from sidecar.memory.claims import Claim, Claims, evolve
from sidecar.memory.recalling import justification

ClaimOption = Annotated[str, typer.Argument(help="The claim's identifier, or its beginning.")]
RepOption = Annotated[str, typer.Option(help="Only this rep's claims.")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who acts.")]

nested = typer.Typer(help="What the agents remember.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(nested, name="memory")


@nested.command(name="list")
def list_command(
    rep: RepOption = "", data: DataOption = DEFAULT_DATA, json: JsonFlag = False
) -> None:
    """Every claim, and those in quarantine: held until a person has answered."""
    asyncio.run(_list(data, rep, json))


@nested.command()
def show(claim: ClaimOption, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """One claim with its justification: the run, the proposal, the entries it rests on."""
    asyncio.run(_show(data, claim, json))


@nested.command()
def search(
    words: Annotated[str, typer.Argument(help="What the claims should be about.")],
    rep: RepOption = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100)] = 5,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """The claims nearest to these words by meaning, the nearest first."""
    asyncio.run(_search(data, words, rep, limit, json))


@nested.command()
def forget(
    claim: ClaimOption,
    reason: Reason = "forgotten by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Have a claim recalled no more, signed by an admin. The ledger keeps its sealed text."""
    asyncio.run(_forget(data, claim, reason, admin, json))


async def _list(data: Path, rep: str, json: bool) -> None:
    async with session(data, Role.ADMIN) as opened:
        found = [one for one in claims_of(opened.past).values() if not rep or one.rep == rep]
        held = quarantined(opened)
        if not found and not held and not json:
            emit({}, json, "nothing is remembered")
        for one in sorted(found, key=lambda claim: claim.index):
            text = f"{one.claim[:14]} {one.trust.value:<9} {escape(one.rep)}: "
            emit(_value(one), json, text + escape(str(one.text)))
        for asked in held:
            body = asked.event.body
            assert isinstance(body, ApprovalRequested)
            value = {"quarantined": body.proposal.hex(), "question": body.question}
            text = f"[yellow]quarantine[/] {body.proposal.hex()[:12]} {escape(body.question)}"
            emit(value, json, text)


async def _show(data: Path, prefix: str, json: bool) -> None:
    async with session(data, Role.ADMIN) as opened:
        one = _one(claims_of(opened.past), prefix)
        value = _value(one)
        rows = (f"  {name:<15}{escape(str(said))}" for name, said in value.items())
        emit(value, json, "\n".join(rows))


async def _search(data: Path, words: str, rep: str, limit: int, json: bool) -> None:
    folder = DataFolder(data)
    settings = folder.settings()
    need_packages(settings, wanted=True)
    if settings.projections is None or not settings.projections.vectors:
        raise BadSettings(
            "the index by meaning is off", fix="write vectors = true under [projections]"
        )
    from projections.vectors.folder import vector_folder
    from projections.vectors.store import VectorStore

    async with session(data, Role.ADMIN) as opened:
        store = VectorStore(vector_folder(folder, settings.workspace), settings.workspace)
        near = await asyncio.to_thread(store.search, words, rep=rep, limit=limit)
        claims = claims_of(opened.past)
        # The ledger says what still stands; the index may be an entry or two behind.
        found = [(claims[one.claim], one.score) for one in near if one.claim in claims]
        if not found and not json:
            emit({}, json, "nothing is remembered that is near to it")
        for one, score in found:
            text = f"{score:.2f} {one.claim[:14]} {one.trust.value:<9} {escape(one.rep)}: "
            emit({**_value(one), "score": score}, json, text + escape(str(one.text)))


async def _forget(data: Path, prefix: str, reason: str, admin: str | None, json: bool) -> None:
    async with session(data, Role.ADMIN) as opened:
        one = _one(claims_of(opened.past), prefix)
        body = MemoryWithdrawn(claim=one.claim, reason=reason)
        pen = opened.pen(Role.ADMIN, admin)
        index = await say(opened.client, opened.reader, pen, body, run=None)
        emit({"index": index, "claim": one.claim}, json, f"forgotten, at index {index}")


def claims_of(past: Iterable[Recorded]) -> Claims:
    """The claims as the ledger has them."""
    claims = Claims()
    for recorded in past:
        claims = evolve(claims, recorded)
    return claims


def quarantined(opened: Session) -> list[Recorded]:
    """The open questions about a claim."""
    policies = [r.event.body for r in opened.past if isinstance(r.event.body, PolicySet)]
    tools = policies[-1].policy.tools if policies else ()
    retaining = {tool.name for tool in tools if tool.memory == "retain"}
    return [
        asked
        for asked, _ in open_questions(opened.past)
        if isinstance(asked.event.body, ApprovalRequested) and asked.event.body.tool in retaining
    ]


def _one(claims: Claims, prefix: str) -> Claim:
    """The claim that a prefix names. Raises `NoSuch`."""
    found = [one for name, one in claims.items() if name.startswith(prefix)]
    if len(found) != 1:
        raise NoSuch(f"{len(found)} claims begin with {prefix}", fix="see `anyteam memory list`")
    return found[0]


def _value(one: Claim) -> dict[str, Any]:
    return {**justification(one), "text": one.text, "rep": one.rep}
