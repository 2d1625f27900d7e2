"""Which host a value leads to: an address, a URL, a bare name, however it is written.

The rule: where two programs could read two hosts, there is no host, and the caller must
hold. So `None` means "names no host, or nobody can be sure which". Syntax after the WHATWG
URL standard and RFC 5322 section 3.4, both narrowed to what people send. The look-alike
functions of `sidecar.destinations` are offered here too, for the layer that asks.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from msgspec import Struct

from sidecar.destinations.lookalikes import (
    Imitation,
    KnownDomains,
    imitation,
    known_domains,
    look_alike,
)
from sidecar.destinations.names import canonical, is_address, registrable, unicode_form
from sidecar.destinations.skeletons import mixed_scripts, skeleton

__all__ = [
    "Imitation",
    "KnownDomains",
    "Mailbox",
    "address_of",
    "host_of",
    "imitation",
    "is_address",
    "known_domains",
    "look_alike",
    "mixed_scripts",
    "registrable",
    "skeleton",
    "unicode_form",
]

MAX_VALUE: Final = 8192

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?P<rest>.*)", re.DOTALL)
_AUTHORITY: Final = re.compile(r"//(?!/)(?P<authority>[^/?#]+)")
_PORT: Final = re.compile(r"\d{1,5}(?:[/?#].*)?", re.DOTALL)
_BARE: Final = re.compile(r"(?P<host>[^/?#@]+)(?:[/?#].*)?", re.DOTALL)
# A display name, quoted or of plain words, before the address in angle brackets.
_NAMED: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"\s*|[^"<>@,;:\\]*)<(?P<address>[^<>]*)>')
# A dot-atom without the route marks `%` and `!`, and the slash that makes it look like a URL.
_LOCAL: Final = re.compile(r"(?!\.)[^\s@<>()\[\],;:\\\"/%!]{1,64}(?<!\.)")
_MAIL_HOST: Final = re.compile(r"[^\s@<>()\[\],;:\\\"/%!]+")


class Mailbox(Struct, frozen=True):
    """A mailbox in the form in which two are compared; `tag` is what followed a `+`."""

    local: str
    tag: str
    host: str


@lru_cache(maxsize=4096)
def host_of(value: str) -> str | None:
    """The canonical host that `value` leads to: A-labels in lower case, or an IP address.

    A name without a dot counts only inside a URL. What follows the host is not looked at: a
    redirect in a query is for the caller to find.
    """
    text = value.strip()
    if len(text) > MAX_VALUE:
        return None
    if text.startswith("//"):
        return _of_authority(text)
    if text.count(":") > 1 and is_address(text.lower()):
        return canonical(f"[{text}]")
    if split := _SCHEME.fullmatch(text):
        rest = split["rest"]
        if rest.startswith("//"):
            return _of_authority(rest)
        if not _PORT.fullmatch(rest):
            mailbox = address_of(text)
            return mailbox.host if mailbox is not None else None
    elif "@" in text:
        mailbox = address_of(text)
        return mailbox.host if mailbox is not None else None
    bare = _BARE.fullmatch(text)
    host = canonical(bare["host"]) if bare is not None else None
    written = bare["host"] if bare is not None else ""
    # A lone number is read as an IPv4 address in a URL; here it is a number.
    if host is None or ("." not in host and ":" not in host) or written.isalnum():
        return None
    return host


@lru_cache(maxsize=4096)
def address_of(value: str) -> Mailbox | None:
    """The one mailbox that `value` names: `a@b`, `Name <a@b>` or `mailto:a@b`.

    None for several, for routes, comments, quoted local parts and address literals, and for
    a local part with invisible characters. The local part is compared in lower case, as
    every large mail service does, and in NFC.
    """
    text = value.strip()
    if len(text) > MAX_VALUE:
        return None
    if text[:7].lower() == "mailto:":
        text, _, query = text[7:].partition("?")
        if "@" in query or "%" in query:
            return None
    elif text.endswith(">"):
        named = _NAMED.fullmatch(text)
        if named is None:
            return None
        text = named["address"]
    local, _, written = text.rpartition("@")
    if not local.isprintable() or not _LOCAL.fullmatch(local) or ".." in local:
        return None
    host = canonical(written) if _MAIL_HOST.fullmatch(written) else None
    if host is None or "." not in host or is_address(host):
        return None
    name, plus, tag = unicodedata.normalize("NFC", local).lower().partition("+")
    if not name:
        name, tag = plus + tag, ""
    return Mailbox(name, tag, host)


def _of_authority(text: str) -> str | None:
    """The host of what begins with `//`. A backslash or a second `@` divides the parsers."""
    found = _AUTHORITY.match(text)
    if found is None:
        return None
    userinfo, _, host = found["authority"].rpartition("@")
    if "@" in userinfo or "\\" in userinfo:
        return None
    return canonical(host)
