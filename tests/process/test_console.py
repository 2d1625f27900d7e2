"""The console on a real installation: signing in, deciding, stopping, and what is shown of it."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bus.decider import Recorded
from bus.folder import DataFolder
from console.session import session
from ledger.export import ExportReader
from ledger.parcel import SIGNATURE
from ledger.verify import verify
from schemas.access import AccessRole, SessionClosed, SessionOpened, SignInLocked
from schemas.actions import ActionFinished, ApprovalDecided, ApprovalRequested
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, RunHalted, RunRequested
from schemas.sections import BadSettings
from tests.faults.installation import ask, is_a, is_end, prepared, until, up
from tests.people import Mailbox, Visitor, invited, link_in, turned_out


@asynccontextmanager
async def console(home: Path, settings: str = "") -> AsyncIterator[DataFolder]:
    """An installation with a console, up."""
    folder = prepared(home)
    with folder.settings_file.open("a") as file:
        file.write(f"[console]\n{settings}")
    async with up(folder):
        yield folder


async def entries(folder: DataFolder) -> list[Recorded]:
    async with session(folder.root, Role.ADMIN) as opened:
        return await opened.again().catch_up()


async def bodies(folder: DataFolder, kind: type) -> list[Recorded]:
    return [each for each in await entries(folder) if isinstance(each.event.body, kind)]


async def page_with(visitor: Visitor, path: str, text: str) -> httpx.Response:
    """The page, once it says `text`: the console follows the ledger at its own pace."""
    async with asyncio.timeout(20):
        while text not in (page := await visitor.get(path)).text:
            await asyncio.sleep(0.02)
    return page


async def test_a_link_signs_in_once_in_the_browser_that_asked_and_is_on_record(
    tmp_path: Path,
) -> None:
    async with Mailbox() as mailbox:
        mail = f'mail = {{ sender = "trust@acme.example", port = {mailbox.port}, tls = "none" }}\n'
        async with console(tmp_path / "home", mail) as folder:
            account = await invited(folder, "Ada@acme.example", AccessRole.ADMIN)
            async with Visitor(folder) as ada, Visitor(folder) as thief:
                assert (await ada.get("/")).headers["location"] == "/sign-in"
                known = await ada.ask_link("ada@acme.example")
                link = link_in(await mailbox.message())
                unknown = await ada.ask_link("nobody@acme.example")
                assert known.text.replace("ada@", "nobody@") == unknown.text

                assert (await thief.open_link(link)).status_code == 410
                assert (await thief.get("/")).status_code == 303

                before = ada.client.cookies["__Host-browser"]
                assert (await ada.open_link(link)).headers["location"] == "/"
                assert "What the agents do" in (await ada.get("/")).text
                assert ada.client.cookies["__Host-browser"] != before
                assert (await ada.open_link(link)).status_code == 410

                cookie = ada.client.cookies["__Host-session"]
                run = await ask(folder, "writer", "files.write", effects=())
                held = (await until(folder, run, is_a(ApprovalRequested)))[-1].event.body
                assert isinstance(held, ApprovalRequested)
                told = await mailbox.message()
                assert f"/inbox/{held.proposal.hex()}" in told.replace("=\r\n", "")
                assert "note" not in told, "nothing of what the agent wrote"

                left = await ada.send("/", "/sign-out")
                assert left.status_code == 303
                ada.client.cookies.set("__Host-session", cookie, domain="localhost.local")
                assert (await ada.get("/")).headers["location"] == "/sign-in"
            assert mailbox.empty
            opened = [each.event for each in await bodies(folder, SessionOpened)]
            closed = [each.event for each in await bodies(folder, SessionClosed)]
    assert [(event.actor.role, event.body.account) for event in opened] == [(Role.CONSOLE, account)]
    assert closed[0].body.session == opened[0].body.session


async def test_who_is_turned_out_is_out_at_once_and_an_account_under_attack_is_locked(
    tmp_path: Path,
) -> None:
    async with console(tmp_path / "home") as folder:
        await invited(folder, "ada@acme.example", AccessRole.ADMIN)
        await invited(folder, "eve@acme.example", AccessRole.APPROVER)
        async with Visitor(folder) as eve, Visitor(folder) as thief:
            await eve.sign_in("eve@acme.example")
            await turned_out(folder, "eve@acme.example")
            async with asyncio.timeout(20):
                while (await eve.get("/")).status_code != 303:
                    await asyncio.sleep(0.02)

            link = await thief.link_for("ada@acme.example")
            async with Visitor(folder) as other:
                for _ in range(5):
                    assert (await other.open_link(link)).status_code == 410
            assert (await thief.open_link(link)).status_code == 429
            assert len(await bodies(folder, SignInLocked)) == 1


async def test_an_approval_in_the_inbox_lets_exactly_that_proposal_through(tmp_path: Path) -> None:
    async with console(tmp_path / "home") as folder:
        await invited(folder, "ada@acme.example", AccessRole.APPROVER)
        run = await ask(folder, "writer", "files.write", effects=())
        asked = (await until(folder, run, is_a(ApprovalRequested)))[-1].event.body
        assert isinstance(asked, ApprovalRequested)
        where = f"/inbox/{asked.proposal.hex()}"
        async with Visitor(folder) as ada:
            await ada.sign_in("ada@acme.example")
            page = await page_with(ada, where, "Approve exactly this")
            assert "note-0.txt" in page.text
            assert asked.question in page.text.replace("&#39;", "'")
            done = await ada.send(where, where, decision="approve", note="as agreed")
            assert done.headers["location"] == f"/runs/{run}"
            finished = await until(folder, run, is_a(ActionFinished))
            again = await ada.send(where, where, decision="deny")
            assert again.status_code == 409

            def other(entry: Recorded) -> bool:
                body = entry.event.body
                return isinstance(body, ApprovalRequested) and body.proposal != asked.proposal

            later = (await until(folder, run, other))[-1].event.body
            assert isinstance(later, ApprovalRequested)
            next_one = f"/inbox/{later.proposal.hex()}"
            await page_with(ada, next_one, "Ask for the change")
            silent = await ada.send(next_one, next_one, decision="change", change=" ")
            assert silent.status_code == 400
            done = await ada.send(next_one, next_one, decision="change", change="say it shorter")
            assert done.headers["location"] == f"/runs/{run}"
            await page_with(ada, f"/runs/{run}", "say it shorter")
        decided = [each for each in finished if isinstance(each.event.body, ApprovalDecided)]
    assert [each.event.actor.role for each in decided] == [Role.ADMIN]
    assert decided[0].event.body == ApprovalDecided(
        proposal=asked.proposal, decision=decided[0].event.body.decision, note="as agreed"
    )
    assert (folder.root / "files" / "note-0.txt").exists()


async def test_the_kill_switch_asks_once_more_and_what_had_run_is_shown_and_taken_away(
    tmp_path: Path,
) -> None:
    async with console(tmp_path / "home") as folder:
        await invited(folder, "ada@acme.example", AccessRole.ADMIN)
        run = await ask(folder, "writer", "files.write", effects=())
        await until(folder, run, is_a(ApprovalRequested))
        async with Visitor(folder) as ada:
            await ada.sign_in("ada@acme.example")
            await page_with(ada, "/halt", run)
            sure = await ada.send("/halt", "/halt", scope="run", target=run)
            assert "Stop run" in sure.text
            assert await bodies(folder, HaltEngaged) == []
            fields = {"scope": "run", "target": run, "sure": "yes", "reason": "enough"}
            assert (await ada.send("/halt", "/halt", **fields)).status_code == 303
            halted = (await until(folder, run, is_end))[-1].event.body
            assert isinstance(halted, RunHalted)
            page = await page_with(ada, "/halt", "1 run stopped")
            assert "No action began after it" in page.text
            assert (await ada.send("/halt", "/release", **fields)).status_code == 303
            assert (await ada.get("/export/ledger.tar")).status_code == 409
            assert (await ada.send("/export", "/export")).headers["location"] == "/export"
            await page_with(ada, "/export", 'href="/export/ledger.tar"')
            packed = (await ada.get("/export/ledger.tar")).content
        with tarfile.open(fileobj=io.BytesIO(packed)) as parcel:
            parcel.extractall(tmp_path / "taken", filter="data")
        (taken,) = (tmp_path / "taken").iterdir()
        assert verify(ExportReader(taken), folder.root_public()).ok
        assert b'"ada"' in (taken / SIGNATURE).read_bytes()
        engaged, released = await bodies(folder, HaltEngaged), await bodies(folder, HaltReleased)
    assert engaged[0].event.body == HaltEngaged(scope=HaltScope.RUN, target=run, reason="enough")
    assert released[0].event.actor.instance == "ada"


async def test_a_rep_asks_for_a_run_and_sees_no_other_reps(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home", reps=("ann", "bob"))
    with folder.settings_file.open("a") as file:
        file.write("[console]\n")
    async with up(folder):
        await invited(folder, "ann@acme.example", AccessRole.REP, "ann")
        await invited(folder, "bob@acme.example", AccessRole.REP, "bob")
        async with Visitor(folder) as ann, Visitor(folder) as bob:
            await ann.sign_in("ann@acme.example")
            await bob.sign_in("bob@acme.example")
            fields = {
                "summary": "keep notes",
                "agent": "writer",
                "tool": "files.write",
                "effect": "mutation",
                "minutes": "5",
            }
            asked = await ann.send("/runs/new", "/runs", **fields)
            place = asked.headers["location"]
            run = place.rpartition("/")[2]
            await until(folder, run, is_end)
            page = await page_with(ann, place, 'class="label success"')
            assert "note-4.txt" in page.text
            assert (await bob.get(place)).status_code == 404
            assert run not in (await bob.get("/runs")).text
            stop = {"scope": "run", "target": run, "sure": "yes"}
            assert (await bob.send("/halt", "/halt", **stop)).status_code == 403
            stop = {"scope": "workspace", "target": "", "sure": "yes"}
            assert (await ann.send("/halt", "/halt", **stop)).status_code == 403
        requested = await bodies(folder, RunRequested)
    assert [(each.event.actor.instance, each.event.body.rep) for each in requested] == [
        ("ann", "ann")
    ]


async def test_what_comes_from_elsewhere_is_refused_and_every_answer_is_guarded(
    tmp_path: Path,
) -> None:
    async with console(tmp_path / "home") as folder:
        await invited(folder, "ada@acme.example", AccessRole.ADMIN)
        async with Visitor(folder) as ada:
            await ada.sign_in("ada@acme.example")
            halt = {"scope": "workspace", "target": "", "sure": "yes"}
            assert (await ada.send("/halt", "/halt", csrf="0" * 64, **halt)).status_code == 403
            assert (await ada.send("/halt", "/halt", csrf="", **halt)).status_code == 403
            for headers in (
                {"origin": "https://evil.example"},
                {"sec-fetch-site": "cross-site"},
            ):
                forged = await ada.client.post("/halt", data=halt, headers=headers)
                assert forged.status_code == 403
            rebound = await ada.client.get("/", headers={"host": "evil.example"})
            assert rebound.status_code == 421
            large = await ada.client.post("/halt", content=b"x" * 100_000)
            assert large.status_code == 413
            for answer in (await ada.get("/"), await ada.get("/nowhere"), rebound, forged):
                policy = answer.headers["content-security-policy"]
                assert "unsafe" not in policy
                assert policy.startswith("default-src 'none'")
                assert answer.headers["cache-control"] == "no-store"
            for cookie in (await ada.client.get("/sign-in")).headers.get_list("set-cookie"):
                assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie
        assert await bodies(folder, HaltEngaged) == []


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_that_is_none_is_an_error_that_names_the_key(tmp_path: Path, port: int) -> None:
    folder = prepared(tmp_path / "home")
    with folder.settings_file.open("a") as file:
        file.write(f"[console]\nport = {port}\n")
    with pytest.raises(BadSettings, match=r"console\.port"):
        folder.settings()
