"""Settings: the one configuration file, `anyteam.toml`, validated whole at start.

Pure: text in, settings out. Each error names the key and what it should be. Secrets are
never in it: credentials are in the vault, keys in their own files.
"""

import re
from ipaddress import ip_network
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.confinement import NAMED, Wall
from schemas.errors import SchemaError
from schemas.httpapi import HttpApiSettings
from schemas.kms import KmsSettings, check_kms
from schemas.mcp import McpTool
from schemas.names import Classification, Name, ToolName
from schemas.nameservers import name_server
from schemas.patterns import Pattern
from schemas.tools import Budget, Effect, Pace, Trust
from schemas.webconsole import ConsoleSettings, check_console

_CONFIDENTIAL_URL = re.compile(
    r"https://[^\s/?#@\\]+(?:[/?][^\s#\\]*)?|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?(?:[/?][^\s#]*)?"
)

Port = Annotated[int, Meta(ge=0, le=65_535)]
Tls = Literal["implicit", "starttls", "none"]
Folder = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=100)]


class BadSettings(SchemaError):
    """The configuration file is out of form; the message names the key."""

    exit_code = 2


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: unknown keys are errors, not silence."""


class BusSettings(Section, frozen=True, kw_only=True):
    """`port` 0 lets the system choose. `sync` is JetStream's sync_interval. After
    `snapshot_every` entries each component takes a snapshot of what it has folded.
    """

    port: Port = 0
    sync: str = "always"
    snapshot_every: Annotated[int, Meta(ge=1)] = 2_000


class DestinationSettings(Section, frozen=True, kw_only=True):
    """An entry of the destination allowlist; `expires` is the last day (UTC) it counts.

    Unless `owned` is false the owner of its domain is watched, by what the DNS publishes.
    """

    destination: str
    expires: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$(?!\n)")] = ""
    owned: bool = True


class ResolverSettings(Section, frozen=True, kw_only=True):
    """Who answers questions to the DNS: `address` or `address:port`; the system's where empty."""

    nameservers: tuple[str, ...] = ()


class ToolSettings(Section, frozen=True, kw_only=True):
    """What the workspace makes stricter in a tool's declaration; see `schemas.tools.Tool`."""

    trust: Trust | None = None
    trusted: tuple[str, ...] | None = None
    classification: Classification | None = None
    ceiling: Classification | None = None
    cost: Annotated[int, Meta(ge=0)] | None = None


class PolicySettings(Section, frozen=True, kw_only=True):
    """What goes into the signed policy; see `schemas.tools.Policy`.

    `patterns` are watched beside the built-in ones; one of the same name takes its place.
    """

    tools: tuple[ToolName, ...]
    organisation: tuple[str, ...] = ()
    human_effects: tuple[Effect, ...] = (Effect.PAYMENT,)
    four_eyes: tuple[Effect, ...] = ()
    max_ttl_s: Annotated[int, Meta(ge=1, le=604_800)] = 3_600
    max_actions: Annotated[int, Meta(ge=1, le=100_000)] = 200
    skew_s: Annotated[int, Meta(ge=1, le=3_600)] = 120
    verdict_s: Annotated[int, Meta(ge=1, le=3_600)] = 60
    approval_s: Annotated[int, Meta(ge=1, le=604_800)] = 86_400
    park_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    destinations: tuple[DestinationSettings, ...] = ()
    allowlist_only: bool = False
    revalidate_s: Annotated[int, Meta(ge=60, le=2_592_000)] = 86_400
    fresh_s: Annotated[int, Meta(ge=0, le=86_400)] = 60
    per_run: Budget = Budget()
    per_tool: dict[ToolName, Budget] = {}
    per_day: Budget = Budget()
    pace: Pace = Pace()
    rules: str = ""
    tool: dict[ToolName, ToolSettings] = {}
    patterns: tuple[Pattern, ...] = ()


class AgentSettings(Section, frozen=True, kw_only=True):
    """An agent's program. `scripted` plays `plan`, a path beside the configuration file; `mcp` is
    served to whoever comes by `anyteam mcp serve` or `anyteam.run`."""

    planner: Annotated[str, Meta(pattern=r"^(scripted|model|mcp)$(?!\n)")]
    plan: str = ""
    instructions: str = ""


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


class ModelSettings(Section, frozen=True, kw_only=True):
    """A model behind the gateway: the runtimes' in `[model]`, the judge's in `[judge]`.

    `local` says that its endpoint is inside your own walls. With `tokens`, names, amounts,
    addresses and keys are replaced by tokens before a prompt leaves the sidecar; a model that is
    not local is refused without. Prices are per million tokens, in the policy's currency.
    """

    model: str
    url: str
    local: bool
    max_tokens: Annotated[int, Meta(ge=1, le=100_000)] = 1_024
    timeout_s: Annotated[int, Meta(ge=1, le=600)] = 60
    tokens: bool = True
    price_in: Annotated[float, Meta(ge=0, le=1_000_000)] = 0.0
    price_out: Annotated[float, Meta(ge=0, le=1_000_000)] = 0.0


class NameSettings(Section, frozen=True, kw_only=True):
    """Names that tokens replace wherever they stand, beside those that detection finds."""

    persons: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()


