"""Tokens of the HTTP API: issued and revoked by an admin's signed word, kept by nobody.

The ledger holds a token's SHA-256 with its account, scopes and end, so that the console, which
reads them there, can widen none, and a stolen file opens nothing. A token that may answer
questions lives for days only: it stands for a person who is not looking.
"""

import hashlib
import secrets
import time
from typing import Final

from msgspec import Struct

from console.author import say
from console.errors import NoSuch
from console.session import Session
from console.view.fold import fold_access
from console.view.state import Token, Workspace
from console.web.permissions import ROLES, SCOPES
from console.web.store import Store
from schemas.access import TokenIssued, TokenRevoked, TokenScope
from schemas.names import SECOND, Role

PREFIX: Final = "anyteam_"
"""So that a scanner for leaked secrets knows one when it sees it."""

DAY: Final = 86_400 * SECOND
MOST_DAYS: Final = 365
MOST_DAYS_APPROVING: Final = 7


class Issued(Struct, frozen=True):
    """A fresh token. `secret` is told once; `expires` is ns since the epoch."""

    secret: str
    token: str
    account: str
    expires: int


def digest_of(secret: str) -> bytes:
    """What the ledger knows of a token. SHA-256 alone: there are 256 bits to guess."""
    return hashlib.sha256(secret.encode()).digest()


async def issue(
    opened: Session,
    store: Store,
    address: str,
    scopes: tuple[TokenScope, ...],
    days: int,
    label: str,
    by: str | None,
) -> Issued:
    """Issue a token for an address that has access. Raises `NoSuch` or `BusError`."""
    view = access_of(opened)
    account = store.account_of(address)
    grant = view.grants.get(account or "")
    if account is None or grant is None or grant.revoked:
        raise NoSuch(f"{address} has no access", fix="anyteam console invite, first")
    for scope in scopes:
        if not SCOPES[scope] & ROLES[grant.role]:
            raise NoSuch(
                f"--scope {scope.value} is nothing that the role {grant.role.value} may do",
                fix="leave it out, or choose somebody of another role",
            )
    most = MOST_DAYS_APPROVING if TokenScope.APPROVE in scopes else MOST_DAYS
    if days > most:
        raise NoSuch(
            f"--days {days} is more than a token of these scopes may last",
            fix=f"give at most {most}; one with --scope approve lasts {MOST_DAYS_APPROVING}",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    name, expires = f"t-{secrets.token_hex(8)}", time.time_ns() + days * DAY
    body = TokenIssued(
        account=account,
        token=name,
        label=label,
        digest=digest_of(secret),
        scopes=tuple(sorted(set(scopes), key=list(TokenScope).index)),
        expires=expires,
    )
    await say(opened.client, opened.reader, opened.pen(Role.ADMIN, by), body, run=None)
    return Issued(secret, name, account, expires)


async def revoke(opened: Session, name: str, reason: str, by: str | None) -> None:
    """Have a token open nothing more. Raises `NoSuch` or `BusError`."""
    found = [token for token in access_of(opened).tokens.values() if token.body.token == name]
    if not found or found[0].revoked:
        raise NoSuch(f"no token {name} is in force", fix="`anyteam tokens list` lists them")
    body = TokenRevoked(token=name, reason=reason)
    await say(opened.client, opened.reader, opened.pen(Role.ADMIN, by), body, run=None)


def access_of(opened: Session) -> Workspace:
    """Grants and tokens on record, and nothing else."""
    view = Workspace(opened.settings.workspace)
    for entry in opened.past:
        fold_access(view, entry.event)
    return view


def standing(token: Token, now: int) -> str:
    """In one word or sentence, how a token stands at `now` (ns): empty where it is good."""
    if token.revoked:
        return f"revoked: {token.revoked}"
    return "expired" if now >= token.body.expires else ""
