"""From settings to connectors: which tools a configuration declares, and serving them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from schemas.httpapi import HttpApiSettings
from schemas.settings import ConnectorSettings
from schemas.tools import Tool
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.crm import CRM_TOOLS, CrmConnector
from sidecar.connectors.files import FILES_TOOLS, FilesConnector
from sidecar.connectors.gmail import GmailConnector
from sidecar.connectors.hubspot import HubSpotConnector
from sidecar.connectors.hubspot_tools import hubspot_tools
from sidecar.connectors.mail import MailConnector
from sidecar.connectors.mail_tools import MAIL_TOOLS
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.connectors.rest import RestConnector
from sidecar.connectors.rest_tools import calls_of
from sidecar.connectors.web import WEB_TOOLS, WebConnector
from sidecar.destinations.resolver import Resolver
from sidecar.vault import Credentials

_HERE: Final = Path()


class Surroundings(Struct, frozen=True):
    """What a connector is opened with beside its settings: credentials, who answers for names."""

    credentials: Credentials
    resolver: Resolver


class Offer(Struct, frozen=True):
    """What one switched-on connector declares, and how it is opened."""

    tools: tuple[Tool, ...]
    open: Callable[[Surroundings], Connector]


def declared_tools(settings: ConnectorSettings, base: Path = _HERE) -> tuple[Tool, ...]:
    """The tools of every connector that is switched on, and of the memory.

    Relative paths are under `base`. Raises `BadConnector`.
    """
    tools = [tool for offer in offers(settings, base) for tool in offer.tools]
    if settings.memory:
        tools += MEMORY_TOOLS
    return tuple(tools)


def open_connectors(
    settings: ConnectorSettings, base: Path, around: Surroundings
) -> dict[str, Connector]:
    """Connectors by tool name; relative paths are under `base`. Raises `BadConnector`."""
    return registry(offer.open(around) for offer in offers(settings, base))


def offers(settings: ConnectorSettings, base: Path) -> Iterator[Offer]:
    """Every connector that is switched on, not yet opened. Raises `BadConnector`."""
    files, mail, crm = settings.files, settings.mail, settings.crm
    gmail, hubspot, web = settings.gmail, settings.hubspot, settings.web
    if files is not None:
        yield Offer(FILES_TOOLS, lambda _: FilesConnector(base / files.root))
    if mail is not None:
        yield Offer(MAIL_TOOLS, lambda around: MailConnector(mail, around.credentials.get("mail")))
    if gmail is not None:
        yield Offer(
            MAIL_TOOLS, lambda around: GmailConnector(gmail, around.credentials.get("gmail"))
        )
    if crm is not None:
        yield Offer(CRM_TOOLS, lambda around: CrmConnector(crm.url, around.credentials.get("crm")))
    if hubspot is not None:
        yield Offer(
            hubspot_tools(hubspot.trusted),
            lambda around: HubSpotConnector(
                hubspot.url,
                around.credentials.get("hubspot"),
                key_property=hubspot.key_property,
                trusted=hubspot.trusted,
            ),
        )
    if web is not None:
        yield Offer(WEB_TOOLS, lambda around: WebConnector(web.hosts, web.http, around.resolver))
    for name, api in settings.http.items():
        yield _described(name, api, base)


def _described(name: str, api: HttpApiSettings, base: Path) -> Offer:
    calls = calls_of(name, api, base)
    return Offer(
        tuple(call.tool for call in calls),
        lambda around: RestConnector(calls, api, around.credentials.get(f"http-{name}")),
    )
