"""Where a host is, asked of this machine's resolver. The only file that resolves names.

Asked before a connection is opened, which then goes to one of the very addresses that were
checked (`sending`), so that nothing can answer otherwise in between (DNS rebinding).
"""

import asyncio
import socket
from ipaddress import ip_address

from projections.webhooks.target import Target, written_address
from schemas.addresses import Address

LOOKUP_S = 10.0


class NotFound(Exception):
    """The name has no address now; says why in a few words."""


async def addresses_of(target: Target) -> tuple[Address, ...]:
    """Every address of the target's host, in the resolver's order. Raises `NotFound`."""
    written = written_address(target)
    if written is not None:
        return (written,)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOKUP_S):
            found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise NotFound(f"the host's name does not resolve: {type(error).__name__}") from error
    # A zone (`fe80::1%eth0`) is of this machine, and no such address is public.
    return tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
