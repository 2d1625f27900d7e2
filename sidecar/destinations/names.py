"""Domain names in one canonical form, and the part of a name that one owner registered.

The form is that of the WHATWG URL standard's host parser (UTS 46, non-transitional), which
browsers and their libraries agree on: lower case, A-labels, IPv4 in four decimal parts.
What it lets through and the DNS or IDNA 2008 does not is no name here.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import ada_url
import idna
from publicsuffixlist import PublicSuffixList

MAX_NAME: Final = 253

# Letters, digits and hyphens (RFC 5890 section 2.3.1), and the underscore that hosts do use.
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_ODD: Final = re.compile(r"[\x00-\x20\x7f\\/?#@]")
_SUFFIXES: Final = PublicSuffixList()


@lru_cache(maxsize=4096)
def canonical(host: str) -> str | None:
    """The canonical form of `host`, which may carry a port: A-labels or an address.

    None where it is no host name, or where programs could take it for different ones. An
    IPv6 address comes without brackets, one that stands for an IPv4 address as that one.
    """
    if not host or len(host) > 4 * MAX_NAME or _ODD.search(host):
        return None
    try:
        parsed = ada_url.parse_url(f"https://{host}/", ("hostname",))["hostname"]
    except ValueError:
        return None
    if not isinstance(parsed, str) or not parsed:
        return None
    if parsed.startswith("["):
        address = ip_address(parsed[1:-1])
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return str(mapped or address)
    name = parsed.removesuffix(".")
    if len(name) > MAX_NAME:
        return None
    for label in name.split("."):
        if not _LABEL.fullmatch(label) or (label.startswith("xn--") and not _unicode(label)):
            return None
    return name


def is_address(host: str) -> bool:
    """Whether a canonical `host` is an IP address: it has no owner that the DNS tells."""
    return _address(host) is not None


def unicode_form(host: str) -> str:
    """A canonical name as people see it: its A-labels as Unicode."""
    if "xn--" not in host:
        return host
    return ".".join(
        (_unicode(label) or label) if label.startswith("xn--") else label
        for label in host.split(".")
    )


@lru_cache(maxsize=4096)
def registrable(host: str) -> str:
    """The part of a canonical `host` that its owner registered: one label and a public suffix.

    By the public suffix list's both sections, so that two customers of one hosting service
    are two owners, and by its default rule for suffixes it does not know. A public suffix or
    an address is returned as it is.
    """
    if is_address(host):
        return host
    return _SUFFIXES.privatesuffix(host) or host


def _address(host: str) -> IPv4Address | IPv6Address | None:
    # A name's last label is never all digits (WHATWG URL, section 3.5), so most ask nothing.
    if not host[-1:].isdigit() and ":" not in host:
        return None
    try:
        return ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _unicode(label: str) -> str:
    """The U-label of an A-label, or an empty string where IDNA 2008 has none."""
    try:
        return idna.ulabel(label)
    except idna.IDNAError:
        return ""
