"""`anyteam policy`: check the settings' policy, put it in force, and see which one is.

The settings file proposes; only `policy apply`, a `policy watch` that a person started, or a
start makes it the signed policy. Nothing else watches the file.
Running components take the new policy from its event, in the ledger's order, so that every
decision after that index is made, and replayed, under it.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console.author import say
from console.custody import workspace_kms
from console.declaring import policy_of
from console.errors import NoSuch
from console.output import JsonFlag, emit, err
from console.pens import root_pen
from console.policies import Change, Looks, Version, changes, looked, versions
from console.session import DEFAULT_DATA, DataOption, in_no_run, session
from console.standing import unchanged
from schemas.errors import AnyTeamError
from schemas.names import Role
from schemas.runs import PolicySet

app = typer.Typer(no_args_is_help=True, help="The workspace's signed policy.")


def register(parent: typer.Typer) -> None:
    """Add this noun's commands."""
    parent.add_typer(app, name="policy")


@app.command()
def check(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Validate the settings' policy. Nothing is changed, and nothing need be running."""
    policy = policy_of(DataFolder(data).settings(), 1, data)
    found = {"valid": True, "tools": [tool.name for tool in policy.tools]}
    emit(found, json, f"the policy is valid; it lets agents use {len(policy.tools)} tools")


@app.command()
def show(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """The policy in force: version, digest, index, who signed it and when."""
    current = asyncio.run(_versions(data))[-1]
    emit({**_row(current), "policy": current.policy}, json, _line(current))


@app.command()
def history(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Every policy the workspace has had, oldest first."""
    for version in asyncio.run(_versions(data)):
        emit(_row(version), json, _line(version))


@app.command()
def diff(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """What `policy apply` would change."""
    current = asyncio.run(_versions(data))[-1]
    wanted = policy_of(DataFolder(data).settings(), current.policy.version, data)
    _print(changes(current.policy, wanted), json)


@app.command()
def apply(
    data: DataOption = DEFAULT_DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the changes.")] = False,
    json: JsonFlag = False,
) -> None:
    """Sign the settings' policy into the ledger; it counts from its index on, without a restart."""
    asyncio.run(_apply(data, dry_run, json))


@app.command()
def watch(
    data: DataOption = DEFAULT_DATA,
    every: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds from look to look.")
    ] = 2.0,
    json: JsonFlag = False,
) -> None:
    """Apply the settings' policy whenever the file was changed and then stood still for one look.

    What is not valid, or needs a restart, is told on standard error, and the old policy stays.
    """
    asyncio.run(_watch(data, every, json))


async def _watch(data: Path, every: float, json: bool) -> None:
    looks = Looks()
    async for text in _texts(DataFolder(data).settings_file, every):
        looks = looked(looks, text)
        if not looks.settled:
            continue
        try:
            await _apply(data, dry_run=False, json=json)
        except AnyTeamError as error:
            err.print(f"[red]the policy in force stays:[/] {escape(str(error))}")


async def _texts(file: Path, every: float) -> AsyncIterator[bytes | None]:
    """What `file` holds, look after look; None where it cannot be read."""
    while True:
        try:
            yield file.read_bytes()
        except OSError:
            yield None
        await asyncio.sleep(every)


async def _apply(data: Path, dry_run: bool, json: bool) -> None:
    async with session(data, Role.ROOT, scope=in_no_run) as opened:
        if not dry_run:
            unchanged(opened.folder.started_file, opened.settings)
        current = _last(versions(opened.past))[-1].policy
        found = changes(current, policy_of(opened.settings, current.version, data))
        if not json:
            _print(found, json)
        index = None
        version = current.version
        if found and not dry_run:
            version += 1
            body = PolicySet(policy=policy_of(opened.settings, version, data))
            with workspace_kms(opened.folder, opened.settings) as kms:
                pen = root_pen(kms, opened.settings.workspace)
                # One try: a policy that another overtook is compared, and numbered, anew.
                index = await say(opened.client, opened.reader, pen, body, run=None, tries=1)
        done = "nothing is signed" if index is None else f"in force from index {index}"
        emit(
            {"version": version, "index": index, "changes": found},
            json,
            f"policy version {version}; {done}",
        )


async def _versions(data: Path) -> list[Version]:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        return _last(versions(opened.past))


def _last(found: list[Version]) -> list[Version]:
    if not found:
        raise NoSuch("the ledger holds no policy", fix="start it with `anyteam up`")
    return found


def _print(found: list[Change], json: bool) -> None:
    for change in found:
        emit(change, json, escape(f"{change.key}: {change.before} -> {change.after}"))
    if not found and not json:
        emit(None, json, "no changes")


def _row(version: Version) -> dict[str, Any]:
    return {
        "version": version.policy.version,
        "digest": version.digest,
        "index": version.index,
        "by": version.by,
        "at": version.at,
    }


def _line(version: Version) -> str:
    return (
        f"version {version.policy.version}  index {version.index}  "
        f"{version.digest.hex()[:16]}  by {version.by} at {version.at}"
    )
