"""Who may use the console: grants, signed by an admin, and the addresses that accounts have."""

import json
from pathlib import Path

from bus.folder import DataFolder
from console.author import say
from console.errors import NoSuch, NotUp
from console.session import Session
from console.view.fold import fold_access
from console.view.state import Grant, Workspace
from console.web.store import Store
from schemas.access import AccessGranted, AccessRevoked, AccessRole
from schemas.names import Role


def console_url(folder: DataFolder) -> str:
    """Where the console is. Raises `NotUp` where it is not running."""
    try:
        return str(json.loads(folder.console_file.read_text())["url"])
    except (OSError, ValueError, KeyError) as error:
        raise NotUp(
            "no console is running", fix="add [console] to anyteam.toml, then anyteam up"
        ) from error


def store_file(folder: DataFolder) -> Path:
    """The console's store."""
    return folder.identity(Role.CONSOLE) / "console.sqlite"


async def invite(
    opened: Session,
    store: Store,
    address: str,
    role: AccessRole,
    person: str | None,
    by: str | None,
) -> str:
    """Grant an address a role; its account. Raises `NoSuch`, `BadForm` or `BusError`."""
    who = _person(opened, role, person)
    account = store.account_for(address)
    body = AccessGranted(account=account, role=role, person=who)
    await say(opened.client, opened.reader, opened.pen(Role.ADMIN, by), body, run=None)
    return account


async def revoke(opened: Session, store: Store, address: str, reason: str, by: str | None) -> str:
    """Take an address's access away, at once; its account. Raises `NoSuch` or `BusError`."""
    account = store.account_of(address)
    grant = granted(opened).get(account or "")
    if account is None or grant is None or grant.revoked:
        raise NoSuch(f"{address} has no access", fix="`anyteam console people` lists who has")
    body = AccessRevoked(account=account, reason=reason)
    await say(opened.client, opened.reader, opened.pen(Role.ADMIN, by), body, run=None)
    for row in store.sessions_of(account):
        store.close_session(row.name)
    return account


def granted(opened: Session) -> dict[str, Grant]:
    """Every grant on record."""
    view = Workspace(opened.settings.workspace)
    for entry in opened.past:
        fold_access(view, entry.event)
    return view.grants


def _person(opened: Session, role: AccessRole, person: str | None) -> str | None:
    """Whose key will sign for them: a rep's for a rep, an admin's for who approves."""
    if role is AccessRole.AUDITOR:
        if person is not None:
            raise NoSuch("an auditor signs nothing", fix="leave --person out")
        return None
    of = Role.REP if role is AccessRole.REP else Role.ADMIN
    return opened.pen(of, person).actor.instance
