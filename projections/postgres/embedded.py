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
from projections.postgres.server import PostgresServer


def superuser_file(folder: DataFolder) -> Path:
    """Where provisioning's own password is kept."""
    return folder.root / "postgres" / "superuser.json"


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
        passwords = {group: _password(folder, group) for group in GROUPS}
        await asyncio.to_thread(provision, server.port, password, workspace, passwords)
        for group, secret in passwords.items():
            login = Login(server.port, LEDGER_DATABASE, user_of(group, workspace), secret)
            write_login(folder, group, login)
    except BaseException:
        await server.stop()
        raise
    return server


def _password(folder: DataFolder, identity: str) -> str:
    """The identity's password, kept from the last start."""
    if not login_file(folder, identity).exists():
        return secrets.token_urlsafe(32)
    return read_login(folder, identity).password
