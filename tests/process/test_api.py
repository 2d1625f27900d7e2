"""The HTTP API on a real installation: tokens, reading, acting, repeating, and its client."""

import asyncio
import base64
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct

import anyteam
from anyteam.client import Client, connect
from bus.folder import DataFolder
from console import tokens
from console.api import shapes
from console.errors import NoSuch
from console.inviting import console_url, store_file
from console.session import session
from console.web.store import Store
from ledger.chain import leaf_of
from ledger.checkpoint import open_checkpoint
from ledger.merkle import check_inclusion
from schemas.access import AccessRole, SessionOpened, TokenIssued, TokenScope
from schemas.actions import ApprovalDecided, ApprovalRequested, Decision
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope
from tests.commands import ROOT, ended, said_by
from tests.faults.installation import ask, is_a, is_end, prepared, until, up
from tests.people import invited, token_of_person

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Place(Struct, frozen=True):
    """An installation that is up, with a token of everybody."""

    folder: DataFolder
    tokens: dict[str, str]

    def connect(self, who: str) -> Any:
        return connect(console_url(self.folder), self.tokens[who], ca=authority(self.folder))


def authority(folder: DataFolder) -> Path:
    return folder.identity(Role.CONSOLE) / "site-ca.crt"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = prepared(tmp_path_factory.mktemp("api"), reps=("ann", "bob"))
    with folder.settings_file.open("a") as file:
        file.write("[console]\napi_per_min = 5000\n")
    async with up(folder):
        held_by = {}
        for name, role, person in (
            ("ann", AccessRole.REP, "ann"),
            ("bob", AccessRole.REP, "bob"),
            ("ada", AccessRole.ADMIN, "ada"),
            ("eva", AccessRole.AUDITOR, None),
        ):
            await invited(folder, f"{name}@acme.example", role, person)
            held_by[name] = await token_of_person(folder, f"{name}@acme.example")
        yield Place(folder, held_by)


async def held(place: Place) -> tuple[str, str]:
    """A run whose first step waits for a person: its name, and the proposal."""
    run = await ask(place.folder, "writer", "files.write", effects=())
    asked = (await until(place.folder, run, is_a(ApprovalRequested)))[-1].event.body
    assert isinstance(asked, ApprovalRequested)
    return run, asked.proposal.hex()


async def waits(client: Client, proposal: str) -> shapes.ApprovalShape:
    """The question, once the console knows of it."""
    async with asyncio.timeout(20):
        while True:
            async for each in client.approvals():
                if each.step.proposal == proposal:
                    return each
            await asyncio.sleep(0.05)


async def bodies(place: Place, kind: type) -> list[Any]:
    async with session(place.folder.root, Role.ADMIN) as opened:
        past = await opened.again().catch_up()
    return [each.event.body for each in past if isinstance(each.event.body, kind)]


async def test_a_rep_asks_for_a_run_and_an_approver_lets_its_proposal_through(
    place: Place,
) -> None:
    secret = await token_of_person(place.folder, "ada@acme.example", (TokenScope.APPROVE,))
    async with (
        place.connect("ann") as ann,
        place.connect("ada") as ada,
        connect(console_url(place.folder), secret, ca=authority(place.folder)) as answering,
    ):
        run = await ann.request("writer", "keep notes", tools=["files.write"])
        asked = (await until(place.folder, run, is_a(ApprovalRequested)))[-1].event.body
        assert isinstance(asked, ApprovalRequested)
        question = await waits(ada, asked.proposal.hex())
        assert question.step.arguments == {"path": "note-0.txt", "content": "note 0"}
        assert question.difference is None, "the run has read nothing"
        assert [each async for each in ada.standing()] == []
        assert [layer.layer for layer in question.step.layers] == list(range(1, 15))
        with pytest.raises(anyteam.Refused, match="answer questions") as refused:
            await ann.approve(question.step.proposal)
        assert (refused.value.status, refused.value.kind) == (403, "not-allowed")
        with pytest.raises(anyteam.Refused, match="see the workspace"):
            await answering.approval(question.step.proposal)
        index = await answering.approve(question.step.proposal, "as agreed")
        with pytest.raises(anyteam.Refused) as late:
            await ada.deny(question.step.proposal)
        assert late.value.status == 409
        me = await answering.me()
        step = (await ada.approval(question.step.proposal)).step
        assert [(one.decision, one.by) for one in step.answers] == [(Decision.APPROVE, "ada")]
        assert (question.step.decided, step.decided) == (None, Decision.APPROVE)
        assert (await ada.entry(index)).type == "approval.decided"
        types = [moment.type async for moment in ann.timeline(run)]
        assert types[:2] == ["run.requested", "lease.granted"]
    decided = [body for body in await bodies(place, ApprovalDecided) if body.note]
    assert [body.note for body in decided] == [f"as agreed [by {me.token}]"]


