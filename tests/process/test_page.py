"""The page of an export in a real browser, offline: it verifies, shows, and reaches nothing.

Needs a Chromium on the machine (Debian: chromium). Where there is none these tests are skipped, and
say so; the same script runs in Node in `tests/unit/ledger/test_page.py`, always.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from crypto.keyfile import write_public
from ledger.export import ENTRIES
from ledger.page import page as page_text
from ledger.selection.criteria import Criteria
from tests.ledgers import small_ledger, write_export
from tests.unit.ledger.test_selection import selected

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
LEDGER = small_ledger(runs=3)
DEADLINE_MS = 120_000

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER HERE: the page was not opened in one (install chromium)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def tab(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page, opened from disk without a network; a request or an error fails the test."""
    (tmp_path / "index.html").write_text(page_text(), encoding="utf-8")
    write_public(tmp_path / "root.pub", LEDGER.root_public)
    context = browser.new_context(offline=True)
    context.set_default_timeout(DEADLINE_MS)
    opened = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("request", lambda made: asked.append(made.url))
    opened.goto((tmp_path / "index.html").as_uri())
    yield opened
    assert [text for text in wrong if not text.startswith("Executing inline script")] == []
    assert [url for url in asked if not url.endswith("/index.html")] == []
    context.close()


def choose(tab: Page, folder: Path, root: Path | None) -> str:
    """Choose an export and a root key as a person would; what the page says."""
    if root is not None:
        tab.set_input_files("#root", root)
    tab.set_input_files("#folder", folder)
    expect(tab.locator("#status")).to_have_text("done", timeout=DEADLINE_MS)
    return tab.inner_text("#verdict")


def test_an_auditor_verifies_and_browses_a_whole_export(tab: Page, tmp_path: Path) -> None:
    said = choose(tab, write_export(LEDGER, tmp_path / "export"), tmp_path / "root.pub")
    assert said.startswith("Verified") and f"{len(LEDGER.entries)} entries" in said
    assert tab.locator("#rows .row").count() == len(LEDGER.entries)
    tab.select_option("#run", "r-2")
    tab.select_option("#kind", "action.finished")
    assert tab.locator("#rows .row").count() == 1
    tab.locator("#rows summary").click()
    assert "confirmed" in tab.inner_text("#rows .detail")


def test_one_changed_bit_is_named(tab: Page, tmp_path: Path) -> None:
    export = write_export(LEDGER, tmp_path / "export")
    data = bytearray((export / ENTRIES).read_bytes())
    data[-5] ^= 1
    (export / ENTRIES).write_bytes(data)
    said = choose(tab, export, tmp_path / "root.pub")
    assert said.startswith("Not verified") and f"entry {len(LEDGER.entries)}: forged" in said


def test_a_part_says_what_cannot_be_concluded(tab: Page, tmp_path: Path) -> None:
    reader = selected(tmp_path / "part", Criteria(runs=("r-2",)), LEDGER)
    said = choose(tab, reader.folder, tmp_path / "root.pub")
    assert said.startswith("Verified") and "Part of the ledger" in said
    tab.locator("#cannot summary").click()
    assert "that something did not happen" in tab.inner_text("#limits")


def test_a_page_without_a_root_key_does_not_say_verified(tab: Page, tmp_path: Path) -> None:
    said = choose(tab, write_export(LEDGER, tmp_path / "export"), None)
    assert said.startswith("Consistent, under a root key that nobody vouched for")


def test_its_own_policy_lets_nothing_else_run_or_leave(tab: Page, tmp_path: Path) -> None:
    stopped = tab.evaluate(
        """() => new Promise((tell) => {
          const told = (event) => tell(event.effectiveDirective);
          document.addEventListener("securitypolicyviolation", told);
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
        })"""
    )
    assert stopped == "script-src-elem"
    assert tab.evaluate("window.ran === undefined")
