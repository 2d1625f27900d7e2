"""`anyteam doctor`: what is right and wrong with an installation, and what to do about it."""

import datetime
import time
from collections.abc import Iterator

import typer
from rich.markup import escape

from bus.folder import DataFolder
from console.doctor import files, live, witnesses
from console.doctor.finding import Finding, State, healthy, tried
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption

_SIGNS = {
    State.OK: "[green]ok[/]     ",
    State.ADVICE: "[yellow]advice[/] ",
    State.FAULT: "[red]fault[/]  ",
    State.SKIPPED: "[dim]skipped[/]",
}


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.command()(doctor)


def doctor(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Look at settings, keys, ways in, dates, disk, processes, ledger and stores; change nothing.

    Exits 1 where something needs mending. Advice alone exits 0.
    """
    found = []
    for finding in _findings(DataFolder(data)):
        found.append(finding)
        text = f"{_SIGNS[finding.state]} {finding.check}: {escape(finding.what)}"
        if finding.fix:
            text += f"\n        [dim]fix:[/] {escape(finding.fix)}"
        emit(finding, json, text)
    if not healthy(found):
        raise typer.Exit(1)


def _findings(folder: DataFolder) -> Iterator[Finding]:
    # Without settings there is nothing to look at: that error ends the command.
    settings = folder.settings()
    now = datetime.datetime.now(datetime.UTC)
    yield from tried("settings", lambda: files.settings_stand(folder, settings))
    yield from tried("packages", lambda: files.packages(settings))
    yield from tried("modes", lambda: files.modes(folder))
    yield from tried("keys", lambda: files.keys_at_rest(folder, settings))
    yield from tried("sign-in", lambda: files.sign_in(folder, settings, now))
    yield from tried("room", lambda: files.room(folder))
    yield from tried("dates", lambda: files.dates(folder, now))
    yield from tried("processes", lambda: live.processes(folder))
    yield from tried("witnesses", lambda: witnesses.read(folder, settings, time.time_ns()))
    if not folder.bus_file.exists():
        return
    yield from tried("ledger", lambda: live.ledger(folder))
    yield from tried("projections", lambda: live.projections(folder, settings))
    yield from tried("webhooks", lambda: live.webhooks(folder, settings))