async def test_a_rep_sees_no_run_of_anothers_and_an_auditor_no_content(place: Place) -> None:
    run, proposal = await held(place)
    async with (
        place.connect("ada") as ada,
        place.connect("bob") as bob,
        place.connect("eva") as eva,
    ):
        await waits(ada, proposal)
        assert [each async for each in bob.runs()] == []
        for refused in (bob.run(run), bob.approval(proposal), bob.run("r-none")):
            with pytest.raises(anyteam.Refused) as none:
                await refused
            assert none.value.status == 404
        step = (await eva.approval(proposal)).step
        assert step.arguments is None and step.purpose is None and step.origins == []
        assert step.withheld == "not shown to your role"
        with pytest.raises(anyteam.Refused, match="halt"):
            await bob.halt(HaltScope.RUN, run)


async def test_a_halt_stops_the_run_says_what_it_stopped_and_is_released_by_its_index(
    place: Place,
) -> None:
    run, proposal = await held(place)
    async with place.connect("ada") as ada:
        await waits(ada, proposal)
        index = await ada.halt(HaltScope.RUN, run, "enough")
        await until(place.folder, run, is_end)
        async with asyncio.timeout(20):
            while (await ada.run(run)).halted_by != index:
                await asyncio.sleep(0.05)
        halt = await anext(ada.halts(in_force=True))
        assert (halt.index, halt.target, halt.after) == (index, run, 0)
        assert [stopped.run for stopped in halt.stopped] == [run]
        await ada.release(index)
        with pytest.raises(anyteam.Refused) as again:
            await ada.release(index)
        assert again.value.status == 409


async def test_a_write_sent_again_with_its_key_is_done_once_and_answered_alike(
    place: Place,
) -> None:
    run, proposal = await held(place)
    async with place.connect("ada") as ada:
        await waits(ada, proposal)
        http = raw(ada)
        wish = {"scope": "run", "target": run, "reason": "once"}
        key = {"idempotency-key": '"0123-once"'}
        first = await http.post("/api/v1/halts", json=wish, headers=key)
        again = await http.post("/api/v1/halts", json=wish, headers=key)
        assert (first.status_code, first.content) == (201, again.content)
        assert again.headers["idempotency-replayed"] == "true"
        other = await http.post("/api/v1/halts", json=wish | {"reason": "two"}, headers=key)
        assert (other.status_code, kind(other)) == (422, "key-reused")
        none = await http.post("/api/v1/halts", json=wish)
        assert (none.status_code, kind(none)) == (400, "key-missing")
        await ada.release(first.json()["index"])
    assert [body.target for body in await bodies(place, HaltEngaged)].count(run) == 1


