"""The console of the benchmark `console`, in a process of its own: `python -m bench.browsed`.

`EVENTS RUNS`: tells a ledger of that size on a real bus, and serves the console's own application
over it, and a bare page beside it. Says where as a line of JSON, and serves until its standard
input ends.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bench.house import Bus, bare_bus
from bus.client import Client
from bus.connection import connect
from bus.eventloop import quiet_tls_close
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from bus.roles import seals_subject
from bus.tls import client_context
from console import tokens
from console.api.answers import Answers
from console.api.bearers import Bearers
from console.api.serving import api
from console.api.shapes import PREFIX
from console.web.app import application
from console.web.desk import Desk
from console.web.exporting import Exports
from console.web.feed import Feed
from console.web.here import Here
from console.web.mail import Post
from console.web.oidc import Providers
from console.web.saml.providers import SamlProviders
from console.web.serving import listening, serve
from console.web.sessions import Limits, Sessions
from console.web.store import Store
from crypto.keyfile import write_public
from crypto.sealing import NoKeys, WorkspaceKeys
from crypto.signing import Signer
from crypto.trust import Trust
from ledger.export import ExportedEntry
from schemas.access import AccessGranted, AccessRole, TokenIssued, TokenScope
from schemas.content import plain
from schemas.events import AnyBody
from schemas.memories import MemoryRetained, Support
from schemas.names import Classification, Role
from schemas.patterns import Response as Reaction
from schemas.runs import HaltScope, KeyCertified
from schemas.settings import PolicySettings, Settings
from schemas.supervision import SupervisorFlagged
from schemas.tools import Trust as SourceTrust
from schemas.webconsole import ConsoleSettings
from tests.stories import RunStory, Said, Story

WORKSPACE: Final = "floor"
ADDRESS: Final = "ada@acme.example"
SECRET: Final = tokens.PREFIX + "of-a-benchmark-whose-ledger-ends-with-it"
WAITING: Final = 40
"""Runs that wait for a person; those before them have ended."""

_IN_FLIGHT: Final = 256
_BATCH: Final = 5_000
_EVENTS_AN_ACTION: Final = 5
_EVENTS_A_RUN: Final = 7
_RUNS_A_FLAG: Final = 10


class _Told:
    """A story's entries until they are on the bus; not kept any longer."""

    def __init__(self) -> None:
        self.fresh: list[ExportedEntry] = []
        self._count = 0

    def append(self, entry: ExportedEntry) -> None:
        self._count += 1
        self.fresh.append(entry)

    def __len__(self) -> int:
        return self._count


