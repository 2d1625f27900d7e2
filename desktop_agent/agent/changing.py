"""Changes to `desktop.toml` that keep what a person wrote there, comments included. Pure."""

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from desktop_agent.agent.messages import Change
from desktop_agent.errors import BadDesktopSettings
from desktop_agent.settings import parse_desktop_settings


def changed(text: str, change: Change) -> str:
    """`text` with the changed keys. Raises `BadDesktopSettings` where it would not be valid."""
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise BadDesktopSettings(f"desktop.toml: {error}", fix="mend it with an editor") from error
    for key, value in msgspec.structs.asdict(change).items():
        plain = list(value) if isinstance(value, tuple) else value
        # What is left out means the same as these, and a person did not write it.
        if plain is None or (key not in document and plain in ("", [])):
            document.pop(key, None)
        elif document.get(key) != plain:
            document[key] = plain
    new = tomlkit.dumps(document)
    parse_desktop_settings(new)
    return new