async def test_every_error_is_a_problem_that_says_what_to_do(place: Place) -> None:
    async with place.connect("ada") as ada:
        http = raw(ada)
        key = {"idempotency-key": "0123-errors"}
        json = {"content-type": "application/json", **key}
        tried = {
            400: await http.get("/api/v1/runs?limit=0"),
            401: await http.get("/api/v1/me", headers={"authorization": "Bearer anyteam_no"}),
            404: await http.get("/api/v1/nowhere"),
            405: await http.delete("/api/v1/halts"),
            413: await http.post("/api/v1/halts", content=b"[" * 70_000, headers=json),
            415: await http.post("/api/v1/halts", content=b"scope=run", headers=key),
            421: await http.get("/api/v1/me", headers={"host": "evil.example"}),
            422: await http.post("/api/v1/halts", json={"scope": "moon"}, headers=key),
        }
        more = [
            (400, await http.get("/api/v1/runs?cursor=abc")),
            (400, await http.get("/api/v1/runs?statee=live")),
            (400, await http.post("/api/v1/halts", content=b"{", headers=json)),
            (401, await http.get("/api/v1/me", headers={"authorization": ""})),
            (404, await http.get("/api/v1/ledger/entries/99999999")),
        ]
        for status, answer in [*tried.items(), *more]:
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status
            assert answer.json()["type"].startswith("urn:anyteam:problem:")
        assert "scope" in tried[422].json()["detail"]
        assert "limit" in tried[400].json()["detail"]
        assert set(tried[405].headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
        assert tried[401].headers["www-authenticate"].startswith("Bearer")


async def test_the_ledger_is_read_to_its_end_and_an_entry_proved_without_trusting_the_api(
    place: Place,
) -> None:
    async with place.connect("eva") as eva:
        entries = [each async for each in eva.entries()]
        assert [each.index for each in entries] == list(range(1, len(entries) + 1))
        later = [each async for each in eva.entries(after=len(entries) - 2)]
        assert [each.index for each in later[:2]] == [len(entries) - 1, len(entries)]
        async with asyncio.timeout(20):
            while (proof := await proved(eva, 5)) is None:
                await asyncio.sleep(0.05)
        sealers = [bytes.fromhex(key) for key in proof.sealers]
        sealed = open_checkpoint(proof.note, "acme", sealers)
        leaf = leaf_of(base64.b64decode(entries[4].body))
        path = [bytes.fromhex(node) for node in proof.path]
        check_inclusion(leaf, 4, sealed.size, path, sealed.root)
        assert (await eva.checkpoint()).size >= sealed.size


async def proved(client: Client, index: int) -> shapes.ProofShape | None:
    """The proof, None while no seal covers the entry."""
    try:
        return await client.proof(index)
    except anyteam.Refused as refused:
        assert refused.status == 404
        return None


async def test_a_page_turned_while_runs_are_added_shows_each_older_run_once(place: Place) -> None:
    older = [await held(place) for _ in range(2)]
    async with place.connect("ada") as ada:
        for _, proposal in older:
            await waits(ada, proposal)
        http = raw(ada)
        before = [each.run async for each in ada.runs()]
        first = (await http.get("/api/v1/runs?limit=1")).json()
        added, proposal = await held(place)
        await waits(ada, proposal)
        rest, cursor = [], first["next"]
        while cursor is not None:
            page = (await http.get(f"/api/v1/runs?limit=1&cursor={cursor}")).json()
            rest += [run["run"] for run in page["items"]]
            cursor = page["next"]
        assert [first["items"][0]["run"], *rest] == before
        assert (await anext(ada.runs())).run == added


async def test_tokens_are_made_listed_and_revoked_by_command_and_are_on_record(
    place: Place,
) -> None:
    folder = place.folder
    made = (await said_by(folder, "tokens", "create", "ada@acme.example", "--scope", "read"))[0]
    async with connect(console_url(folder), made["secret"], ca=authority(folder)) as client:
        async with asyncio.timeout(20):
            while not await is_good(client):
                await asyncio.sleep(0.1)
        assert (await client.me()).scopes == [TokenScope.READ]
        with pytest.raises(anyteam.Refused) as refused:
            await client.halt(HaltScope.WORKSPACE)
        assert refused.value.status == 403
        listed = await said_by(folder, "tokens", "list")
        assert {each["token"]: each["state"] for each in listed}[made["token"]] == "good"
        assert made["secret"] not in str(listed)
        async with place.connect("eva") as eva:
            assert (await anext(eva.tokens())).token == made["token"]
        await said_by(folder, "tokens", "revoke", made["token"])
        async with asyncio.timeout(20):
            while await is_good(client):
                await asyncio.sleep(0.05)
    code, _, err = await ended(folder, "tokens", "revoke", made["token"])
    assert code == 2 and "anyteam tokens list" in err
    issued = [body for body in await bodies(place, TokenIssued) if body.token == made["token"]]
    assert issued[0].digest == hashlib.sha256(made["secret"].encode()).digest()
    used = [body.method for body in await bodies(place, SessionOpened)]
    assert used.count(f"token/{made['token']}") == 1


@pytest.mark.parametrize(
    ("address", "scope", "days", "what"),
    [
        ("eva@acme.example", TokenScope.APPROVE, 1, "--scope approve is nothing that the role"),
        ("no@acme.example", TokenScope.READ, 1, "has no access"),
        ("ada@acme.example", TokenScope.APPROVE, 8, "--days 8 is more"),
        ("ada@acme.example", TokenScope.READ, 366, "--days 366 is more"),
    ],
)
async def test_a_token_that_would_be_worth_nothing_or_too_much_is_not_issued(
    place: Place, address: str, scope: TokenScope, days: int, what: str
) -> None:
    async with session(place.folder.root, Role.ADMIN, content=False) as opened:
        with (
            closing(Store(store_file(place.folder))) as store,
            pytest.raises(NoSuch, match=what) as refused,
        ):
            await tokens.issue(opened, store, address, (scope,), days, "", None)
    assert refused.value.fix


async def test_the_example_of_the_guide_does_what_it_says(place: Place) -> None:
    run, proposal = await held(place)
    async with place.connect("ada") as ada:
        await waits(ada, proposal)
    example = (ROOT / "docs" / "api.md").read_text().partition("```python\n")[2].partition("```")[0]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", example),
        cwd=ROOT,
        env={
            "ANYTEAM_URL": console_url(place.folder),
            "ANYTEAM_TOKEN": place.tokens["ada"],
            "ANYTEAM_CA": str(authority(place.folder)),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert "ann files.write {'content': 'note 0', 'path': 'note-0.txt'}" in out.decode()
    halted = [body.target for body in await bodies(place, HaltEngaged) if "drill" in body.reason]
    assert run in halted


async def is_good(client: Client) -> bool:
    try:
        await client.me()
    except anyteam.Refused as refused:
        assert refused.status in (401, 429)
        return False
    return True


def raw(client: Client) -> httpx.AsyncClient:
    """The HTTP client inside, for what the typed one cannot say."""
    return client._http


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]
