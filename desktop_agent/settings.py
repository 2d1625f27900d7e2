"""The desktop agent's one configuration file, `desktop.toml`, validated whole at start. Pure.

Each error names the key and what it should be. No secret is in it.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from desktop_agent.errors import BadDesktopSettings

MAX_CONSENT: Final = 500
"""Characters of a consent note."""

Walls = Literal["required", "as far as possible"]


class DesktopSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`model` is a ggml file and `model_sha256` the digest that was approved. `device` is a number
    or part of a name; the system's default where it is left out. `persons` and `organisations` are
    masked wherever they are heard, whatever else is. `hold_s` is how long (s) a segment can be
    withdrawn before it goes, `consent` a note that each capture begins with.
    """

    model: str
    model_sha256: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$(?!\n)")]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")] = "en"
    threads: Annotated[int, Meta(ge=1, le=64)] = 2
    device: int | str | None = None
    persons: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    walls: Walls = "required"
    hold_s: Annotated[int, Meta(ge=0, le=86_400)] = 30
    consent: Annotated[str, Meta(max_length=MAX_CONSENT)] = ""


def parse_desktop_settings(text: str) -> DesktopSettings:
    """Raises `BadDesktopSettings`."""
    try:
        return msgspec.toml.decode(text, type=DesktopSettings)
    except (ValueError, RecursionError) as error:
        raise BadDesktopSettings(
            f"desktop.toml: {error}", fix="see docs/desktop.md for its keys"
        ) from error


def format_desktop_settings(model: str, sha256: str) -> str:
    """A file with these two keys, and nothing else decided."""
    return f"model = {_quoted(model)}\nmodel_sha256 = {_quoted(sha256)}\n"


def _quoted(text: str) -> str:
    """A TOML basic string, which JSON's are as long as DEL is escaped."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
