"""From settings to connectors: which tools a configuration declares, and serving them.

A connector is imported only where it is switched on: each brings a protocol's library, and every
command that reads the settings would wait for all of them.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from schemas.addresses import Admits, is_public
from schemas.connectors import (
    CalendarSettings,
    ConnectorSettings,
    CrmSettings,
    FilesSettings,
    GmailSettings,
    GoogleCalendarSettings,
    HubSpotSettings,
    MailSettings,
    McpSettings,
    WebSettings,
)
from schemas.declarations import tools_of
from schemas.httpapi import HttpApiSettings
from schemas.tools import Tool
from sidecar.connectors.calendar_tools import CALENDAR_TOOLS
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.hubspot_tools import hubspot_tools
from sidecar.connectors.mail_tools import MAIL_TOOLS
from sidecar.connectors.memory import MEMORY_TOOLS
from sidecar.connectors.transcripts import TRANSCRIPT_TOOLS
from sidecar.errors import BadConnector, McpMissing
from sidecar.vault import Credentials

if TYPE_CHECKING:
    from sidecar.destinations.resolver import Resolver

_HERE: Final = Path()


class Surroundings(Struct, frozen=True):
    """What a connector is opened with beside its settings: credentials, who answers for names,
    which addresses the web connector may connect to.
    """

    credentials: Credentials
    resolver: "Resolver"
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
    if settings.files is not None:
        yield _files(settings.files, base)
    if settings.mail is not None:
        yield Offer(MAIL_TOOLS, partial(_mail, settings.mail))
    if settings.gmail is not None:
        yield Offer(MAIL_TOOLS, partial(_gmail, settings.gmail))
    if settings.calendar is not None:
        yield Offer(CALENDAR_TOOLS, partial(_caldav, settings.calendar))
    if settings.gcalendar is not None:
        yield Offer(CALENDAR_TOOLS, partial(_google_calendar, settings.gcalendar))
    if settings.crm is not None:
        yield _crm(settings.crm)
    if settings.hubspot is not None:
        yield Offer(hubspot_tools(settings.hubspot.trusted), partial(_hubspot, settings.hubspot))
    if settings.web is not None:
        yield _web(settings.web)
    for name, api in settings.http.items():
        yield _described(name, api, base)
    for name, server in settings.mcp.items():
        yield Offer(tools_of(server.tools), partial(_served, name, server), lasting=True)


def _files(files: FilesSettings, base: Path) -> Offer:
    from sidecar.connectors.files import FILES_TOOLS, FilesConnector

    return Offer(
        FILES_TOOLS, lambda _: FilesConnector(base / files.root, hard_links=files.hard_links)
    )


def _mail(mail: MailSettings, around: Surroundings) -> Connector:
    from sidecar.connectors.mail import MailConnector

    return MailConnector(mail, around.credentials.get("mail"))


def _gmail(gmail: GmailSettings, around: Surroundings) -> Connector:
    from sidecar.connectors.gmail import GmailConnector

    return GmailConnector(gmail, around.credentials.get("gmail"))


def _caldav(calendar: CalendarSettings, around: Surroundings) -> Connector:
    from sidecar.connectors.caldav import CalDav
    from sidecar.connectors.calendar import CalendarConnector

    return CalendarConnector(CalDav(calendar, around.credentials.get("calendar")))


def _google_calendar(google: GoogleCalendarSettings, around: Surroundings) -> Connector:
    from sidecar.connectors.calendar import CalendarConnector
    from sidecar.connectors.google_calendar import GoogleCalendar

    return CalendarConnector(GoogleCalendar(google, around.credentials.get("gcalendar")))


def _crm(crm: CrmSettings) -> Offer:
    from sidecar.connectors.crm import CRM_TOOLS, CrmConnector

    return Offer(CRM_TOOLS, lambda around: CrmConnector(crm.url, around.credentials.get("crm")))


def _hubspot(hubspot: HubSpotSettings, around: Surroundings) -> Connector:
    from sidecar.connectors.hubspot import HubSpotConnector

    return HubSpotConnector(
        hubspot.url,
        around.credentials.get("hubspot"),
        key_property=hubspot.key_property,
        trusted=hubspot.trusted,
    )


def _web(web: WebSettings) -> Offer:
    from sidecar.connectors.urls import rules_of
    from sidecar.connectors.web import WEB_TOOLS, WebConnector

    rules_of(web.hosts, web.http)
    return Offer(
        WEB_TOOLS,
        lambda around: WebConnector(web.hosts, web.http, around.resolver, admits=around.admits),
    )


def _described(name: str, api: HttpApiSettings, base: Path) -> Offer:
    from sidecar.connectors.rest import RestConnector
    from sidecar.connectors.rest_tools import calls_of

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
