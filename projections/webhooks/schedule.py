"""When to try again: exponential backoff with full jitter, and what a receiver asks for.

Chance comes in as a number in [0, 1), so that a schedule is a function. Full jitter keeps a
thousand senders that lost one receiver from coming back to it at once.
Sources: Brooker, "Exponential Backoff And Jitter"; RFC 9110 section 10.2.3 (Retry-After).
"""

from typing import Final

BASE_S: Final = 1.0
CAP_S: Final = 300.0
ASKED_CAP_S: Final = 3_600
"""A receiver may ask for a longer pause than our own, up to this."""


def pause_s(failures: int, chance: float, asked_s: int | None = None) -> float:
    """Seconds until the next attempt after `failures` in a row, at least what was asked for."""
    ceiling = min(CAP_S, BASE_S * 2.0 ** min(failures - 1, 30))
    return max(ceiling * chance, float(min(asked_s or 0, ASKED_CAP_S)))


def asked_of(header: str) -> int | None:
    """The seconds in a `Retry-After` header; None for none, and for a date, which needs a clock."""
    text = header.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
