"""Entries of the allowlist in the normal form that layer 10 compares with.

What a person writes is read as the gate reads what an agent proposes: one mailbox, or all of a
domain, its name in lower case and in A-labels. What the gate could never meet is an error.
"""

from sidecar.destinations.names import canonical, is_address
from sidecar.gate.domains import address_of


class BadEntry(ValueError):
    """What was written is no destination; the message says why."""


def normal(written: str, *, owned: bool = False) -> str:
    """`local@domain` for one mailbox, `@domain` for all of a domain. Raises `BadEntry`.

    `owned` asks for a domain whose owner the DNS can tell.
    """
    text = written.strip()
    local, _, name = text.rpartition("@")
    if "/" in text or "\\" in text:
        raise BadEntry("is a URL or a path, and a whole domain or one mailbox is allowed")
    if local:
        box = address_of(text)
        if box is None:
            raise BadEntry("is no mail address")
        if box.tag:
            raise BadEntry(f"has a tag, {box.tag!r}: the address without it covers all tags")
        return f"{box.local}@{box.host}"
    host = canonical(name)
    if host is None or ":" in name:
        raise BadEntry("is no domain name")
    if is_address(host):
        if owned:
            raise BadEntry("is a network address, whose owner the DNS does not tell")
    elif "." not in host:
        raise BadEntry("is a single word, and no domain name")
    return f"@{host}"