class WebhookSettings(Section, frozen=True, kw_only=True):
    """Posting the ledger's events to endpoints; without this section nothing is posted.

    Endpoints are public hosts over https; those in a `private` network (`10.1.0.0/16`) may be
    reached too, and over http. Times are in seconds: how long an attempt may take, how long a
    message is refused before it is a dead letter, how long an endpoint is away before it is
    disabled.
    """

    private: tuple[str, ...] = ()
    timeout_s: Annotated[int, Meta(ge=1, le=120)] = 15
    dead_after_s: Annotated[int, Meta(ge=1, le=2_592_000)] = 7_200
    give_up_s: Annotated[int, Meta(ge=3_600, le=31_536_000)] = 259_200


class SandboxSettings(Section, frozen=True, kw_only=True):
    """How each run's processes are confined; see docs/confinement.md.

    A wall that the kernel does not allow is a warning, unless `required`: then no run starts
    without those that `walls` names.
    """

    required: bool = False
    walls: tuple[Wall, ...] = NAMED
    memory_mb: Annotated[int, Meta(ge=256, le=1_048_576)] = 1_024
    cpu_s: Annotated[int, Meta(ge=10, le=86_400)] = 3_600


class ProjectionSettings(Section, frozen=True, kw_only=True):
    """The stores that the ledger is projected into, by a component that holds no other key.

    The section alone switches PostgreSQL on. The port is the database's; 0 lets the system choose.
    `documents` switches on the document store, with memory and observations, beside it; `vectors`
    the index of the memory by meaning.
    """

    port: Port = 0
    documents: bool = False
    vectors: bool = False


class Settings(Section, frozen=True, kw_only=True):
    """The whole file. With `judge`, that model reviews high-stakes proposals beside the rules."""

    workspace: Name
    reps: tuple[Name, ...]
    admins: tuple[Name, ...]
    policy: PolicySettings
    bus: BusSettings = BusSettings()
    kms: KmsSettings = KmsSettings()
    agents: dict[Name, AgentSettings] = {}
    connectors: ConnectorSettings = ConnectorSettings()
    resolver: ResolverSettings = ResolverSettings()
    oauth: dict[Name, OAuthSettings] = {}
    model: ModelSettings | None = None
    judge: ModelSettings | None = None
    names: NameSettings = NameSettings()
    sandbox: SandboxSettings = SandboxSettings()
    projections: ProjectionSettings | None = None
    webhooks: WebhookSettings | None = None
    console: ConsoleSettings | None = None


def parse_settings(text: str, where: str) -> Settings:
    """The settings in `text`, which came from `where`. Raises `BadSettings`."""
    try:
        settings = msgspec.toml.decode(text, type=Settings)
    except msgspec.DecodeError as error:
        raise BadSettings(f"{where}: {error}", fix="see docs/configuration.md") from error
    for name, agent in settings.agents.items():
        if agent.planner == "scripted" and not agent.plan:
            raise BadSettings(f"{where}: agents.{name}.plan is missing", fix="name a plan file")
        if agent.planner == "model" and settings.model is None:
            raise BadSettings(f"{where}: agents.{name} needs [model]", fix="configure a model")
    _check_models(settings, where)
    for name, client in settings.oauth.items():
        _check_oauth(client, f"{where}: oauth.{name}")
    _check_mail(settings, where)
    for name, server in settings.connectors.mcp.items():
        _check_mcp(f"{where}: connectors.mcp.{name}", server)
    _check_webhooks(settings, where)
    try:
        check_kms(settings.kms)
    except ValueError as error:
        raise BadSettings(f"{where}: {error}", fix="see docs/configuration.md, [kms]") from error
    try:
        check_console(settings.console or ConsoleSettings())
    except ValueError as error:
        raise BadSettings(
            f"{where}: {error}", fix="see docs/configuration.md, [console]"
        ) from error
    for place, written in enumerate(settings.resolver.nameservers):
        try:
            name_server(written)
        except ValueError as error:
            raise BadSettings(
                f"{where}: resolver.nameservers[{place}]: {error}",
                fix='write "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"',
            ) from error
    return settings


def _check_oauth(client: OAuthSettings, where: str) -> None:
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


def _check_webhooks(settings: Settings, where: str) -> None:
    for place, written in enumerate(settings.webhooks.private if settings.webhooks else ()):
        try:
            ip_network(written)
        except ValueError as error:
            raise BadSettings(
                f"{where}: webhooks.private[{place}]: {error}",
                fix='write a network, as in "10.1.0.0/16" or "127.0.0.1"',
            ) from error


def _check_models(settings: Settings, where: str) -> None:
    """A model outside the walls gets tokens, and the judge's is another than the runtime's."""
    model, judge = settings.model, settings.judge
    for key, chosen in (("model", model), ("judge", judge)):
        if chosen is not None and not chosen.local and not chosen.tokens:
            raise BadSettings(
                f"{where}: {key}.tokens is false, and {key}.local is false",
                fix=f"remove {key}.tokens, or set {key}.local = true for a model inside your walls",
            )
    if model is not None and judge is not None and _same(model.model, judge.model):
        raise BadSettings(
            f"{where}: judge.model is the same as model.model, {model.model}",
            fix="let judge.model be another model: one that was talked over cannot judge itself",
        )


def _check_mail(settings: Settings, where: str) -> None:
    """One mail connector; its outbox is a folder of its own: what is in it is removed in time."""
    mail = settings.connectors.mail
    if mail is None:
        return
    if settings.connectors.gmail is not None:
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


def _same(one: str, other: str) -> bool:
    """Whether two names stand for one model; a name without a provider is the default one's."""
    return _bare(one) == _bare(other)


def _bare(model: str) -> str:
    return model.strip().casefold().removeprefix("openai/")
