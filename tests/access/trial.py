"""Every route tried by everybody: each role, another rep, one turned out, one of another workspace,
and nobody; each with whatever token a form could hold, and on the HTTP API's routes with tokens of
their own (`programs`). What is let through is held against the hand-written matrix, in both
directions: a console that refuses all would pass no trial.
"""

import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from msgspec import Struct

from bus.folder import DataFolder
from console.web.doors import DOORS
from console.web.doors import OPEN as OPEN_DOORS
from console.web.sessions import SESSION_COOKIE, csrf_of
from schemas.access import AccessRole
from schemas.actions import ApprovalRequested
from schemas.names import Role
from tests.access.matrix import ALLOWED, FOREIGN, OPEN
from tests.access.programs import Holder, holders, mail_of, tried_by_token
from tests.faults.installation import ask, is_a, prepared, until, up
from tests.people import Visitor, invited, token_of_person, turned_out

STRANGERS: Final = ("nobody", "turned out", "other workspace", "made up")


class Outcome(Struct, frozen=True):
    """What came of the trial; each line of the lists names who, what, and the answer."""

    tried: int
    allowed_wrongly: list[str]
    refused_wrongly: list[str]
    undecided: list[str]


class Scene(Struct, frozen=True):
    """A running console, the cookies of everybody, and a waiting question of ann's."""

    folder: DataFolder
    origin: str
    cookies: dict[str, str]
    run: str
    proposal: str
    holders: dict[str, Holder]


async def trial() -> Outcome:
    """Try everything."""
    with tempfile.TemporaryDirectory(prefix="anyteam-access-") as home:
        async with _scene(Path(home)) as scene:
            return await _tried(scene)


@asynccontextmanager
async def _scene(home: Path) -> AsyncIterator[Scene]:
    here, there = (_configured(home / name, reps) for name, reps in _HOMES)
    with here.settings_file.open("a") as file:
        file.write("api_per_min = 100000\n")
    async with up(here), up(there):
        cookies = {"nobody": "", "made up": "x" * 43}
        people = [
            (role.value, role, "ann" if role is AccessRole.REP else None) for role in AccessRole
        ]
        people += [
            ("other rep", AccessRole.REP, "bob"),
            ("turned out", AccessRole.ADMIN, None),
        ]
        for name, role, person in people:
            cookies[name] = await _cookie(here, mail_of(name), role, person)
        gone = await token_of_person(here, mail_of("turned out"))
        await turned_out(here, mail_of("turned out"))
        cookies["other workspace"] = await _cookie(there, "eve@b.example", AccessRole.ADMIN, None)
        run = await ask(here, "writer", "files.write", effects=())
        asked = (await until(here, run, is_a(ApprovalRequested)))[-1].event.body
        assert isinstance(asked, ApprovalRequested)
        async with Visitor(here) as visitor:
            visitor.client.cookies.set(SESSION_COOKIE, cookies["admin"], domain="localhost.local")
            # The console follows the ledger at its own pace; the trial begins when it is there.
            while run not in (await visitor.get("/inbox")).text:
                pass
            while "revoked" not in (await visitor.get("/people")).text:
                pass
            origin = visitor.origin
        everybody = await holders(here, there, cookies)
        everybody["turned out"] = Holder({"authorization": f"Bearer {gone}"})
        yield Scene(here, origin, cookies, run, asked.proposal.hex(), everybody)


_HOMES: Final = (("here", ("ann", "bob")), ("there", ("ann",)))


def _configured(home: Path, reps: tuple[str, ...]) -> DataFolder:
    folder = prepared(home, reps=reps)
    with folder.settings_file.open("a") as file:
        file.write("[console]\n")
    return folder


async def _cookie(folder: DataFolder, address: str, role: AccessRole, person: str | None) -> str:
    await invited(folder, address, role, person)
    async with Visitor(folder) as visitor:
        await visitor.sign_in(address)
        return str(visitor.client.cookies[SESSION_COOKIE])


async def _tried(scene: Scene) -> Outcome:
    wrongly: list[str] = []
    refused: list[str] = []
    tried = 0
    routes = [(door.method, door.path) for door in (*DOORS, *OPEN_DOORS)]
    undecided = [f"{m} {p}" for m, p in routes if (m, p) not in ALLOWED.keys() | OPEN]
    authority = scene.folder.identity(Role.CONSOLE) / "site-ca.crt"
    context = ssl.create_default_context(cafile=str(authority))
    # Signing out comes last: it ends what the others are tried with.
    order = sorted(ALLOWED, key=lambda route: route[1] == "/sign-out")
    async with httpx.AsyncClient(base_url=scene.origin, verify=context, timeout=30) as client:
        for method, path in order:
            if method == "POST":
                tried += 1
                own = scene.cookies["admin"]
                if await _status(client, scene, method, path, own, csrf="0" * 64) != 403:
                    wrongly.append(f"admin without the form's token: {method} {path}")
            for who, cookie in scene.cookies.items():
                status = await _status(client, scene, method, path, cookie)
                tried += 1
                let_in = status in (200, 303, 400, 409) and status != _TO_SIGN_IN
                line = f"{who}: {method} {path}: {status}"
                if let_in and not _may(who, (method, path)):
                    wrongly.append(line)
                if not let_in and _may(who, (method, path)):
                    refused.append(line)
        names = {"run": scene.run, "proposal": scene.proposal, "index": "3", "claim": "m-none"}
        by_token = await tried_by_token(client, scene.holders, names)
    return Outcome(
        tried + by_token[0],
        wrongly + by_token[1],
        refused + by_token[2],
        undecided + by_token[3],
    )


_TO_SIGN_IN: Final = 302
"""How `_status` tells a way to the sign-in page from a way on."""


def _may(who: str, route: tuple[str, str]) -> bool:
    if who in STRANGERS:
        return False
    if who == "other rep":
        return AccessRole.REP in ALLOWED[route] and route not in FOREIGN
    return AccessRole(who) in ALLOWED[route]


async def _status(
    client: httpx.AsyncClient,
    scene: Scene,
    method: str,
    path: str,
    cookie: str,
    csrf: str | None = None,
) -> int:
    place = path.replace("{run}", scene.run).replace("{proposal}", scene.proposal)
    place = place.replace("{index:int}", "3")
    headers: dict[str, str] = {"origin": scene.origin}
    if cookie:
        headers["cookie"] = f"{SESSION_COOKIE}={cookie}"
    data: dict[str, Any] | None = None
    if method == "POST":
        # Out of form on purpose where it would change the scene: permission is asked before.
        data = {"csrf": csrf if csrf is not None else csrf_of(cookie), **_FORMS.get(path, {})}
        if path == "/halt":
            data["target"] = scene.run
    async with client.stream(method, place, data=data, headers=headers) as answer:
        if answer.status_code == 303 and answer.headers["location"] == "/sign-in":
            return 303 if path == "/sign-out" and cookie else _TO_SIGN_IN
        return answer.status_code


_FORMS: Final[dict[str, dict[str, str]]] = {
    "/halt": {"scope": "run"},
    "/release": {"scope": "workspace", "target": "", "sure": "yes"},
    "/inbox/{proposal}": {"decision": "perhaps"},
    "/runs": {"agent": "none"},
}
