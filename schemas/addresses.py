"""Which IP addresses are out on the public internet. A pure function of the address.

By IANA's registries of special-purpose addresses (RFC 6890), as the standard library has them,
and narrower: of IPv6 global unicast alone (2000::/3), and nothing that carries an IPv4 address
inside (mapped, NAT64, 6to4, Teredo), since it may lead where that one leads.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

Admits = Callable[[Address], bool]
"""Whether a connection may be made to an address."""

_NEVER4: Final = tuple(
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata
        "168.63.129.16/32",  # a cloud's host agent, on an address that looks public
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast, and what is reserved
    )
)
_UNICAST6: Final = IPv6Network("2000::/3")
_NEVER6: Final = tuple(
    IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


def is_public(address: Address) -> bool:
    """Whether `address` is a host on the public internet."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in net for net in _NEVER4)
    return address in _UNICAST6 and address.is_global and not any(address in net for net in _NEVER6)
