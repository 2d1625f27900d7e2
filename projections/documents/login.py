"""The document store's logins, each in a file of 0600 in its identity's own folder."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bus.folder import DataFolder
from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret
from schemas.errors import UNREADABLE

HOST: Final = "127.0.0.1"


class DocumentLogin(Struct, frozen=True):
    """How one identity enters one workspace's database."""

    port: int
    database: str
    user: str
    password: str
    host: str = HOST

    def __repr__(self) -> str:
        return f"DocumentLogin({self.user}@{self.host}:{self.port}/{self.database})"


def database_of(workspace: str) -> str:
    """The workspace's own database. MongoDB's names end at 63 bytes; a workspace's may be 63."""
    return workspace if len(workspace) > 60 else f"ws_{workspace}"


def login_file(folder: DataFolder) -> Path:
    """Where the projector's login is kept."""
    return folder.root / "identities" / "projector" / "documents.json"


def read_login(folder: DataFolder) -> DocumentLogin:
    """The projector's login, as the last start left it. Raises `KeyFileError`."""
    path = login_file(folder)
    try:
        return msgspec.json.decode(read_secret(path), type=DocumentLogin)
    except UNREADABLE as error:
        raise KeyFileError(f"{path} is no login", fix="remove it; `up` makes one") from error


def write_login(folder: DataFolder, login: DocumentLogin) -> None:
    """Keep the projector's login."""
    write_secret(login_file(folder), msgspec.json.encode(login) + b"\n")
