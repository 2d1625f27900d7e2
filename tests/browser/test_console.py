"""The console in a real browser: what a script, a phone and an assistive reader make of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from oidc_provider_mock import User, run_server_in_thread

from bus.folder import DataFolder
from console import inviting
from console.commands.approvals import answer
from console.errors import NeedsConsole
from console.session import session
from crypto.keyfile import write_secret
from ledger.export import ExportReader
from ledger.verify import verify
from schemas.access import AccessRole
from schemas.actions import ActionFinished, ApprovalDecided, ApprovalRequested, Decision
from schemas.names import Role
from schemas.runs import RunHalted
from tests.browser.chromium import (
    LAPTOP,
    PHONE,
    authenticator,
    chromium,
    enrol,
    missing,
    sign_in,
)
from tests.commands import ended
from tests.faults.installation import ask, is_a, is_end, prepared, until, up
from tests.people import Mailbox, invited
from tests.saml_provider import PASSWORD, metadata_of, saml_provider

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there is a browser")

ADDRESS = "ada@acme.example"
PATHS = (
    "/",
    "/inbox",
    "/runs",
    "/halt",
    "/destinations",
    "/flags",
    "/memory",
    "/ledger",
    "/people",
    "/passkeys",
    "/leases",
    "/export",
    "/webhooks",
)


class Scene(Struct, frozen=True):
    """A console, a browser that is signed in there as an admin, and a run that waits."""

    folder: DataFolder
    origin: str
    page: Any
    run: str
    proposal: str
    heard: list[str]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Mailbox() as mailbox, chromium() as browser:
        folder = prepared(tmp_path / "home")
        with folder.settings_file.open("a") as file:
            mail = f'sender = "trust@acme.example", port = {mailbox.port}, tls = "none"'
            file.write(f"[console]\nmail = {{ {mail} }}\n")
        # In the browser, approving is by passkey; without one it is tried without a browser.
        text = folder.settings_file.read_text()
        folder.settings_file.write_text(
            text.replace("[policy]\n", '[policy]\npasskey = ["files.write"]\n')
        )
        async with up(folder):
            await invited(folder, ADDRESS, AccessRole.ADMIN)
            run = await ask(folder, "writer", "files.write", effects=())
            asked = (await until(folder, run, is_a(ApprovalRequested)))[-1].event.body
            assert isinstance(asked, ApprovalRequested)
            context = await browser.new_context(ignore_https_errors=True, viewport=LAPTOP)
            page = await context.new_page()
            heard: list[str] = []
            page.on("console", lambda said: heard.append(said.text))
            page.on("pageerror", lambda error: heard.append(str(error)))
            origin = inviting.console_url(folder)
            await sign_in(page, origin, ADDRESS, mailbox.link)
            yield Scene(folder, origin, page, run, asked.proposal.hex(), heard)


async def test_a_passkey_is_enrolled_admitted_and_signs_the_approval_that_acts(
    scene: Scene,
) -> None:
    page = scene.page
    await authenticator(page)
    await page.goto(f"{scene.origin}/inbox/{scene.proposal}")
    await page.get_by_text("none of yours is admitted").wait_for()
    await enrol(page, scene.folder, "laptop")
    with pytest.raises(NeedsConsole):
        async with session(scene.folder.root, Role.ADMIN) as opened:
            await answer(opened, scene.proposal, Decision.APPROVE, "", None)
    await page.goto(f"{scene.origin}/inbox")
    await page.locator("[data-state=live]").wait_for()
    await page.locator(".step h2 a").click()
    await page.get_by_label("A note, for the record").fill("as agreed")
    await page.get_by_role("button", name="Approve with your passkey").click()
    await page.wait_for_url(f"{scene.origin}/runs/{scene.run}")
    await until(scene.folder, scene.run, is_a(ActionFinished))
    # Without a reload: the page hears that the ledger has moved on, and asks for itself again.
    await page.locator(".label.confirmed").first.wait_for()
    assert (scene.folder.root / "files" / "note-0.txt").exists()
    assert scene.heard == []
    await verified(scene)


async def verified(scene: Scene) -> None:
    """The approval bears its assertion, and an auditor finds it good from the export alone."""
    async with session(scene.folder.root, Role.ADMIN) as opened:
        said = [one.event.body for one in opened.past if one.event.type == "approval.decided"]
    (approval,) = said
    assert isinstance(approval, ApprovalDecided) and approval.assertion is not None
    out = scene.folder.root.parent / "export"
    code, _, complaint = await ended(scene.folder, "export", str(out))
    assert code == 0, complaint
    assert verify(ExportReader(out), scene.folder.root_public()).ok


async def test_the_kill_switch_asks_in_a_dialog_and_stops_the_run(scene: Scene) -> None:
    page = scene.page
    await page.goto(f"{scene.origin}/halt")
    card = page.locator(".switches li", has_text=scene.run)
    await card.get_by_role("button", name="Stop").click()
    await page.get_by_role("button", name="Go back").click()
    await card.get_by_role("button", name="Stop").click()
    await page.get_by_role("button", name="Do it").click()
    halted = (await until(scene.folder, scene.run, is_end))[-1].event.body
    assert isinstance(halted, RunHalted)
    await page.get_by_text("1 run stopped").wait_for()
    assert await page.get_by_text("No action began after it").count() == 1
    assert scene.heard == []


async def test_an_entry_is_verified_in_the_page_and_a_changed_one_is_not(scene: Scene) -> None:
    page = scene.page
    await page.goto(f"{scene.origin}/ledger/3")
    await page.get_by_role("button", name="Verify in this browser").click()
    await page.locator("[data-result=verified]").wait_for()

    async def changed(route: Any) -> None:
        proof = await (await route.fetch()).json()
        proof["body"] = f"A{proof['body'][1:]}"
        await route.fulfill(json=proof)

    await page.route("**/proof", changed)
    await page.get_by_role("button", name="Verify in this browser").click()
    await page.locator("[data-result=failed]").wait_for()
    assert "does not lead to the sealed root" in await page.locator(".checks").inner_text()


async def serious(page: Any) -> list[tuple[str, str, str]]:
    """The serious faults that axe-core finds in a page: where, which rule, the first element."""
    from axe_playwright_python.async_playwright import Axe

    return [
        (page.url, fault["id"], fault["nodes"][0]["html"])
        for fault in (await Axe().run(page)).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


async def test_pages_fit_a_phone_and_have_no_serious_fault_of_access(scene: Scene) -> None:
    page = scene.page
    paths = (*PATHS, f"/runs/{scene.run}", f"/inbox/{scene.proposal}", "/ledger/3")
    for size, scheme in ((LAPTOP, "light"), (PHONE, "dark")):
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        for path in paths:
            await page.goto(f"{scene.origin}{path}")
            wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not await page.evaluate(wide), (path, size)
            assert await serious(page) == []


async def test_a_page_serves_by_keyboard_alone_and_without_its_script(scene: Scene) -> None:
    page = scene.page
    await page.goto(scene.origin)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    state = await page.context.storage_state()
    plain = await page.context.browser.new_context(
        ignore_https_errors=True, java_script_enabled=False, storage_state=state
    )
    bare = await plain.new_page()
    await bare.goto(f"{scene.origin}/halt")
    await bare.locator(".switches li", has_text=scene.run).get_by_role("button").click()
    await bare.get_by_label("Why, for the record").fill("no script here")
    await bare.get_by_role("button", name="Stop it").click()
    async with asyncio.timeout(30):
        halted = (await until(scene.folder, scene.run, is_end))[-1].event.body
    assert isinstance(halted, RunHalted)
    assert halted.reason == "no script here"


async def test_people_sign_in_at_an_openid_and_at_a_saml_provider(tmp_path: Path) -> None:
    """The latter's answer comes by a form of another site: a browser sends no cookie with it."""
    folder = prepared(tmp_path / "home")
    users = (User(sub="ada-7", claims={"email": ADDRESS, "email_verified": True}),)
    people = {"bea": "bea@acme.example"}
    with (
        run_server_in_thread(user_claims=users) as oidc,
        saml_provider(tmp_path / "i", people) as idp,
    ):
        with folder.settings_file.open("a") as file:
            file.write(
                f'[console]\n[console.oidc.corp]\nissuer = "http://localhost:{oidc.server_port}"\n'
                'client_id = "anyteam"\n'
                '[console.saml.firm]\nmetadata = "firm.xml"\ndomains = ["acme.example"]\n'
            )
        write_secret(folder.identity(Role.CONSOLE) / "corp.secret", b"a-secret-for-tests\n")
        (folder.root / "firm.xml").write_bytes(await asyncio.to_thread(metadata_of, idp))
        async with chromium() as browser, up(folder):
            for address in (ADDRESS, "bea@acme.example"):
                await invited(folder, address, AccessRole.ADMIN)
            origin = inviting.console_url(folder)
            for button, fields in (
                ("corp", {"sub": "ada-7"}),
                ("firm", {"username": "bea", "password": PASSWORD}),
            ):
                context = await browser.new_context(ignore_https_errors=True, viewport=LAPTOP)
                page = await context.new_page()
                await page.goto(f"{origin}/sign-in")
                assert await serious(page) == []
                await page.get_by_role("link", name=f"Continue with {button}").click()
                for name, value in fields.items():
                    await page.locator(f"input[name={name}]").fill(value)
                await page.locator(f"input[name={name}]").press("Enter")
                await page.locator(".tiles").wait_for()
                await context.close()
