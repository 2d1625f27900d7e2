"""A PostgreSQL server of your own: entered by its administrator once, and by two logins after that.

Provisioning makes the database, roles and tables (`projections.postgres.provision`) and leaves a
login each for projector and console, with the authority's certificate beside it. The password of
the administrator is used and forgotten. After an upgrade that changes the tables it is asked for
again.
"""

from ipaddress import ip_address
from pathlib import Path

import psycopg
from msgspec.structs import replace

from bus.folder import DataFolder
from crypto.keyfile import write_secret
from projections.errors import NoProjection, StoreFailed
from projections.migrations import REVISION
from projections.postgres.embedded import password_of
from projections.postgres.login import (
    GROUPS,
    SYSTEM,
    Login,
    login_file,
    read_login,
    user_of,
    write_login,
)
from projections.postgres.provision import LIVE, provision
from schemas.sections import BadSettings
from schemas.settings import DatabaseSettings

_CA = "postgres-ca.crt"
_AGAIN = "anyteam projections provision --user NAME, with an administrator of the server"


def administrator(folder: DataFolder, server: DatabaseSettings, user: str, password: str) -> Login:
    """How a server's administrator enters it. Raises `BadSettings` where `ca` cannot be read."""
    if _loopback(server.host):
        return Login(server.port, server.database, user, password, host=server.host)
    ca = server.ca
    if ca != SYSTEM:
        ca = str((folder.root / ca).absolute())
        _pem(Path(ca))
    return Login(
        server.port,
        server.database,
        user,
        password,
        host=server.host,
        sslmode="verify-full",
        sslrootcert=ca,
    )


def provision_own(folder: DataFolder, workspace: str, admin: Login) -> None:
    """Make all that the projection needs, and leave the logins. Raises `StoreRefused`."""
    passwords = {group: password_of(folder, group) for group in GROUPS}
    provision(admin, workspace, passwords, shared=True)
    for group, secret in passwords.items():
        user = user_of(group, workspace)
        login = replace(admin, user=user, password=secret)
        if login.sslrootcert not in ("", SYSTEM):
            # Whoever enters may see its own folder and no other of the installation's.
            beside = login_file(folder, group).with_name(_CA)
            write_secret(beside, _pem(Path(login.sslrootcert)))
            login = replace(login, sslrootcert=_CA)
        write_login(folder, group, login)


def need_provisioned(folder: DataFolder, server: DatabaseSettings) -> None:
    """Raises `NoProjection` where there are no logins for this server."""
    for group in GROUPS:
        path = login_file(folder, group)
        login = read_login(folder, group) if path.exists() else None
        wanted = (server.host, server.port, server.database)
        if login is None or (login.host, login.port, login.database) != wanted:
            raise NoProjection(
                f"there is no login of {group} for {server.database} at {server.host}", fix=_AGAIN
            )


def need_revision(login: Login) -> None:
    """Raises `StoreFailed` where the tables are not those of this release, or nobody answers."""
    try:
        with psycopg.connect(login.conninfo()) as connection:
            query = f"SELECT version_num FROM {LIVE}.alembic_version"  # noqa: S608 - a constant
            [[found]] = connection.execute(query.encode()).fetchall()
    except psycopg.Error as error:
        words = str(error).strip().partition("\n")[0]
        raise StoreFailed(
            f"PostgreSQL at {login.host}:{login.port} does not answer: {words}",
            fix="see whether it is up, and whether it was provisioned",
        ) from error
    if found != REVISION:
        raise StoreFailed(
            f"the tables are of revision {found}, and this release writes {REVISION}", fix=_AGAIN
        )


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSettings(
            f"projections.server.ca: {path} cannot be read: {error.strerror}",
            fix='name a PEM file in the data folder, or "system"',
        ) from error


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
