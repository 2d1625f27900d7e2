"""The embedded document store of one installation: server, login and blobs, in its data folder.

documents/                          the server's data
blobs/<workspace>/                  sealed content
identities/projector/documents.json the projector's login, 0600
"""

import secrets
from pathlib import Path

from msgspec.structs import replace

from bus.folder import DataFolder
from projections.documents.login import (
    DocumentLogin,
    database_of,
    login_file,
    read_login,
    write_login,
)
from projections.documents.server import DocumentServer


def blob_folder(folder: DataFolder, workspace: str) -> Path:
    """Where a workspace's blobs lie."""
    return folder.root / "blobs" / workspace


async def start(folder: DataFolder, workspace: str) -> DocumentServer:
    """The document store, up, with the projector's login written. Raises a `ProjectionError`."""
    if login_file(folder).exists():
        login = read_login(folder)
    else:
        login = DocumentLogin(0, database_of(workspace), "projector", secrets.token_urlsafe(32))
        write_login(folder, login)
    server = await DocumentServer.start(
        folder.root / "documents", [login], log=folder.log("documents-server")
    )
    write_login(folder, replace(login, port=server.port))
    return server
