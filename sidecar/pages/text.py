"""The text of a page: what a person would read, its title and its links.

Scripts, styles and hidden templates are left out. What a page hides by its style sheet stays:
only a browser knows what is hidden, and it is as untrusted as the rest.
"""

import codecs
import re
from typing import Final
from urllib.parse import urljoin

from bs4 import BeautifulSoup
from bs4.dammit import EncodingDetector

from sidecar.pages.page import MAX_TEXT, Page, is_html

MAX_LINKS: Final = 50
MAX_LINK: Final = 500
MAX_TITLE: Final = 300

_LEFT_OUT: Final = ("script", "style", "template", "noscript", "svg", "iframe", "object")
_BLOCKS: Final = re.compile(
    "address|article|aside|blockquote|br|dd|div|dl|dt|footer|form|h[1-6]|header|hr|li|main|nav|ol|"
    "p|pre|section|table|td|th|tr|ul"
)


def page_of(body: bytes, content_type: str, url: str) -> Page:
    """What there is to read in `body`, which came from `url`."""
    html = is_html(content_type)
    text = _decoded(body, content_type, html=html)
    if not html:
        return _cut(_plain(text))
    soup = BeautifulSoup(text, "html.parser")
    title = _plain(soup.title.get_text()) if soup.title is not None else ""
    for tag in soup(_LEFT_OUT):
        tag.decompose()
    for tag in soup(lambda tag: _BLOCKS.fullmatch(tag.name) is not None):
        tag.insert_before("\n")
        tag.insert_after("\n")
    lines = (" ".join(line.split()) for line in _plain(soup.get_text()).splitlines())
    return _cut("\n".join(line for line in lines if line), title[:MAX_TITLE], _links(soup, url))


def _cut(text: str, title: str = "", links: tuple[str, ...] = ()) -> Page:
    return Page(text[:MAX_TEXT], title, links, len(text) <= MAX_TEXT)


def _links(soup: BeautifulSoup, url: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for tag in soup("a", href=True, limit=20 * MAX_LINKS):
        try:
            link = urljoin(url, str(tag["href"])).partition("#")[0]
        except ValueError:
            continue
        if link.startswith(("https://", "http://")) and len(link) <= MAX_LINK:
            found[_plain(link)] = None
    return tuple(found)[:MAX_LINKS]


def _decoded(body: bytes, content_type: str, *, html: bool) -> str:
    named = re.search(r"charset=\"?([A-Za-z0-9_.:-]{1,40})", content_type)
    charset = named[1] if named is not None else None
    if charset is None and html:
        charset = EncodingDetector.find_declared_encoding(body, is_html=True)
    try:
        return body.decode(codecs.lookup(charset or "utf-8").name, "replace")
    except (LookupError, UnicodeError, ValueError):
        # No such character set, or a codec that gives no text.
        return body.decode("utf-8", "replace")


def _plain(text: str) -> str:
    """Without control characters and lone surrogates, which no JSON can carry."""
    kept = "".join(c if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127) else " " for c in text)
    return kept.encode("utf-8", "replace").decode("utf-8").strip()
