"""Settings of the connectors, and of the OAuth clients that mint their credentials.

Pure. Addresses and names of credentials are here; credentials are in the vault.
"""

import re
from typing import Annotated, Literal

from msgspec import Meta

from schemas.httpapi import HttpApiSettings
from schemas.mcp import McpTool
from schemas.names import Name, ToolName
from schemas.sections import BadSettings, Folder, Port, Section, Tls

_CONFIDENTIAL_URL = re.compile(
    r"https://[^\s/?#@\\]+(?:[/?][^\s#\\]*)?|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?(?:[/?][^\s#]*)?"
)


class FilesSettings(Section, frozen=True, kw_only=True):
    """The files connector: everything below `root`; `hard_links` allows files with other names."""

    root: str
    hard_links: bool = False


class SmtpSettings(Section, frozen=True, kw_only=True):
    """Where mail goes out. `none` is accepted for a server on this machine only."""

    host: str = "127.0.0.1"
    port: Port
    tls: Tls = "implicit"


class ImapSettings(Section, frozen=True, kw_only=True):
    """Where the mailbox is, and what its folders are called.

    `outbox` is a folder for the connector alone. `sent_copy` says who files the copy of a sent
    message: the `server`, or the connector, by `append`.
    """

    host: str = "127.0.0.1"
    port: Port
    tls: Tls = "implicit"
    inbox: Folder = "INBOX"
    sent: Folder = "Sent"
    drafts: Folder = "Drafts"
    outbox: Folder = "AnyTeam Outbox"
    sent_copy: Literal["server", "append"] = "append"


class MailSettings(Section, frozen=True, kw_only=True):
    """The mail connector: a mailbox over IMAP, and SMTP out.

    `user` logs in at both, the sender where it is empty; the password is the vault's `mail`.
    """

    sender: str
    user: str = ""
    smtp: SmtpSettings
    imap: ImapSettings


class GmailSettings(Section, frozen=True, kw_only=True):
    """The mail connector over the Gmail API. Its bearer token is the vault's `gmail`."""

    sender: str
    url: str = "https://gmail.googleapis.com"


class CalendarSettings(Section, frozen=True, kw_only=True):
    """A calendar over CalDAV: `url` is the calendar's own. `user` logs in with the password that
    is the vault's `calendar`; `organizer` is the mailbox that invites.
    """

    url: str
    user: Annotated[str, Meta(min_length=1)]
    organizer: str


class GoogleCalendarSettings(Section, frozen=True, kw_only=True):
    """A calendar over the Google Calendar API. Its bearer token is the vault's `gcalendar`."""

    calendar: Annotated[str, Meta(min_length=1, max_length=254)] = "primary"
    url: str = "https://www.googleapis.com"


class CrmSettings(Section, frozen=True, kw_only=True):
    """The CRM connector. Its bearer token is the vault's `crm`."""

    url: str


class HubSpotSettings(Section, frozen=True, kw_only=True):
    """HubSpot; a private app's token is the vault's `hubspot`.

    `key_property` is the property, of deals, and unique of notes and contacts, that each change
    writes its key into. `trusted` are the properties that only your own people write.
    """

    url: str = "https://api.hubapi.com"
    key_property: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,99}$(?!\n)")] = "anyteam_key"
    trusted: tuple[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,99}$(?!\n)")], ...] = ()


class WebSettings(Section, frozen=True, kw_only=True):
    """Fetching from the web: `hosts` over https, `http` over plain http too.

    Each is `name`, `*.name` for all below it, or `*` for any, perhaps with a port.
    """

    hosts: Annotated[tuple[str, ...], Meta(min_length=1)]
    http: tuple[str, ...] = ()


class McpSettings(Section, frozen=True, kw_only=True):
    """An MCP server: `command` to run (stdio), or the `url` of one (streamable HTTP).

    A command gets `env`, and of `env_credentials` the vault's credentials by variable, and no
    other environment. A URL gets the vault's `credential` as bearer token, where one is named.
    `tools` are declared in a file of their own, `mcp/NAME.toml`.
    """

    command: tuple[str, ...] = ()
    env: dict[str, str] = {}
    env_credentials: dict[str, Name] = {}
    url: str = ""
    credential: Name | None = None
    timeout_s: Annotated[int, Meta(ge=1, le=600)] = 30
    tools: dict[str, McpTool] = {}


