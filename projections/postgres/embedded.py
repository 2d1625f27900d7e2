"""The embedded database of one installation: server, logins and tables, in its data folder.

postgres/data            the cluster
postgres/superuser.json  provisioning's password; no component reads it
identities/<identity>/postgres.json   each identity's login, 0600
"""

import asyncio
import secrets
from pathlib import Path

from bus.folder import DataFolder
from projections.postgres.login import (
    GROUPS,
    LEDGER_DATABASE,
    Login,
    ensure_password,
    login_file,
    read_login,
    user_of,
    write_login,
)
from projections.postgres.provision import provision
from projections.postgres.server import SUPERUSER, PostgresServer


def superuser_file(folder: DataFolder) -> Path:
    """Where provisioning's own password is kept."""
    return folder.root / "postgres" / "superuser.json"


def superuser(port: int, password: str) -> Login:
    """Who provisions the embedded server, and rebuilds: row security does not hold it."""
    return Login(port, LEDGER_DATABASE, SUPERUSER, password)


async def start(folder: DataFolder, workspace: str, *, port: int = 0) -> PostgresServer:
    """The database, up and provisioned, with every login written. Raises a `ProjectionError`."""
    password = ensure_password(superuser_file(folder))
    server = await PostgresServer.start(
        folder.root / "postgres" / "data",
        password=password,
        log=folder.log("postgres"),
        port=port,
    )
    try:
        passwords = {group: password_of(folder, group) for group in GROUPS}
        admin = superuser(server.port, password)
        await asyncio.to_thread(provision, admin, workspace, passwords)
        for group, secret in passwords.items():
            login = Login(server.port, LEDGER_DATABASE, user_of(group, workspace), secret)
            write_login(folder, group, login)
    except BaseException:
        await server.stop()
        raise
    return server


def password_of(folder: DataFolder, identity: str) -> str:
    """The identity's password, kept from the last start; a new one where there is none."""
    if not login_file(folder, identity).exists():
        return secrets.token_urlsafe(32)
    return read_login(folder, identity).password
