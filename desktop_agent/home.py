"""The desktop agent's own folder: its configuration, and the key of its tokens.

Until a device is enrolled its tokens are its own: the same value has the same token on this
machine, and on no other. The key never leaves the folder.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crypto.keyfile import read_secret, write_secret
from desktop_agent.errors import BadDesktopSettings
from desktop_agent.settings import DesktopSettings, format_desktop_settings, parse_desktop_settings

_SETTINGS: Final = "desktop.toml"
_TOKENS: Final = "tokens.key"
_KEY_BYTES: Final = 32


def found(folder: Path, model: Path, sha256: str) -> Path:
    """A new folder for a model; where its configuration is. Raises `BadDesktopSettings` where there
    is one already.
    """
    path = folder / _SETTINGS
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(format_desktop_settings(str(model.absolute()), sha256))
    except FileExistsError as error:
        raise BadDesktopSettings(
            f"{path} exists already", fix="change it with an editor"
        ) from error
    except OSError as error:
        raise BadDesktopSettings(
            f"{path} cannot be written: {error.strerror}", fix="choose another folder with --home"
        ) from error
    return path


def settings_in(folder: Path) -> DesktopSettings:
    """The configuration. Raises `BadDesktopSettings`."""
    path = folder / _SETTINGS
    try:
        return parse_desktop_settings(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDesktopSettings(
            f"{path} cannot be read: {error.strerror}",
            fix="make one: anyteam-desktop init MODEL --sha256 DIGEST",
        ) from error
    except UnicodeDecodeError as error:
        raise BadDesktopSettings(
            f"{path} is no text: {error}", fix="write it anew, in UTF-8"
        ) from error


def change_settings(folder: Path, change: Callable[[str], str]) -> None:
    """Put `change` of the configuration in its place, whole. Raises `BadDesktopSettings`, also
    what `change` raises; then nothing is changed.
    """
    path = folder / _SETTINGS
    try:
        new = change(path.read_text(encoding="utf-8"))
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.write_text(new, encoding="utf-8")
        draft.replace(path)
    except (OSError, UnicodeDecodeError) as error:
        raise BadDesktopSettings(
            f"{path} cannot be changed: {error}", fix="see to the file's owner, mode and disk"
        ) from error


def token_key_in(folder: Path) -> bytes:
    """The key of this machine's tokens, made where there is none. Raises `KeyFileError`."""
    path = folder / _TOKENS
    if not path.exists():
        write_secret(path, secrets.token_bytes(_KEY_BYTES).hex().encode() + b"\n")
    return bytes.fromhex(read_secret(path).decode().strip())
