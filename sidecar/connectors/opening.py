"""From settings to connectors: which tools a configuration declares, and serving them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from schemas.declarations import tools_of
from schemas.settings import ConnectorSettings
from schemas.tools import Tool
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.crm import CRM_TOOLS, CrmConnector
from sidecar.connectors.files import FILES_TOOLS, FilesConnector
from sidecar.connectors.mail import MAIL_TOOLS, MailConnector
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.errors import BadConnector, McpMissing
from sidecar.vault import Credentials


@runtime_checkable
class Closing(Protocol):
    """A connector that holds something open between calls."""

    async def close(self) -> None:
        """Let it go."""
        ...


def declared_tools(settings: ConnectorSettings) -> tuple[Tool, ...]:
    """The tools of every connector that is switched on, and of the memory.

    Raises `BadConnector` where two share a name.
    """
    tools: list[Tool] = []
    if settings.files is not None:
        tools += FILES_TOOLS
    if settings.mail is not None:
        tools += MAIL_TOOLS
    if settings.crm is not None:
        tools += CRM_TOOLS
    if settings.memory:
        tools += MEMORY_TOOLS
    for server in settings.mcp.values():
        tools += tools_of(server.tools)
    names = [tool.name for tool in tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadConnector(
            f"two connectors serve the tool {twice[0]}", fix="switch one of them off"
        )
    return tuple(tools)


def open_connectors(
    settings: ConnectorSettings, base: Path, credentials: Credentials
) -> dict[str, Connector]:
    """Connectors by tool name; relative paths are under `base`. Raises `BadConnector`."""
    return registry(_opened(settings, base, credentials))


async def close_connectors(connectors: Mapping[str, Connector]) -> None:
    """End what connectors hold open: the processes of MCP servers."""
    for connector in set(connectors.values()):
        if isinstance(connector, Closing):
            await connector.close()


def _opened(
    settings: ConnectorSettings, base: Path, credentials: Credentials
) -> Iterator[Connector]:
    files, mail, crm = settings.files, settings.mail, settings.crm
    if files is not None:
        yield FilesConnector(base / files.root)
    if mail is not None:
        yield MailConnector(
            host=mail.host,
            port=mail.port,
            sender=mail.sender,
            inbox=base / mail.inbox,
            sent=base / mail.sent,
            starttls=mail.starttls,
            password=credentials.get("mail"),
        )
    if crm is not None:
        yield CrmConnector(crm.url, credentials.get("crm"))
    yield from _mcp(settings, credentials)


def _mcp(settings: ConnectorSettings, credentials: Credentials) -> Iterator[Connector]:
    if not settings.mcp:
        return
    try:
        from sidecar.connectors.mcp.connector import McpConnector
        from sidecar.connectors.mcp.session import McpServer, connector_to, silent
    except ImportError as error:
        raise McpMissing(
            "an MCP server is configured but the package mcp is not installed",
            fix="pip install 'anyteam-trust[mcp]'",
        ) from error
    for name, server in settings.mcp.items():
        connect = connector_to(server, credentials, silent())
        yield McpConnector(name, McpServer(connect, timeout_s=server.timeout_s), server.tools)
