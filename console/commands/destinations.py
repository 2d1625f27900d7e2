"""`anyteam destinations list|show|allow`: the allowlist, and who holds its domains."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bus.decider import Recorded
from console.author import say
from console.errors import NoSuch
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, Session, in_no_run, session
from console.timeline import line
from schemas.destinations import DestinationReadmitted, Ownership, domain_of
from schemas.names import Role
from schemas.tools import AllowedDestination
from sidecar.destinations.entries import BadEntry, normal
from sidecar.destinations.fingerprint import fingerprint
from sidecar.destinations.schedule import Standing, judge
from sidecar.destinations.watch import (
    OF_THE_SIDECAR,
    Watch,
    Watched,
    evolve,
    owners_of,
)

Domain = Annotated[str, typer.Argument(help="The domain: partner.example.")]
Fingerprint = Annotated[
    str, typer.Option(help="The beginning of the fingerprint you mean; the one last seen.")
]
Reason = Annotated[str, typer.Option(help="Why; it goes on record.")]
AdminOption = Annotated[str | None, typer.Option("--as", help="The admin who acts.")]

nested = typer.Typer(help="The allowlist and who holds its domains.", no_args_is_help=True)

_STYLES = {Standing.ALIVE: "green", Standing.UNVERIFIED: "yellow"}


def register(app: typer.Typer) -> None:
    """Add this noun's commands."""
    app.add_typer(nested, name="destinations")


@nested.command(name="list")
def list_command(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Every entry of the allowlist and whether it is alive."""
    asyncio.run(_list(data, json))


@nested.command()
def show(domain: Domain, data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """What is on record of one domain: its allowed owner, who was seen, every look."""
    asyncio.run(_show(data, domain, json))


@nested.command()
def allow(
    domain: Domain,
    fingerprint: Fingerprint = "",
    reason: Reason = "admitted by hand",
    admin: AdminOption = None,
    data: DataOption = DEFAULT_DATA,
    json: JsonFlag = False,
) -> None:
    """Admit a blocked domain again, with the owner that was last seen, signed by an admin."""
    asyncio.run(_allow(data, domain, fingerprint, reason, admin, json))


async def _list(data: Path, json: bool) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        watch = watched(opened.past)
        if not watch.entries and not json:
            emit({}, json, "the policy lists no destinations")
        for entry in watch.entries:
            value = standing_of(watch, entry, time.time_ns())
            style = _STYLES.get(value["standing"], "red")
            text = f"[{style}]{value['standing']:<10}[/] {escape(entry.destination)}"
            emit(value, json, f"{text}: {escape(value['reason'])}")


async def _show(data: Path, domain: str, json: bool) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        watch = watched(opened.past)
        name, known = _named(watch, domain)
        blocked = known.entry.changed if known.entry is not None else ""
        looks = [r for r in opened.past if _is_about(r, name)]
        value = {
            "domain": name,
            "blocked": blocked,
            "allowed": _owner(known.entry.owner if known.entry is not None else None),
            "seen": _owner(known.seen),
            "looked_at": known.tried,
            "events": [{"index": r.index, "type": r.event.type, "at": r.event.at} for r in looks],
        }
        text = "\n".join(
            (
                f"[bold]{escape(name)}[/] {escape(blocked)}".rstrip(),
                *_in_words("allowed", known.entry.owner if known.entry is not None else None),
                *_in_words("seen", known.seen),
                *(line(recorded) for recorded in looks),
            )
        )
        emit(value, json, text)


async def _allow(
    data: Path, domain: str, prefix: str, reason: str, admin: str | None, json: bool
) -> None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        index, body = await admit(opened, domain, prefix.lower(), reason, admin)
        emit(
            {"index": index, "domain": body.domain, "fingerprint": body.fingerprint.hex()},
            json,
            f"{body.domain} is admitted with the owner {body.fingerprint.hex()[:12]}, "
            f"on record at index {index}; it is looked up before anything goes there",
        )


async def admit(
    opened: Session, domain: str, prefix: str, reason: str, admin: str | None
) -> tuple[int, DestinationReadmitted]:
    """Sign and publish an admin's word for an owner that was seen. Raises `NoSuch`."""
    watch = watched(opened.past)
    name, known = _named(watch, domain)
    if known.entry is None or not known.entry.changed:
        raise NoSuch(f"{name} is not blocked", fix="see `anyteam destinations list`")
    marks = [fingerprint(owner) for owner in owners_of(known)]
    found = [mark for mark in marks if mark.hex().startswith(prefix)]
    if not found:
        raise NoSuch(
            f"no owner of {name} that was seen has a fingerprint {prefix}",
            fix=f"one of {', '.join(mark.hex()[:12] for mark in marks)}",
        )
    body = DestinationReadmitted(domain=name, fingerprint=found[0], reason=reason)
    pen = opened.pen(Role.ADMIN, admin)
    causes = (known.last,)
    index = await say(opened.client, opened.reader, pen, body, run=None, causes=causes)
    return index, body


def watched(past: Iterable[Recorded]) -> Watch:
    """The watch as the ledger has it."""
    watch = Watch()
    for recorded in past:
        if recorded.event.run is None:
            watch = evolve(watch, recorded)
    return watch


def standing_of(watch: Watch, entry: AllowedDestination, now: int) -> dict[str, Any]:
    """An entry's standing at `now` (ns), as layer 10 would find it."""
    standing, reason, checked = Standing.ALIVE, "its owner is not watched", 0
    if entry.expires and now >= entry.expires:
        standing, reason = Standing.EXPIRED, "its last day is over"
    elif entry.owned:
        known = watch.owned.get(domain_of(entry))
        if known is None:
            standing, reason = Standing.UNVERIFIED, "its owner was not seen yet"
        else:
            found = judge(known, None, now, watch.every_s)
            standing, reason, checked = found.standing, found.reason, known.checked
    return {
        "destination": entry.destination,
        "owned": entry.owned,
        "expires": entry.expires,
        "standing": standing.value,
        "reason": reason,
        "checked": checked,
    }


def _named(watch: Watch, domain: str) -> tuple[str, Watched]:
    """A watched domain, however it is written. Raises `NoSuch`."""
    try:
        name = normal(domain).rpartition("@")[2]
    except BadEntry as error:
        raise NoSuch(f"{domain!r} {error}", fix="name a domain: partner.example") from error
    known = watch.domains.get(name)
    if known is None:
        raise NoSuch(
            f"the owner of {name} is not watched",
            fix=f"one of {', '.join(sorted(watch.domains)) or '(none in the policy)'}",
        )
    return name, known


def _is_about(recorded: Recorded, domain: str) -> bool:
    body = recorded.event.body
    if not isinstance(body, (*OF_THE_SIDECAR, DestinationReadmitted)):
        return False
    named: str = getattr(body, "domain", "") or getattr(body, "destination", "")
    return named.rpartition("@")[2] == domain


def _owner(owner: Ownership | None) -> dict[str, Any] | None:
    return {"fingerprint": fingerprint(owner).hex(), "facts": owner} if owner is not None else None


def _in_words(what: str, owner: Ownership | None) -> tuple[str, ...]:
    if owner is None:
        return ()
    rows = (
        ("name servers", ", ".join(owner.name_servers)),
        ("authority", f"{owner.mname} {owner.rname}"),
        ("mail", ", ".join(owner.mail)),
        ("signers", ", ".join(owner.signers)),
        ("alias", owner.alias),
    )
    return (
        f"{what}: {fingerprint(owner).hex()}",
        *(f"  {name:<13}{escape(said)}" for name, said in rows if said),
    )
