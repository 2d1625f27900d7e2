"""The system's Chromium under Playwright, for tests and screenshots; skips, with why, without.

Needs the extra `browser` and a `chromium` on the path (`apt-get install chromium`).
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bus.folder import DataFolder
from console import passkeys
from console.inviting import console_url
from console.session import session
from schemas.names import Role

PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 860}


def missing() -> str:
    """Why there can be no browser here, empty where there can."""
    if shutil.which("chromium") is None:
        return "no chromium on the path: apt-get install chromium"
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return "no playwright: pip install -e '.[browser]' -c constraints.txt"
    return ""


@asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    """A browser of its own, gone at the end."""
    if reason := missing():
        pytest.skip(reason)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        # Tests run as root in containers, where Chromium's own sandbox cannot be had.
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(page: Any, origin: str, address: str, link: Any) -> None:
    """Sign in as people do; `link` gives the sent link, once asked."""
    await page.goto(f"{origin}/sign-in")
    await page.get_by_label("Your mail address").fill(address)
    await page.get_by_role("button", name="Send me a link").click()
    await page.get_by_role("heading", name="Look for the link").wait_for()
    await page.goto(await link())
    await page.get_by_role("button", name="Sign in to").click()
    await page.locator(".tiles").wait_for()


async def authenticator(page: Any) -> None:
    """Give the browser an authenticator that knows its user (W3C WebAuthn, section 11)."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


async def enrol(page: Any, folder: DataFolder, label: str) -> None:
    """Make a passkey in the console, as its page says, and have the admin admit it."""
    await page.goto(f"{console_url(folder)}/passkeys")
    await page.get_by_label("What you call it").fill(label)
    await page.get_by_role("button", name="Make a passkey").click()
    await page.get_by_text("Approves nothing until an admin admits it").wait_for()
    async with session(folder.root, Role.ADMIN, content=False) as opened:
        (made,) = passkeys.passkeys_of(opened).known.values()
        await passkeys.admit(opened, made.name, None)
    # The page hears of it by itself.
    await page.get_by_text("Admitted by").wait_for()
