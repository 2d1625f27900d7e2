"""Event ids for those who have no causes to draw them from: people, and devices."""

import secrets


def new_event_id(now: int) -> str:
    """A fresh UUIDv7 (RFC 9562 section 5.7) at `now` ns."""
    value = (now // 1_000_000 & (1 << 48) - 1) << 80 | 0x7 << 76
    value |= secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
