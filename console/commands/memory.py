"""`anyteam memory list|show|search|forget`: what the agents remember, why, and an end to it."""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import say
from console.errors import NoSuch
from console.output import JsonFlag, emit
from console.questions import Question, Questions
from console.session import DEFAULT_DATA, DataOption, about_topics, in_no_run, session
from console.stores import need_packages
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

_CLAIMED: Final = "outcome"
_ASKED: Final = ("request", "approval", "decision", "action")
"""The topics that tell of claims, and of questions about them."""

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
    remembered = await _read(data, *_ASKED)
    found = [one for one in remembered.claims.values() if not rep or one.rep == rep]
    held = remembered.quarantined()
    if not found and not held and not json:
        emit({}, json, "nothing is remembered")
    for one in sorted(found, key=lambda claim: claim.index):
        text = f"{one.claim[:14]} {one.trust.value:<9} {escape(one.rep)}: "
        emit(_value(one), json, text + escape(str(one.text)))
    for body in (asked.body for asked in held):
        value = {"quarantined": body.proposal.hex(), "question": body.question}
        text = f"[yellow]quarantine[/] {body.proposal.hex()[:12]} {escape(body.question)}"
        emit(value, json, text)


async def _show(data: Path, prefix: str, json: bool) -> None:
    value = _value(_one((await _read(data)).claims, prefix))
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

    claims = (await _read(data)).claims
    store = VectorStore(vector_folder(folder, settings.workspace), settings.workspace)
    near = await asyncio.to_thread(store.search, words, rep=rep, limit=limit)
    # The ledger says what still stands; the index may be an entry or two behind.
    found = [(claims[one.claim], one.score) for one in near if one.claim in claims]
    if not found and not json:
        emit({}, json, "nothing is remembered that is near to it")
    for one, score in found:
        text = f"{score:.2f} {one.claim[:14]} {one.trust.value:<9} {escape(one.rep)}: "
        emit({**_value(one), "score": score}, json, text + escape(str(one.text)))


async def _forget(data: Path, prefix: str, reason: str, admin: str | None, json: bool) -> None:
    claim = _one((await _read(data)).claims, prefix).claim
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        body = MemoryWithdrawn(claim=claim, reason=reason)
        pen = opened.pen(Role.ADMIN, admin)
        index = await say(opened.client, opened.reader, pen, body, run=None)
        emit({"index": index, "claim": claim}, json, f"forgotten, at index {index}")


class Remembered:
    """The `claims` as the ledger has them, and the questions about others, folded from entries."""

    def __init__(self) -> None:
        self.claims = Claims()
        self._questions = Questions()
        self._retaining: frozenset[str] = frozenset()

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        self.claims = evolve(self.claims, entry)
        self._questions.take(entry)
        if isinstance(entry.event.body, PolicySet):
            tools = entry.event.body.policy.tools
            self._retaining = frozenset(tool.name for tool in tools if tool.memory == "retain")

    def quarantined(self) -> list[Question]:
        """The open questions about a claim."""
        return [one for one in self._questions.open() if one.body.tool in self._retaining]


async def _read(data: Path, *more: str) -> Remembered:
    """What the topics that tell of claims tell, and `more` of them."""
    remembered = Remembered()
    scope = about_topics(_CLAIMED, *more)
    async with session(data, Role.ADMIN, scope=scope, read=False, partial=True) as opened:
        async for entry in opened.reader.past():
            remembered.take(entry)
    return remembered


def _one(claims: Claims, prefix: str) -> Claim:
    """The claim that a prefix names. Raises `NoSuch`."""
    found = [one for name, one in claims.items() if name.startswith(prefix)]
    if len(found) != 1:
        raise NoSuch(f"{len(found)} claims begin with {prefix}", fix="see `anyteam memory list`")
    return found[0]


def _value(one: Claim) -> dict[str, Any]:
    return {**justification(one), "text": one.text, "rep": one.rep}
