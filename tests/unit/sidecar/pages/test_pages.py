"""Reading pages: what a person would read comes out, and no page keeps the reader busy."""

import asyncio
import os

import pytest

from sidecar.pages import Page, read_page, readable
from sidecar.pages.page import MAX_TEXT
from sidecar.pages.text import MAX_LINKS, page_of

URL = "https://docs.example/guide/"
HTML = "text/html; charset=utf-8"


def test_text_title_and_links_come_out_and_scripts_do_not() -> None:
    page = page_of(
        b"<title>A \xe2\x80\x93 guide</title><script>var x='no'</script><style>no</style>"
        b"<template>no</template><h1>Head</h1><p>One<br>two <b>three</b></p><!-- no -->"
        b"<a href='../next#part'>n</a><a href='javascript:no()'>j</a><a href='http://[no'>b</a>",
        HTML,
        URL,
    )
    assert page == Page(
        "A \u2013 guide\nHead\nOne\ntwo three\nnjb",
        "A \u2013 guide",
        ("https://docs.example/next",),
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("Zürich".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("Zürich".encode("utf-16"), 'text/html; charset="utf-16"'),
        (b"<meta charset=windows-1252>Z\xfcrich", "text/html"),
        ("Zürich".encode(), "text/plain; charset=no-such-set"),
        ("Zürich".encode(), "text/plain; charset=rot13"),
        ("Zürich".encode(), "text/plain; charset=hex"),
    ],
)
def test_a_page_is_read_in_its_own_character_set(body: bytes, content_type: str) -> None:
    assert page_of(body, content_type, URL).text == "Zürich"


def test_a_long_page_is_cut_and_says_so() -> None:
    page = page_of(b"<a href=x1>y</a>" + b"<a href=x>word</a> " * 50_000, HTML, URL)
    assert len(page.text) == MAX_TEXT
    assert not page.whole
    many = b"".join(b"<a href=%d>y</a>" % n for n in range(200))
    assert len(page_of(many, HTML, URL).links) == MAX_LINKS


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        ("text/html", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("application/problem+json", True),
        ("text/csv", True),
        ("application/pdf", False),
        ("application/octet-stream", False),
        ("image/svg+xml", False),
        ("", False),
    ],
)
def test_only_text_is_read(content_type: str, read: bool) -> None:
    assert readable(content_type) is read


async def test_a_page_is_read_by_a_process_that_is_given_nothing_else() -> None:
    os.environ["A_SECRET_OF_THE_SIDECAR"] = "canary"
    try:
        page = await read_page(b"<p>Zo\xc3\xab</p>", HTML, URL)
    finally:
        del os.environ["A_SECRET_OF_THE_SIDECAR"]
    assert page == Page("Zoë")


@pytest.mark.parametrize("unit", [b"<!--", b"<a '", b"<p>", b"<svg>", b"<![CDATA[", b"</", b"&#"])
async def test_no_page_keeps_the_reader_longer_than_it_is_given(unit: bytes) -> None:
    async with asyncio.timeout(10):
        page = await read_page(unit * (400_000 // len(unit)), HTML, URL, timeout_s=2)
    assert page is None or len(page.text) <= MAX_TEXT
