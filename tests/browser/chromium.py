"""The system's Chromium under Playwright, for tests and screenshots; skips, with why, without.

Needs the extra `browser` and a `chromium` on the path (`apt-get install chromium`).
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

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
