"""`anyteam erase`: what the ledger holds of a person becomes unreadable, and every chain verifies.

The admin's word comes first, on the ledger: whoever has a copy removes it. Then the keys of the
fields it names are destroyed. What a crash leaves undone between the two is done by the next call.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bus.folder import DataFolder
from console.author import say
from console.custody import workspace_kms
from console.erasing import Found, Search, Staying, Words, erased_by
from console.errors import NoSuch, StillUnderWay
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, Session, session
from crypto.errors import KeyFileError
from crypto.keyring import Keyring, puncture
from crypto.kms import change_keyring, load_keyring
from crypto.sealing import WorkspaceKeys
from schemas.erasure import MAX_FIELDS, ContentErased, ContentField
from schemas.names import Role
from schemas.settings import Settings

WordsArgument = Annotated[
    list[str], typer.Argument(help="What names the person: mailbox, name, telephone number.")
]
WholeRuns = Annotated[
    bool, typer.Option("--whole-runs", help="All content of every run that speaks of them.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would go, and stop.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Reason = Annotated[str, typer.Option(help="Why; it goes on record, so name nobody.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who acts.")]


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(erase)


def erase(
    words: WordsArgument,
    whole_runs: WholeRuns = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Reason = "a person's request to be erased",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Destroy the keys of all content that speaks of a person, in the ledger and every export.

    There is no way back. The signed events stay, and every chain and seal still verifies. Backups
    of the folder vault/ open what was erased until their version of the wrapping key is gone:
    see `anyteam key rewrap`.
    """
    if any(not word.strip() for word in words):
        raise typer.BadParameter("a word is empty", param_hint="WORDS")
    if Words(words).name(reason):
        raise typer.BadParameter("it names the person, and it stays on record", param_hint="reason")
    asyncio.run(_erase(data, words, whole_runs, dry_run, yes, reason, admin, json))


async def _erase(
    data: Path,
    words: list[str],
    whole_runs: bool,
    dry_run: bool,
    yes: bool,
    reason: str,
    admin: str | None,
    json: bool,
) -> None:
    folder = DataFolder(data)
    settings = folder.settings()
    ring = _ring(folder, settings)
    async with session(data, Role.ADMIN, read=False) as opened:
        pen = opened.pen(Role.ADMIN, admin)
        found, erased, live = await _search(opened, words, whole_runs)
        owed = _openable(ring, erased)
        if not found.fields and not owed:
            _report(found, json, erased=0)
            raise NoSuch("no content speaks of them", fix="try other words: a mailbox, a name")
        _need_ended(live, (*found.fields, *owed))
        if dry_run:
            _report(found, json, erased=0)
            return
        if not yes:
            _report(found, False, erased=0)
            typer.confirm("erase it for ever?", abort=True, err=True)
        for start in range(0, len(found.fields), MAX_FIELDS):
            fields = found.fields[start : start + MAX_FIELDS]
            body = ContentErased(fields=fields, reason=reason)
            await say(opened.client, opened.reader, pen, body, run=None)
        gone = (*found.fields, *owed)
        staying = Staying(gone)
        async for entry in opened.again().past():
            staying.take(entry)
    others = staying.fields()
    with workspace_kms(folder, settings) as kms:
        path = folder.keyring_file(settings.workspace)
        ring = change_keyring(
            kms, path, settings.workspace, lambda now: puncture(now, gone, others)
        )
    if left := _openable(ring, gone):
        raise KeyFileError(
            f"{len(left)} keys are still in {path}",
            fix="nothing else was changed; erase once more",
        )
    _report(found, json, erased=len(gone))


async def _search(
    opened: Session, words: list[str], whole_runs: bool
) -> tuple[Found, set[ContentField], frozenset[str]]:
    """What speaks of them, what was erased before, and the runs that go on. The ledger is read as
    often as the search wants it, and not kept.
    """
    from sidecar.decider import SidecarDecider

    search = Search(words, whole_runs=whole_runs)
    decider = SidecarDecider()
    state = decider.initial(opened.settings.workspace)
    erased = set[ContentField]()
    search.begin()
    async for entry in opened.reader.past():
        search.take(entry)
        erased.update(erased_by(entry))
        state = decider.evolve(state, entry)
    while search.begin():
        async for entry in opened.again().past():
            search.take(entry)
    return search.found(), erased, frozenset(state.runs)


def _ring(folder: DataFolder, settings: Settings) -> Keyring:
    with workspace_kms(folder, settings) as kms:
        return load_keyring(kms, folder.keyring_file(settings.workspace), settings.workspace)


def _openable(ring: Keyring, fields: Iterable[ContentField]) -> tuple[ContentField, ...]:
    """Those of `fields` whose key the ring still gives."""
    keys = WorkspaceKeys(ring)
    return tuple(sorted(field for field in fields if keys.field_key(field) is not None))


def _need_ended(live: frozenset[str], fields: Iterable[ContentField]) -> None:
    """Raises `StillUnderWay` where one belongs to a run that goes on."""
    under_way = sorted({field.run for field in fields} & live)
    if under_way:
        raise StillUnderWay(
            f"content of {', '.join(under_way)} would go, and that run goes on",
            fix=f"wait for its end, or `anyteam halt run {under_way[0]}`",
        )


def _report(found: Found, json: bool, *, erased: int) -> None:
    runs = Counter(field.run for field in found.fields)
    lines = [f"{count} fields of {run}" for run, count in sorted(runs.items())]
    lines += [f"stays: entry {m.index} {m.type}, {m.field}, is no content" for m in found.clear]
    done = f"{erased} fields can be opened by nobody any more" if erased else "nothing was erased"
    value = {"erased": erased, "fields": found.fields, "clear": found.clear}
    emit(value, json, "\n".join((*lines, done)))
