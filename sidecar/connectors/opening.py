"""From settings to connectors: which tools a configuration declares, and serving them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from schemas.settings import ConnectorSettings
from schemas.tools import Tool
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.crm import CRM_TOOLS, CrmConnector
from sidecar.connectors.files import FILES_TOOLS, FilesConnector
from sidecar.connectors.mail import MAIL_TOOLS, MailConnector
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.vault import Credentials


class Offer(Struct, frozen=True):
    """What one switched-on connector declares, and how it is opened with credentials."""

    tools: tuple[Tool, ...]
    open: Callable[[Credentials], Connector]


def declared_tools(settings: ConnectorSettings) -> tuple[Tool, ...]:
    """The tools of every connector that is switched on, and of the memory."""
    tools = [tool for offer in offers(settings, Path()) for tool in offer.tools]
    if settings.memory:
        tools += MEMORY_TOOLS
    return tuple(tools)


def open_connectors(
    settings: ConnectorSettings, base: Path, credentials: Credentials
) -> dict[str, Connector]:
    """Connectors by tool name; relative paths are under `base`. Raises `BadConnector`."""
    return registry(offer.open(credentials) for offer in offers(settings, base))


def offers(settings: ConnectorSettings, base: Path) -> Iterator[Offer]:
    """Every connector that is switched on, not yet opened."""
    files, mail, crm = settings.files, settings.mail, settings.crm
    if files is not None:
        yield Offer(FILES_TOOLS, lambda _: FilesConnector(base / files.root))
    if mail is not None:
        yield Offer(
            MAIL_TOOLS,
            lambda credentials: MailConnector(
                host=mail.host,
                port=mail.port,
                sender=mail.sender,
                inbox=base / mail.inbox,
                sent=base / mail.sent,
                starttls=mail.starttls,
                password=credentials.get("mail"),
            ),
        )
    if crm is not None:
        yield Offer(CRM_TOOLS, lambda credentials: CrmConnector(crm.url, credentials.get("crm")))
