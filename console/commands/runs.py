"""`anyteam run`, `runs` and `tail`: ask for a run, list runs, watch the ledger."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.consume import CaughtUp
from bus.decider import Recorded
from console.author import new_run_id, say
from console.output import JsonFlag, emit
from console.session import (
    DEFAULT_DATA,
    DataOption,
    Session,
    about_run,
    about_topics,
    everything,
    session,
)
from console.timeline import line
from schemas.leases import Intent, Unanswered
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunOutcome, RunRefused, RunRequested
from schemas.tools import Effect

RunOption = Annotated[str | None, typer.Option("--run", help="Only this run.")]


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(run)
    app.command()(runs)
    app.command()(tail)


def run(
    agent: Annotated[str, typer.Argument(help="The agent, as the settings name it.")],
    intent: Annotated[str, typer.Argument(help="What the run is for, in words.")],
    tool: Annotated[list[str], typer.Option(help="A tool the run may use; repeat.")],
    effect: Annotated[
        list[Effect] | None, typer.Option(help="An effect it may have beside reads; repeat.")
    ] = None,
    to: Annotated[
        list[str] | None, typer.Option(help="An address or @domain it may reach; repeat.")
    ] = None,
    record: Annotated[
        list[str] | None, typer.Option(help="A record it may change; repeat.")
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="All of its effects or none: undo what was done.")
    ] = False,
    unanswered: Annotated[
        Unanswered,
        typer.Option(help="What follows when nobody answers its question in time."),
    ] = Unanswered.GO_ON,
    ttl: Annotated[int, typer.Option(help="Seconds the lease lasts.", min=1)] = 900,
    actions: Annotated[int, typer.Option(help="Actions the lease allows.", min=1)] = 50,
    rep: Annotated[str | None, typer.Option("--as", help="The rep who asks.")] = None,
    wait: Annotated[bool, typer.Option(help="Watch it to its end.")] = True,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Ask for a run, signed with the rep's own key; exits 0 only if it ends in success."""
    wish = Intent(
        summary=intent,
        effects=tuple(effect or ()),
        destinations=tuple(to or ()),
        objects=tuple(record or ()),
        together=together,
        unanswered=unanswered,
    )
    code = asyncio.run(_run(data, agent, wish, tuple(tool), ttl, actions, rep, wait, json))
    raise typer.Exit(code)


async def _run(
    data: Path,
    agent: str,
    intent: Intent,
    tools: tuple[str, ...],
    ttl: int,
    actions: int,
    rep: str | None,
    wait: bool,
    json: bool,
) -> int:
    name = new_run_id(time.time_ns())
    async with session(data, Role.REP, scope=about_run(name)) as opened:
        await request_run(opened, agent, intent, tools, ttl, actions, rep, name=name)
        emit({"run": name}, json, f"run {name} requested")
        if not wait:
            return 0
        return await watch(opened, name, json)


async def request_run(
    opened: Session,
    agent: str,
    intent: Intent,
    tools: tuple[str, ...],
    ttl: int,
    actions: int,
    rep: str | None,
    *,
    name: str = "",
) -> str:
    """Sign and publish a run request; the run's name, a new one where none is given."""
    pen = opened.pen(Role.REP, rep)
    name = name or new_run_id(time.time_ns())
    body = RunRequested(
        rep=pen.actor.instance,
        agent=agent,
        intent=intent,
        tools=tools,
        ttl_s=ttl,
        max_actions=actions,
    )
    await say(opened.client, opened.reader, pen, body, run=name)
    return name


async def watch(opened: Session, name: str, json: bool) -> int:
    """Print a run's events until it ends; 0 where it ends in success, 1 otherwise."""
    async for item in opened.again(about_run(name)).follow():
        if isinstance(item, CaughtUp) or item.event.run != name:
            continue
        show(item, json)
        body = item.event.body
        if isinstance(body, RunCompleted):
            return 0 if body.outcome is RunOutcome.SUCCESS else 1
        if isinstance(body, RunHalted | RunRefused):
            return 1
    return 1


def runs(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """List runs with how they ended."""
    asyncio.run(_runs(data, json))


async def _runs(data: Path, json: bool) -> None:
    asked: dict[str, RunRequested] = {}
    ended: dict[str, str] = {}
    standing: dict[str, tuple[bytes, ...]] = {}
    scope = about_topics("request", "run")
    async with session(data, Role.REP, scope=scope, read=False, partial=True) as opened:
        async for recorded in opened.reader.past():
            name, body = recorded.event.run, recorded.event.body
            if name is not None and isinstance(body, RunRequested):
                asked.setdefault(name, body)
            elif name is not None and isinstance(body, RunCompleted):
                ended[name] = body.outcome.value
            elif name is not None and isinstance(body, RunHalted | RunRefused):
                ended[name] = recorded.event.type.partition(".")[2]
            if name is not None and isinstance(body, RunCompleted | RunHalted):
                standing[name] = body.standing
        for name, wish in asked.items():
            state = ended.get(name, "live")
            left = [action.hex() for action in standing.get(name, ())]
            value = {
                "run": name,
                "rep": wish.rep,
                "agent": wish.agent,
                "state": state,
                "standing": left,
            }
            words = f"{name}  {wish.rep:<12} {wish.agent:<14} {state:<9}"
            stands = f"\n    [red]not undone, look at them:[/] {' '.join(a[:12] for a in left)}"
            emit(value, json, f"{words} {escape(wish.intent.summary)}{stands if left else ''}")


def tail(
    run: RunOption = None,
    follow: Annotated[bool, typer.Option(help="Go on with what comes.")] = True,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """The ledger as a timeline, live."""
    asyncio.run(_tail(data, run, follow, json))


async def _tail(data: Path, run: str | None, follow: bool, json: bool) -> None:
    scope = everything if run is None else about_run(run)
    async with session(data, Role.REP, scope=scope, read=False) as opened:
        async for item in opened.reader.follow():
            if isinstance(item, CaughtUp):
                if not follow:
                    return
            elif run is None or item.event.run == run:
                show(item, json)


def show(recorded: Recorded, json: bool) -> None:
    """One event, as a line or as JSON."""
    event = recorded.event
    value = {
        "index": recorded.index,
        "digest": recorded.digest,
        "type": event.type,
        "run": event.run,
        "actor": f"{event.actor.role.value}/{event.actor.instance}",
        "at": event.at,
        "body": event.body,
    }
    emit(value, json, line(recorded))