class ConnectorSettings(Section, frozen=True, kw_only=True):
    """The connectors that are switched on; whether the workspace's memory is, and the reading of
    what reps' devices heard.
    """

    memory: bool = False
    transcripts: bool = False
    files: FilesSettings | None = None
    mail: MailSettings | None = None
    gmail: GmailSettings | None = None
    calendar: CalendarSettings | None = None
    gcalendar: GoogleCalendarSettings | None = None
    crm: CrmSettings | None = None
    hubspot: HubSpotSettings | None = None
    web: WebSettings | None = None
    http: dict[Name, HttpApiSettings] = {}
    mcp: dict[Name, McpSettings] = {}


class OAuthSettings(Section, frozen=True, kw_only=True):
    """An OAuth 2 client, by whose grant the credential of the same name is minted per action.

    `scopes` are asked of a rep once (`anyteam credential connect`). `tools` lists each tool that
    gets a token, with the scopes that it needs; no other tool gets one. With `revoke_each` a
    token is revoked as its action ends: for providers where that leaves the consent in force.
    """

    authorize_url: str
    token_url: str
    revoke_url: str = ""
    client_id: Annotated[str, Meta(min_length=1)]
    scopes: tuple[str, ...]
    tools: dict[ToolName, tuple[str, ...]]
    revoke_each: bool = False


def check_connectors(connectors: ConnectorSettings, where: str) -> None:
    """What one key alone does not show. Raises `BadSettings`; `where` is the file."""
    _check_mail(connectors, where)
    for name, server in connectors.mcp.items():
        _check_mcp(f"{where}: connectors.mcp.{name}", server)


def check_oauth(client: OAuthSettings, where: str) -> None:
    """Tokens travel over TLS or on this machine, and each tool's are among those consented to."""
    for key in ("authorize_url", "token_url", "revoke_url"):
        url = getattr(client, key)
        if url and not _CONFIDENTIAL_URL.fullmatch(url):
            raise BadSettings(
                f"{where}.{key}: {url!r} would send tokens in the clear",
                fix="write an https address; http serves on 127.0.0.1 alone",
            )
    for tool, scopes in client.tools.items():
        stray = sorted(set(scopes) - set(client.scopes))
        if stray:
            raise BadSettings(
                f'{where}.tools."{tool}" needs {stray[0]}, which {where.rpartition(": ")[2]}.scopes'
                " does not ask for",
                fix="add it to scopes, or take it away here",
            )


def _check_mail(connectors: ConnectorSettings, where: str) -> None:
    """One mail connector; its outbox is a folder of its own: what is in it is removed in time."""
    mail = connectors.mail
    if mail is None:
        return
    if connectors.gmail is not None:
        raise BadSettings(
            f"{where}: connectors.mail and connectors.gmail serve the same tools",
            fix="configure one of the two",
        )
    imap = mail.imap
    if imap.outbox.casefold() in {
        name.casefold() for name in (imap.inbox, imap.sent, imap.drafts, "INBOX")
    }:
        raise BadSettings(
            f"{where}: connectors.mail.imap.outbox is the folder {imap.outbox!r}, which has mail",
            fix="let connectors.mail.imap.outbox be a folder that is used for nothing else",
        )


def _check_mcp(key: str, server: McpSettings) -> None:
    """Either a command or a URL, with what belongs to it and nothing else."""
    if bool(server.command) == bool(server.url):
        raise BadSettings(
            f"{key} needs either command or url", fix='command = ["/usr/bin/program", "argument"]'
        )
    if server.url and (server.env or server.env_credentials):
        raise BadSettings(f"{key}.env is for a command, not for a url", fix="remove it")
    if server.command and server.credential is not None:
        raise BadSettings(
            f"{key}.credential is for a url, not for a command",
            fix='use env_credentials = { VARIABLE = "credential" }',
        )
    both = sorted(set(server.env) & set(server.env_credentials))
    if both:
        raise BadSettings(f"{key}.env and {key}.env_credentials both set {both[0]}", fix="keep one")
    if server.tools:
        raise BadSettings(f"{key}.tools is not for this file", fix="anyteam mcp pin")