class _Tale:
    """The ledger of `runs` runs with `events` events in all, told run by run."""

    def __init__(self, account: str, events: int, runs: int) -> None:
        self.story = Story(WORKSPACE)
        self.told = _Told()
        self.story.entries = cast(list[ExportedEntry], self.told)
        self.account, self.runs = account, runs
        self.actions = max(1, (events // runs - _EVENTS_A_RUN) // _EVENTS_AN_ACTION)
        self.question: Said | None = None

    def tell(self) -> Iterator[list[ExportedEntry]]:
        """Batches of entries."""
        self.story.found()
        grant = AccessGranted(account=self.account, role=AccessRole.ADMIN, person="ada")
        self.story.say("ada", grant)
        self.story.say("ada", _issued(self.account))
        self.story.author("supervisor", Role.SUPERVISOR)
        certificate = self.story.certificate("supervisor")
        self.story.say("root", KeyCertified(certificate=certificate))
        for number in range(self.runs):
            self.story.forget(self._run(number))
            if len(self.told.fresh) >= _BATCH:
                yield self._batch()
        self.story.seal()
        yield self._batch()

    def _run(self, number: int) -> RunStory:
        run = self.story.begin(f"r-{number}")
        done = [run.act() for _ in range(self.actions)]
        run.say("sidecar", _claim(number, done[-1].digest), done[-1])
        if number % _RUNS_A_FLAG == 0:
            self.story.say("supervisor", _flag(f"r-{number}", done[-1].digest))
        if number < self.runs - WAITING:
            run.claim()
            run.complete(*done)
        else:
            self.question = run.propose("pay")
            run.give(self.question)
            run.ask(self.question)
        return run

    def _batch(self) -> list[ExportedEntry]:
        batch, self.told.fresh = self.told.fresh, []
        return batch


def _claim(number: int, proposal: bytes) -> MemoryRetained:
    return MemoryRetained(
        claim=f"m-{number:024x}",
        text=plain(f"account {number} wants its invoices by post"),
        rep="ann",
        agent="follow-up",
        proposal=proposal,
        trust=SourceTrust.TRUSTED,
        sensitivity=Classification.INTERNAL,
        support=(Support(entry=proposal, words=4),),
    )


def _flag(run: str, evidence: bytes) -> SupervisorFlagged:
    return SupervisorFlagged(
        pattern="read-then-send",
        response=Reaction.FLAG,
        scope=HaltScope.RUN,
        target=run,
        evidence=(evidence,),
        reason="read much, and then sent",
    )


def _issued(account: str) -> TokenIssued:
    return TokenIssued(
        account=account,
        token="t-0123456789abcdef",  # noqa: S106 - its name
        label="bench",
        digest=tokens.digest_of(SECRET),
        scopes=tuple(TokenScope),
        expires=2**62,
    )


async def run(events: int, runs: int) -> None:
    """Serve until standard input ends."""
    quiet_tls_close()
    ended = await stdin_reader()
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        folder = DataFolder(Path(home))
        async with bare_bus() as bus:
            store = Store(folder.root / "console.sqlite")
            tale = _Tale(store.account_for(ADDRESS), events, runs)
            await _publish(bus, tale)
            await _serve(bus, folder, store, tale, ended)


async def _publish(bus: Bus, tale: _Tale) -> None:
    client = await connect(bus.server.url, bus.writer(), client_context(bus.tls), name="teller")
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def one(subject: str, body: bytes) -> None:
        async with room:
            answer = json.loads((await client.request(subject, body, timeout=60)).data)
            assert "error" not in answer, answer

    for batch in tale.tell():
        # One author after the other: the order in the stream is the order of the tale.
        await asyncio.gather(*(one(entry.subject, entry.body) for entry in batch))
    await one(seals_subject(WORKSPACE), tale.story.seals[-1].encode())
    await client.close()


async def _serve(
    bus: Bus, folder: DataFolder, store: Store, tale: _Tale, ended: asyncio.StreamReader
) -> None:
    client = await connect(
        bus.server.url, bus.user(Role.CONSOLE, "console"), client_context(bus.tls), name="console"
    )
    root = tale.story.signers["root"].public
    write_public(folder.root_public_file, root)
    keys = WorkspaceKeys(tale.story.ring)
    feed = Feed(client, Trust(WORKSPACE, root), keys, folder.root / "read", bytes(32))
    sock = listening(ConsoleSettings(), folder.root / "port")
    origin = f"https://localhost:{sock.getsockname()[1]}"
    here = _here(folder, store, client, feed, keys, origin)
    ready, began = asyncio.Event(), time.perf_counter()
    work: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(feed.run(ready.set)),
        asyncio.ensure_future(feed.run_seals()),
    ]
    await ready.wait()
    start_s = time.perf_counter() - began
    assert not feed.view.rejected, "the ledger came out of order"
    answers = Answers(folder.root / "api.sqlite")
    app = application(here, api(here, Bearers(feed.view, _unrecorded, 1_000_000), answers))
    app.router.routes.append(Route("/bare", _bare))
    work.append(
        asyncio.ensure_future(
            serve(cast(Starlette, app), sock, ConsoleSettings(), folder.root, folder.root / "tls")
        )
    )
    print(json.dumps(await _where(here, tale, origin, start_s)), flush=True)
    await ended.read()
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    store.close()
    answers.close()
    await client.close()


async def _unrecorded(body: AnyBody) -> None:
    """The sign-in of the benchmark itself is on no ledger."""


def _here(
    folder: DataFolder,
    store: Store,
    client: Client,
    feed: Feed,
    keys: WorkspaceKeys,
    origin: str,
) -> Here:
    return Here(
        folder=folder,
        settings=Settings(
            workspace=WORKSPACE,
            reps=("ann",),
            admins=("ada",),
            policy=PolicySettings(tools=("crm.update", "pay")),
        ),
        origin=origin,
        client=client,
        feed=feed,
        desk=Desk(client, feed, folder, Signer.generate(), NoKeys()),
        sessions=Sessions(store, feed.view, _unrecorded, Limits(lives_s=36_000, idle_s=36_000)),
        post=Post(None, folder.root),
        providers=Providers({}, folder.root, origin),
        saml=SamlProviders({}, folder.root, origin),
        keys=keys,
        sealed="",
        exports=Exports(folder, folder.root / "exports"),
    )


async def _where(here: Here, tale: _Tale, origin: str, start_s: float) -> dict[str, Any]:
    assert tale.question is not None
    size = here.feed.index
    middle = size // 2
    return {
        "url": origin,
        "cookie": await here.sessions.open(tale.account, "link"),
        "token": SECRET,
        "events": size,
        "runs": len(here.view.runs),
        "start_s": start_s,
        "pages": {
            "overview": "/",
            "runs": "/runs",
            "runs of one state": "/runs?state=success&from=5000",
            "runs by words": "/runs?q=deal",
            "run": f"/runs/r-{tale.runs // 2}",
            "inbox": "/inbox",
            "question": f"/inbox/{tale.question.digest.hex()}",
            "halt": "/halt",
            "destinations": "/destinations",
            "memory": "/memory",
            "flags": "/flags",
            "webhooks": "/webhooks",
            "ledger": "/ledger",
            "ledger, in the middle": f"/ledger?to={middle}",
            "entry": f"/ledger/{middle}",
            "proof": f"/ledger/{middle}/proof",
            "people": "/people",
            "leases": "/leases",
            "passkeys": "/passkeys",
            "export": "/export",
            "API: runs": f"{PREFIX}/runs",
            "API: runs by words": f"{PREFIX}/runs?q=deal&limit=200",
            "API: run": f"{PREFIX}/runs/r-{tale.runs // 2}",
            "API: memory": f"{PREFIX}/memory",
            "API: flags": f"{PREFIX}/flags",
            "API: approval": f"{PREFIX}/approvals/{tale.question.digest.hex()}",
            "API: approvals": f"{PREFIX}/approvals",
            "API: overview": f"{PREFIX}/overview",
            "API: entries": f"{PREFIX}/ledger/entries?after={middle}",
            "API: proof": f"{PREFIX}/ledger/entries/{middle}/proof",
        },
    }


async def _bare(request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>bare</title><p>nothing in it")


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), int(sys.argv[2])))
