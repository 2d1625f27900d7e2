"""Logins: who may enter the database, kept in a file of 0600 in the identity's own folder.

Each workspace has logins of its own, and a row's policy asks for the login as well as for the
session's setting (`projections.migrations`): a login that claims another workspace sees nothing.
"""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bus.folder import DataFolder
from crypto.errors import KeyFileError
from crypto.keyfile import read_secret, write_secret
from schemas.errors import UNREADABLE

HOST: Final = "127.0.0.1"
DATABASE: Final = "postgres"
LEDGER_DATABASE: Final = "anyteam"

OWNER: Final = "anyteam_owner"
"""Owns the tables and migrates them. No component has its password."""

GROUPS: Final = ("projector", "console")
"""What a login may do: write the projection, or read it."""

SETTING: Final = "app.workspace"
SYSTEM: Final = "system"
"""The authorities that the machine trusts, in the place of a file."""


class Login(Struct, frozen=True):
    """How one identity enters the database. `sslrootcert` is the file with the authority that the
    server's certificate is from; in a login's own file, its name beside that.
    """

    port: int
    database: str
    user: str
    password: str
    host: str = HOST
    sslmode: str = "disable"
    sslrootcert: str = ""

    def conninfo(self) -> str:
        """libpq's connection string. Nothing but SCRAM is answered, so no impostor learns more."""
        parts = {
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
            "user": self.user,
            "password": self.password,
            "sslmode": self.sslmode,
            **({"sslrootcert": self.sslrootcert} if self.sslrootcert else {}),
            "require_auth": "scram-sha-256",
            "connect_timeout": 10,
            "application_name": "anyteam",
        }
        return " ".join(f"{key}={_quoted(str(value))}" for key, value in parts.items())

    def __repr__(self) -> str:
        return f"Login({self.user}@{self.host}:{self.port}/{self.database})"


def user_of(group: str, workspace: str) -> str:
    """The login of `group` in one workspace. PostgreSQL's names end at 63 bytes, ours may not."""
    return f"{group}_{hashlib.sha256(workspace.encode()).hexdigest()[:16]}"


def login_file(folder: DataFolder, identity: str) -> Path:
    """Where an identity's login is kept."""
    return folder.root / "identities" / identity / "postgres.json"


def read_login(folder: DataFolder, identity: str) -> Login:
    """The login of `projector` or `console`, as the last start left it. Raises `KeyFileError`."""
    path = login_file(folder, identity)
    try:
        login = msgspec.json.decode(read_secret(path), type=Login)
    except UNREADABLE as error:
        raise KeyFileError(f"{path} is no login", fix="remove it; `up` makes one") from error
    if not login.sslrootcert or login.sslrootcert == SYSTEM:
        return login
    return msgspec.structs.replace(login, sslrootcert=str(path.parent / login.sslrootcert))


def write_login(folder: DataFolder, identity: str, login: Login) -> None:
    """Keep an identity's login."""
    path = login_file(folder, identity)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, msgspec.json.encode(login) + b"\n")


def ensure_password(path: Path) -> str:
    """The password in `path`, a new one where there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, json.dumps({"password": secrets.token_urlsafe(32)}).encode() + b"\n")
    return str(json.loads(read_secret(path))["password"])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
