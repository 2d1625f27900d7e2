"""What a fetched page comes to, and which content types are text that is read."""

import re
from typing import Final

from msgspec import Struct

MAX_TEXT: Final = 64 * 1024
"""A page's text, in characters; what is longer is cut."""

_HTML: Final = ("text/html", "application/xhtml+xml")
_PLAIN: Final = re.compile(r"text/[a-z0-9.+-]+|application/([a-z0-9.+-]+\+)?(json|xml)")


class Page(Struct, frozen=True):
    """Text in lines, the title, and absolute links; `whole` is False where text was cut."""

    text: str
    title: str = ""
    links: tuple[str, ...] = ()
    whole: bool = True


def readable(content_type: str) -> bool:
    """Whether a content type is text that we read."""
    return is_html(content_type) or _PLAIN.fullmatch(_kind(content_type)) is not None


def is_html(content_type: str) -> bool:
    """Whether it is markup, of which the text is wanted."""
    return _kind(content_type) in _HTML


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
