"""From settings to connectors: which tools a configuration declares, and serving them."""

from collections.abc import Iterator
from pathlib import Path

from schemas.settings import ConnectorSettings
from schemas.tools import Tool
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.crm import CRM_TOOLS, CrmConnector
from sidecar.connectors.files import FILES_TOOLS, FilesConnector
from sidecar.connectors.gmail import GmailConnector
from sidecar.connectors.mail import MailConnector
from sidecar.connectors.mail_tools import MAIL_TOOLS
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.vault import Credentials


def declared_tools(settings: ConnectorSettings) -> tuple[Tool, ...]:
    """The tools of every connector that is switched on, and of the memory."""
    tools: list[Tool] = []
    if settings.files is not None:
        tools += FILES_TOOLS
    if settings.mail is not None or settings.gmail is not None:
        tools += MAIL_TOOLS
    if settings.crm is not None:
        tools += CRM_TOOLS
    if settings.memory:
        tools += MEMORY_TOOLS
    return tuple(tools)


def open_connectors(
    settings: ConnectorSettings, base: Path, credentials: Credentials
) -> dict[str, Connector]:
    """Connectors by tool name; relative paths are under `base`. Raises `BadConnector`."""
    return registry(_opened(settings, base, credentials))


def _opened(
    settings: ConnectorSettings, base: Path, credentials: Credentials
) -> Iterator[Connector]:
    files, mail, crm = settings.files, settings.mail, settings.crm
    if files is not None:
        yield FilesConnector(base / files.root)
    if mail is not None:
        yield MailConnector(mail, credentials.get("mail"))
    if settings.gmail is not None:
        yield GmailConnector(settings.gmail, credentials.get("gmail"))
    if crm is not None:
        yield CrmConnector(crm.url, credentials.get("crm"))
