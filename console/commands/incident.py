"""`anyteam incident`: a report for people, as HTML and Markdown, made from the ledger."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from bus.decider import Recorded
from console.commands.exports import moment
from console.errors import NoSuch
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption
from console.sources import ExportOption, RootOption, source
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.incident.report import Report, report_of
from ledger.incident.writing import as_html, as_markdown
from ledger.parcel import NewFolder
from ledger.replay import verified_entries


def register(app: typer.Typer) -> None:
    """Add this noun's command."""
    app.command(name="incident")(incident_command)


def incident_command(
    out: Annotated[Path, typer.Argument(help="The new folder of the report.")],
    run: Annotated[list[str] | None, typer.Option(help="Only this run; repeat.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Only from this time, UTC.")] = None,
    until: Annotated[str | None, typer.Option(help="Only before this time.")] = None,
    title: Annotated[str, typer.Option(help="Its title.")] = "Incident report",
    export: ExportOption = None,
    root: RootOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Write report.html and report.md, with a timeline picture. Content is left out."""
    start = moment(since, "--from") if since is not None else 0
    end = moment(until, "--until") if until is not None else 2**63
    report = asyncio.run(_report(tuple(run or ()), start, end, title, data, export, root))
    with NewFolder(out) as new:
        new.folder.mkdir(mode=0o700)
        (new.folder / "report.html").write_text(as_html(report), encoding="utf-8")
        (new.folder / "report.md").write_text(as_markdown(report), encoding="utf-8")
        new.place()
    emit(
        {"report": str(out), "events": len(report.moments), "counts": report.counts},
        json,
        f"wrote report.html and report.md on {len(report.moments)} events to {escape(str(out))}",
    )


async def _report(
    runs: tuple[str, ...],
    start: int,
    end: int,
    title: str,
    data: Path,
    export: Path | None,
    root: Path | None,
) -> Report:
    async with source(data, export, root, content=False) as ledger:
        entries = [entry async for entry in ledger.entries()]
        trust = Trust(ledger.workspace, ledger.root_public)
        known = [
            entry
            for entry in verified_entries(entries, trust, NoKeys())
            if isinstance(entry, Recorded)
            and (not runs or entry.event.run in runs)
            and start <= entry.event.at < end
        ]
        if not known:
            raise NoSuch("no entry is of that run and time", fix="see `anyteam runs`")
        return report_of(
            known,
            title=title,
            workspace=ledger.workspace,
            root_public=ledger.root_public,
            total=len(entries),
        )
