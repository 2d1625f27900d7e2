"""Every operation of the HTTP API by everybody's token: each role with all it may have and with
one scope alone, another rep, one turned out, one whose token expired or was revoked, one of another
workspace, whoever has a browser's cookie, and nobody.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

import httpx
from msgspec import Struct

from bus.folder import DataFolder
from console import inviting, tokens
from console.api.operations import OPERATIONS
from console.api.shapes import PREFIX
from console.author import say
from console.session import session
from console.web.permissions import ROLES, SCOPES
from console.web.sessions import SESSION_COOKIE
from console.web.store import Store
from schemas.access import AccessRole, TokenIssued, TokenScope
from schemas.names import Role
from tests.access.matrix import BY_TOKEN, FOREIGN_BY_TOKEN
from tests.people import token_of_person


class Holder(Struct, frozen=True):
    """Who calls: headers, and what the matrix is asked about. `role` is None for who is nobody."""

    headers: dict[str, str]
    role: AccessRole | None = None
    scopes: frozenset[TokenScope] = frozenset()
    foreign: bool = False


def mail_of(name: str) -> str:
    """The address that a person of the trial has."""
    return f"{name.replace(' ', '-')}@a.example"


async def holders(
    here: DataFolder, there: DataFolder, cookies: Mapping[str, str]
) -> dict[str, Holder]:
    """Everybody, once the console knows of each token. Those turned out have been already."""
    found = {
        "nobody": Holder({}),
        "made up": Holder(_bearer(tokens.PREFIX + "x" * 43)),
        "a cookie": Holder({"cookie": f"{SESSION_COOKIE}={cookies['admin']}"}),
        "other workspace": Holder(_bearer(await token_of_person(there, "eve@b.example"))),
    }
    async with session(here.root, Role.ADMIN, content=False) as opened:
        with closing(Store(inviting.store_file(here))) as store:
            for role in AccessRole:
                own = [scope for scope in TokenScope if SCOPES[scope] & ROLES[role]]
                wanted = {role.value: own, **{f"{role.value} {one.value}": [one] for one in own}}
                for name, scopes in wanted.items():
                    made = await tokens.issue(
                        opened, store, mail_of(role.value), tuple(scopes), 1, name, None
                    )
                    found[name] = Holder(_bearer(made.secret), role, frozenset(scopes))
            every = tuple(found["rep"].scopes)
            made = await tokens.issue(opened, store, mail_of("other rep"), every, 1, "", None)
            found["other rep"] = Holder(
                _bearer(made.secret), AccessRole.REP, frozenset(every), foreign=True
            )
            account = store.account_of(mail_of("admin")) or ""
            expired = tokens.PREFIX + "expired" * 6
            body = TokenIssued(
                account=account,
                token="t-00000000000000ee",
                label="",
                digest=tokens.digest_of(expired),
                scopes=tuple(TokenScope),
                expires=time.time_ns() - 1,
            )
            await say(opened.client, opened.reader, opened.pen(Role.ADMIN, None), body, run=None)
            found["expired"] = Holder(_bearer(expired))
            every = tuple(found["admin"].scopes)
            gone = await tokens.issue(opened, store, mail_of("admin"), every, 1, "", None)
    async with session(here.root, Role.ADMIN, content=False) as opened:
        await tokens.revoke(opened, gone.token, "lost", None)
    found["revoked"] = Holder(_bearer(gone.secret))
    # The last one is good, so the console knows of all before it.
    await token_of_person(here, mail_of("admin"), (TokenScope.READ,))
    return found


async def tried_by_token(
    client: httpx.AsyncClient, everybody: Mapping[str, Holder], names: Mapping[str, str]
) -> tuple[int, list[str], list[str], list[str]]:
    """How many were tried; allowed wrongly; refused wrongly; operations that nobody decided on."""
    tried, wrongly, refused = 0, [], []
    for route in BY_TOKEN:
        for who, holder in everybody.items():
            allowed = _may(holder, route)
            status = await _status(client, holder, route, names, harmless=allowed)
            tried += 1
            # 404 is a word about the thing only from who may ask for it: there is no claim.
            let_in = status not in (401, 403, *(() if route == _CLAIM else (404,)))
            line = f"{who}, by token: {' '.join(route)}: {status}"
            if let_in and not allowed:
                wrongly.append(line)
            if not let_in and allowed:
                refused.append(line)
    offered = {(operation.method, operation.path) for operation in OPERATIONS}
    return tried, wrongly, refused, [f"{m} {p}" for m, p in offered ^ set(BY_TOKEN)]


_CLAIM: Final = ("GET", "/memory/{claim}")


def _may(holder: Holder, route: tuple[str, str]) -> bool:
    roles, scope = BY_TOKEN[route]
    if holder.foreign and route in FOREIGN_BY_TOKEN:
        return False
    return holder.role in roles and (scope is None or scope in holder.scopes)


async def _status(
    client: httpx.AsyncClient,
    holder: Holder,
    route: tuple[str, str],
    names: Mapping[str, str],
    *,
    harmless: bool,
) -> int:
    """The answer's status. What may be done is asked out of form, and so not done."""
    method, path = route
    place = PREFIX + path.replace(":int", "").format(**names)
    headers = dict(holder.headers)
    body: dict[str, Any] | None = None
    if method == "POST":
        headers["idempotency-key"] = f"trial-{time.time_ns()}"
        body = {} if harmless else {"scope": "run", "target": names["run"]}
        if path != "/halts" and not harmless:
            body = {"reason": ""}
        if path.endswith("/decision") and not harmless:
            body = {"decision": "deny"}
        if path.endswith("/release") and harmless:
            body = {"reason": 1}
    answer = await client.request(method, place, json=body, headers=headers)
    return answer.status_code


def _bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}
