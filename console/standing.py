"""What of the settings the running components took up at their start, and take up again only then.

All sections but `[policy]`: connectors, models, agents and people are read by each process when it
starts. A policy that was made of changed ones would speak of tools and models that are not there.
"""

import hashlib
from pathlib import Path

import msgspec

from console.errors import NeedsRestart
from schemas.errors import UNREADABLE
from schemas.settings import Settings

_LIVE = ("policy",)


def sections(settings: Settings) -> dict[str, str]:
    """The digest (SHA-256, hexadecimal) of each section that needs a restart, by its key."""
    return {
        name: hashlib.sha256(
            msgspec.json.encode(getattr(settings, name), order="sorted")
        ).hexdigest()
        for name in settings.__struct_fields__
        if name not in _LIVE
    }


def recorded(settings: Settings) -> bytes:
    """What is written down at a start, for `unchanged` to compare with."""
    return msgspec.json.encode(sections(settings)) + b"\n"


def unchanged(file: Path, settings: Settings) -> None:
    """Raises `NeedsRestart`, naming the sections, where `settings` have others than were written
    to `file` at the start, or where nothing was.
    """
    try:
        started = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, *UNREADABLE) as error:
        raise NeedsRestart(
            f"{file} does not say what the components were started with: {error}",
            fix="end `anyteam up` and start it again; that applies the settings",
        ) from error
    now = sections(settings)
    other = sorted(
        name for name in now.keys() | started.keys() if now.get(name) != started.get(name)
    )
    if other:
        raise NeedsRestart(
            f"the settings changed in {', '.join(other)}, which running components do not take up",
            fix="end `anyteam up` and start it again; that applies the settings, policy and all",
        )
