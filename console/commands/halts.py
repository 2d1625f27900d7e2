"""`anyteam halt` and `release`: the kill switch."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from console.author import say
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, in_no_run, session
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope

Scope = Annotated[HaltScope, typer.Argument(help="What to stop.")]
Target = Annotated[str, typer.Argument(help="The run's, rep's or agent's name.")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who acts.")]


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(halt)
    app.command()(release)


def halt(
    scope: Scope,
    target: Target = "",
    reason: Reason = "halted by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Stop before the next effect: a run, a rep's, an agent's, the workspace, or the platform."""
    _need_target(scope, target)
    body = HaltEngaged(scope=scope, target=target, reason=reason)
    asyncio.run(_say(data, body, admin, json, f"halted {scope.value} {target}".strip()))


def release(
    scope: Scope,
    target: Target = "",
    reason: Reason = "released by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Lift a halt. Runs that it stopped stay stopped."""
    _need_target(scope, target)
    body = HaltReleased(scope=scope, target=target, reason=reason)
    asyncio.run(_say(data, body, admin, json, f"released {scope.value} {target}".strip()))


def _need_target(scope: HaltScope, target: str) -> None:
    if (scope in (HaltScope.WORKSPACE, HaltScope.PLATFORM)) == bool(target):
        raise typer.BadParameter(
            "a workspace or platform halt takes no TARGET, every other needs one",
            param_hint="TARGET",
        )


async def _say(
    data: Path, body: HaltEngaged | HaltReleased, admin: str | None, json: bool, text: str
) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        pen = opened.pen(Role.ADMIN, admin)
        index = await say(opened.client, opened.reader, pen, body, run=None)
        emit({"index": index}, json, f"{text}; on record at index {index}")
