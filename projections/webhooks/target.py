"""Where an endpoint is, and which of its addresses may be connected to. Pure, no name is resolved.

A URL is read once, by the WHATWG standard's parser; what is connected to and asked for is put
together from that reading. https, and public addresses alone; a network that the settings name
as private may be reached too, and over http. Every address that a name has must be admitted:
else whoever answers for the name would choose (server-side request forgery).
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, Literal

import ada_url
from msgspec import Struct

from projections.webhooks.errors import BadEndpoint, ForbiddenAddress
from schemas.addresses import Address, is_public

MAX_URL: Final = 2_048

_PORTS: Final = {"https": 443, "http": 80}

Network = IPv4Network | IPv6Network


class Target(Struct, frozen=True):
    """What is posted to: scheme, canonical host, port, and path and query as they travel."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The header `Host`: the host, with its port where it is not the scheme's own."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _PORTS[self.scheme] else f"{shown}:{self.port}"


def target_of(url: str) -> Target:
    """The target that `url` names. Raises `BadEndpoint`."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadEndpoint(f"url: it is no URL of at most {MAX_URL} printable ASCII characters")
    try:
        read = ada_url.parse_url(url)
    except ValueError as error:
        raise BadEndpoint("url: it cannot be read", fix="as in https://example.com/hook") from error
    scheme = read["protocol"].removesuffix(":")
    if scheme not in _PORTS or not read["hostname"]:
        raise BadEndpoint("url: it is no https URL", fix="as in https://example.com/hook")
    if read["username"] or read["password"] or read["hash"]:
        raise BadEndpoint("url: it has user information or a fragment", fix="leave them away")
    return Target(
        "https" if scheme == "https" else "http",
        read["hostname"].strip("[]"),
        int(read["port"] or _PORTS[scheme]),
        read["pathname"] + read["search"],
    )


def networks_of(written: Iterable[str]) -> tuple[Network, ...]:
    """The private networks that the settings name. Raises ValueError."""
    return tuple(ip_network(one) for one in written)


def admitted(
    target: Target, addresses: Iterable[Address], private: tuple[Network, ...]
) -> tuple[Address, ...]:
    """The addresses of the target's host, all of which may be connected to.

    Raises `ForbiddenAddress` where one may not, or where there is none.
    """
    found = tuple(addresses)
    if not found:
        raise ForbiddenAddress(f"url: {target.host} has no address")
    for address in found:
        inside = any(address in network for network in private)
        if not inside and not is_public(address):
            raise ForbiddenAddress(
                f"url: {target.host} leads to an address that is not public",
                fix="name its network in webhooks.private, if it is yours",
            )
        if not inside and target.scheme == "http":
            raise ForbiddenAddress(
                f"url: http to {target.host} would be read and changed on its way",
                fix="use https; http is for networks that webhooks.private names",
            )
    return found


def written_address(target: Target) -> Address | None:
    """The address that the URL itself is written with, if it is."""
    try:
        return ip_address(target.host)
    except ValueError:
        return None
