"""How a name server is written: an IP address, with a port after a colon where it is not 53.

An IPv6 address with a port stands in brackets (RFC 3986 section 3.2.2): `[2001:db8::1]:5353`.
"""

import re
from ipaddress import ip_address
from typing import Final

DNS_PORT: Final = 53

_BRACKETED: Final = re.compile(r"\[(?P<address>[^\[\]]+)\](?::(?P<port>\d{1,5}))?")
_PLAIN: Final = re.compile(r"(?P<address>[^:\[\]]+)(?::(?P<port>\d{1,5}))?")


def name_server(text: str, port: int = DNS_PORT) -> tuple[str, int]:
    """(address, port) of a name server; `port` where none is written. Raises ValueError."""
    split = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    address = split["address"] if split is not None else text
    number = int(split["port"]) if split is not None and split["port"] else port
    if not 0 < number <= 65_535:
        raise ValueError(f"{text!r} has no port between 1 and 65535")
    try:
        return str(ip_address(address)), number
    except ValueError:
        raise ValueError(f"{text!r} is no IP address, with or without a port") from None
