"""Every decoder of ours that takes bytes from outside, by the room it lies in."""

from tests.fuzz.target import Target
from tests.fuzz.targets import api, bus, desktop, ledger, outside, settings

__all__ = ["all_targets"]


def all_targets() -> tuple[Target, ...]:
    """Each of them, made anew: a process of its own starts from the same."""
    rooms = (bus, ledger, settings, outside, desktop, api)
    return tuple(target for room in rooms for target in room.targets())
