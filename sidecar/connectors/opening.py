"""From settings to connectors: which tools a configuration declares, and serving them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.settings import ConnectorSettings
from schemas.tools import Tool
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.crm import CRM_TOOLS, CrmConnector
from sidecar.connectors.files import FILES_TOOLS, FilesConnector
from sidecar.connectors.hubspot import HubSpotConnector
from sidecar.connectors.hubspot_tools import hubspot_tools
from sidecar.connectors.mail import MAIL_TOOLS, MailConnector
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.connectors.rest import RestConnector
from sidecar.connectors.rest_tools import calls_of
from sidecar.connectors.urls import rules_of
from sidecar.connectors.web import WEB_TOOLS, WebConnector
from sidecar.destinations.resolver import Resolver
from sidecar.vault import Credentials

_HERE: Final = Path()


def declared_tools(settings: ConnectorSettings, base: Path = _HERE) -> tuple[Tool, ...]:
    """The tools of every connector that is switched on, and of the memory.

    Relative paths are under `base`. Raises `BadConnector`.
    """
    tools: list[Tool] = []
    if settings.files is not None:
        tools += FILES_TOOLS
    if settings.mail is not None:
        tools += MAIL_TOOLS
    if settings.crm is not None:
        tools += CRM_TOOLS
    if settings.hubspot is not None:
        tools += hubspot_tools(settings.hubspot.trusted)
    if settings.web is not None:
        rules_of(settings.web.hosts, settings.web.http)
        tools += WEB_TOOLS
    for name, api in settings.http.items():
        tools += (call.tool for call in calls_of(name, api, base))
    if settings.memory:
        tools += MEMORY_TOOLS
    return tuple(tools)


def open_connectors(
    settings: ConnectorSettings, base: Path, credentials: Credentials, resolver: Resolver
) -> dict[str, Connector]:
    """Connectors by tool name; relative paths are under `base`. Raises `BadConnector`."""
    return registry(_opened(settings, base, credentials, resolver))


def _opened(
    settings: ConnectorSettings, base: Path, credentials: Credentials, resolver: Resolver
) -> Iterator[Connector]:
    files, mail, crm = settings.files, settings.mail, settings.crm
    if files is not None:
        yield FilesConnector(base / files.root, hard_links=files.hard_links)
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
    if settings.hubspot is not None:
        yield HubSpotConnector(
            settings.hubspot.url,
            credentials.get("hubspot"),
            key_property=settings.hubspot.key_property,
            trusted=settings.hubspot.trusted,
        )
    if settings.web is not None:
        yield WebConnector(settings.web.hosts, settings.web.http, resolver)
    for name, api in settings.http.items():
        yield RestConnector(name, api, base, credentials.get(f"http-{name}"))
