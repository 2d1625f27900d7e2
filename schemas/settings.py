"""Settings: the one configuration file, `anyteam.toml`, validated whole at start.

Pure: text in, settings out. Each error names the key and what it should be. Secrets are
never in it: credentials are in the vault, keys in their own files.
"""

from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from schemas.confinement import NAMED, Wall
from schemas.connectors import ConnectorSettings, OAuthSettings, check_connectors, check_oauth
from schemas.kms import KmsSettings, check_kms, loopback
from schemas.names import Classification, Name, ToolName
from schemas.nameservers import name_server
from schemas.patterns import Pattern
from schemas.sections import BadSettings, Port, Section
from schemas.tools import Budget, Effect, Pace, Trust
from schemas.webconsole import ConsoleSettings, check_console
from schemas.witnesses import WitnessSettings, check_witnesses


class BusSettings(Section, frozen=True, kw_only=True):
    """`port` 0 lets the system choose. `sync` is JetStream's sync_interval. After
    `snapshot_every` entries each component takes a snapshot of what it has folded. Of 3 or 5
    `servers` each holds all of the ledger, and it goes on while a majority is up.
    """

    port: Port = 0
    sync: str = "always"
    snapshot_every: Annotated[int, Meta(ge=1)] = 2_000
    servers: Literal[1, 3, 5] = 1


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

    `patterns` are watched beside the built-in ones; one of the same name takes its place. `passkey`
    names tools and effects; left out, it is payments, where there is a console to give one in.
    """

    tools: tuple[ToolName, ...]
    organisation: tuple[str, ...] = ()
    human_effects: tuple[Effect, ...] = (Effect.PAYMENT,)
    four_eyes: tuple[Effect, ...] = ()
    passkey: tuple[ToolName, ...] | None = None
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


class WarmSettings(Section, frozen=True, kw_only=True):
    """Processes that stand ready for `runs` runs, once the first was started; with 0 each run's are
    started anew, and share no memory with another's. See docs/decisions/0112.
    """

    runs: Annotated[int, Meta(ge=0, le=64)] = 2


class TelemetrySettings(Section, frozen=True, kw_only=True):
    """Where faults of components are reported: an error tracker that speaks Sentry's protocol.

    `sentry_dsn` is its address with the project's public key; where it is empty nothing goes.
    """

    sentry_dsn: Annotated[
        str,
        Meta(
            pattern=r"^(|https://[^\s/@:]+@[^\s/@]+/\S+|http://[^\s/@:]+@(127\.0\.0\.1|localhost)(:\d+)?/\S+)$(?!\n)"
        ),
    ] = ""
    environment: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,64}$(?!\n)")] = "production"


class DatabaseSettings(Section, frozen=True, kw_only=True):
    """A PostgreSQL of your own, 15 or later, in the place of the one in the data folder.

    An installation has a `database` to itself: it rebuilds all that is in it.
    `ca` is the PEM file of the authority that its certificate is from, in the data folder, or
    `system` for those that the machine trusts. Off loopback there is TLS or nothing, and the
    certificate is held to `host`.
    """

    host: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$(?!\n)")]
    port: Annotated[int, Meta(ge=1, le=65535)] = 5432
    database: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]{0,62}$(?!\n)")] = "anyteam"
    ca: Annotated[str, Meta(min_length=1)] = "system"


class ProjectionSettings(Section, frozen=True, kw_only=True):
    """The stores that the ledger is projected into, by a component that holds no other key.

    The section alone switches PostgreSQL on. The port is the database's; 0 lets the system choose.
    `server` is a database server of your own in its place. `documents` switches on the document
    store, with memory and observations, beside it; `vectors` the index of the memory by meaning.
    `blobs` is a bucket of Google Cloud Storage for the documents' sealed content, in place of a
    folder; `blobs_endpoint` an emulator's, an address and port on loopback, reached without
    credentials.
    """

    port: Port = 0
    server: DatabaseSettings | None = None
    documents: bool = False
    vectors: bool = False
    blobs: Annotated[
        str,
        Meta(
            pattern=r"^(gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]{1,200})?)?$(?!\n)"
        ),
    ] = ""
    blobs_endpoint: str = ""


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
    warm: WarmSettings = WarmSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    projections: ProjectionSettings | None = None
    webhooks: WebhookSettings | None = None
    console: ConsoleSettings | None = None
    witnesses: WitnessSettings | None = None


def parse_settings(text: str, where: str) -> Settings:
    """The settings in `text`, which came from `where`. Raises `BadSettings`."""
    try:
        settings = msgspec.toml.decode(text, type=Settings)
    except (ValueError, RecursionError) as error:
        raise BadSettings(f"{where}: {error}", fix="see docs/configuration.md") from error
    for name, agent in settings.agents.items():
        if agent.planner == "scripted" and not agent.plan:
            raise BadSettings(f"{where}: agents.{name}.plan is missing", fix="name a plan file")
        if agent.planner == "model" and settings.model is None:
            raise BadSettings(f"{where}: agents.{name} needs [model]", fix="configure a model")
    _check_models(settings, where)
    for name, client in settings.oauth.items():
        check_oauth(client, f"{where}: oauth.{name}")
    check_connectors(settings.connectors, where)
    _check_webhooks(settings, where)
    checks: dict[str, Callable[[], None]] = {
        "kms": partial(check_kms, settings.kms),
        "projections": partial(_check_projections, settings.projections or ProjectionSettings()),
        "console": partial(check_console, settings.console or ConsoleSettings()),
    }
    if settings.witnesses is not None:
        checks["witnesses"] = partial(check_witnesses, settings.witnesses)
    for section, check in checks.items():
        try:
            check()
        except ValueError as error:
            raise BadSettings(
                f"{where}: {error}", fix=f"see docs/configuration.md, [{section}]"
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


def _check_projections(chosen: ProjectionSettings) -> None:
    if chosen.port and chosen.server is not None:
        raise ValueError("projections.port is the port of a server in the data folder: remove it")
    if chosen.blobs and not chosen.documents:
        raise ValueError("projections.blobs needs documents = true: they name what is in it")
    if chosen.blobs_endpoint:
        if not chosen.blobs:
            raise ValueError("projections.blobs_endpoint needs projections.blobs")
        loopback(chosen.blobs_endpoint, "projections.blobs_endpoint")


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


def _same(one: str, other: str) -> bool:
    """Whether two names stand for one model; a name without a provider is the default one's."""
    return _bare(one) == _bare(other)


def _bare(model: str) -> str:
    return model.strip().casefold().removeprefix("openai/")
