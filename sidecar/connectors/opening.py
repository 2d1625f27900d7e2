"""From settings to connectors: which tools a configuration declares, and serving them."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from schemas.addresses import Admits, is_public
from schemas.declarations import tools_of
from schemas.httpapi import HttpApiSettings
from schemas.settings import ConnectorSettings, McpSettings
from schemas.tools import Tool
from sidecar.connectors.caldav import CalDav
from sidecar.connectors.calendar import CalendarConnector
from sidecar.connectors.calendar_tools import CALENDAR_TOOLS
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.crm import CRM_TOOLS, CrmConnector
from sidecar.connectors.files import FILES_TOOLS, FilesConnector
from sidecar.connectors.gmail import GmailConnector
from sidecar.connectors.google_calendar import GoogleCalendar
from sidecar.connectors.hubspot import HubSpotConnector
from sidecar.connectors.hubspot_tools import hubspot_tools
from sidecar.connectors.mail import MailConnector
from sidecar.connectors.mail_tools import MAIL_TOOLS
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.connectors.rest import RestConnector
from sidecar.connectors.rest_tools import calls_of
from sidecar.connectors.transcripts import TRANSCRIPT_TOOLS
from sidecar.connectors.urls import rules_of
from sidecar.connectors.web import WEB_TOOLS, WebConnector
from sidecar.destinations.resolver import Resolver
from sidecar.errors import BadConnector, McpMissing
from sidecar.vault import Credentials

_HERE: Final = Path()


class Surroundings(Struct, frozen=True):
    """What a connector is opened with beside its settings: credentials, who answers for names,
    which addresses the web connector may connect to.
    """

    credentials: Credentials
    resolver: Resolver
    admits: Admits = is_public


class Offer(Struct, frozen=True):
    """What one switched-on connector declares, and how it is opened.

    A `lasting` one holds something open between actions, and is opened once.
    """

    tools: tuple[Tool, ...]
    open: Callable[[Surroundings], Connector]
    lasting: bool = False


def declared_tools(settings: ConnectorSettings, base: Path = _HERE) -> tuple[Tool, ...]:
    """The tools of every connector that is switched on, and of the memory.

    Relative paths are under `base`. Raises `BadConnector`, also where two share a name.
    """
    tools = [tool for offer in offers(settings, base) for tool in offer.tools]
    if settings.memory:
        tools += MEMORY_TOOLS
    if settings.transcripts:
        tools += TRANSCRIPT_TOOLS
    names = [tool.name for tool in tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadConnector(
            f"two connectors serve the tool {twice[0]}", fix="switch one of them off"
        )
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
    calendar, google = settings.calendar, settings.gcalendar
    if files is not None:
        yield Offer(
            FILES_TOOLS,
            lambda _: FilesConnector(base / files.root, hard_links=files.hard_links),
        )
    if mail is not None:
        yield Offer(MAIL_TOOLS, lambda around: MailConnector(mail, around.credentials.get("mail")))
    if gmail is not None:
        yield Offer(
            MAIL_TOOLS, lambda around: GmailConnector(gmail, around.credentials.get("gmail"))
        )
    if calendar is not None:
        yield Offer(
            CALENDAR_TOOLS,
            lambda around: CalendarConnector(CalDav(calendar, around.credentials.get("calendar"))),
        )
    if google is not None:
        yield Offer(
            CALENDAR_TOOLS,
            lambda around: CalendarConnector(
                GoogleCalendar(google, around.credentials.get("gcalendar"))
            ),
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
        rules_of(web.hosts, web.http)
        yield Offer(
            WEB_TOOLS,
            lambda around: WebConnector(web.hosts, web.http, around.resolver, admits=around.admits),
        )
    for name, api in settings.http.items():
        yield _described(name, api, base)
    for name, server in settings.mcp.items():
        yield Offer(tools_of(server.tools), partial(_served, name, server), lasting=True)


def _described(name: str, api: HttpApiSettings, base: Path) -> Offer:
    calls = calls_of(name, api, base)
    return Offer(
        tuple(call.tool for call in calls),
        lambda around: RestConnector(calls, api, around.credentials.get(f"http-{name}")),
    )


def _served(name: str, server: McpSettings, around: Surroundings) -> Connector:
    try:
        from sidecar.connectors.mcp.connector import McpConnector
        from sidecar.connectors.mcp.session import McpServer, connector_to, silent
    except ImportError as error:
        raise McpMissing(
            "an MCP server is configured but the package mcp is not installed",
            fix="pip install 'anyteam-trust[mcp]'",
        ) from error
    connect = connector_to(server, around.credentials, silent())
    return McpConnector(name, McpServer(connect, timeout_s=server.timeout_s), server.tools)
