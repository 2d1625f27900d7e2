"""An installation on one machine: making its keys and identities, and its first events.

Everything is made once and kept; a second start changes nothing but what the settings
change. The root key stays in the KMS and signs only here: the genesis, certificates of
components and people, and each new policy.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from nats.aio.client import Client

from bus.component import connect_as
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.provision import Site, ensure_operator, provision_workspace
from bus.server import Server
from bus.tls import client_context, ensure_tls
from console.author import Pen, Reader, say
from console.policies import checked
from console.tightening import tightened
from console.vaults import vault_of
from crypto.errors import KeyFileError
from crypto.keyfile import ensure_key, load_signer, write_public
from crypto.kms import Kms, ensure_data_key, ensure_keyring
from crypto.signing import Signer, key_id_of
from crypto.trust import FOREVER, Trust
from schemas.events import Actor, AnyBody
from schemas.leases import Certificate
from schemas.names import SECOND, Role
from schemas.patterns import Pattern
from schemas.runs import KeyCertified, PolicySet, RepActivated, RepRevoked, WorkspaceCreated
from schemas.settings import BadSettings, DestinationSettings, PolicySettings, Settings
from schemas.tools import AllowedDestination, Policy, Tool
from sidecar.connectors import declared_tools
from sidecar.destinations.entries import BadEntry, normal
from sidecar.gate.rules import prepare
from sidecar.supervision.patterns import DEFAULT_PATTERNS

_HERE: Final = Path()

STANDING = (
    (Role.ORCHESTRATOR, "orchestrator", "event.key"),
    (Role.SIDECAR, "sidecar", "event.key"),
    (Role.SIDECAR, "sealer", "sealer.key"),
    (Role.SIDECAR, "receipts", "receipts.key"),
    (Role.SUPERVISOR, "supervisor", "event.key"),
)
CONSOLE = (Role.CONSOLE, "console", "event.key")


def standing(settings: Settings) -> tuple[tuple[Role, str, str], ...]:
    """Role, instance and key file of each holder that the root certifies beside people."""
    return (*STANDING, CONSOLE) if settings.console is not None else STANDING


def ensure_keys(folder: DataFolder, settings: Settings, kms: Kms) -> None:
    """Make every key that is missing. Raises `KeyFileError` or `KmsError` where one is unusable."""
    for part in ("run", "logs", "outbox"):
        (folder.root / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.root.chmod(0o700)
    kms.create(settings.workspace)
    root = kms.root_public(settings.workspace)
    if folder.root_public_file.exists() and folder.root_public() != root:
        raise KeyFileError(
            f"the KMS's root is not the one in {folder.root_public_file}, which every export"
            " verifies from",
            fix="set [kms] back to what the workspace was made with; a root never changes",
        )
    ensure_data_key(kms, folder.data_key_file(settings.workspace), settings.workspace)
    ensure_keyring(kms, folder.keyring_file(settings.workspace), settings.workspace)
    write_public(folder.root_public_file, root)
    for role, _, file in standing(settings):
        ensure_key(folder.identity(role) / file)
    ensure_key(folder.identity(Role.SIDECAR) / "receipts.mac")
    # The sidecar's snapshots hold content: their key follows from the workspace's own.
    for role in (Role.ORCHESTRATOR, Role.SUPERVISOR):
        ensure_key(folder.identity(role) / "snapshot.key")
    ensure_key(folder.webhook_key_file)
    for person in (*settings.reps, *settings.admins):
        ensure_key(folder.person(person) / "event.key")


async def start_bus(folder: DataFolder, settings: Settings) -> tuple[Server, Site]:
    """A running, provisioned bus for the installation, and where to provision it further."""
    operator = folder.root / "operator"
    trust = ensure_operator(operator)
    tls = ensure_tls(folder.tls)
    server = await Server.start(
        folder.root / "nats",
        trust=trust,
        tls=tls,
        port=settings.bus.port or None,
        sync_interval=settings.bus.sync,
    )
    site = Site(operator, server.url, client_context(tls))
    await provision_workspace(site, settings.workspace, identities=folder.root / "identities")
    return server, site


def root_pen(kms: Kms, workspace: str) -> Pen:
    """The root's pen: it signs in the KMS."""
    public = kms.root_public(workspace)
    return Pen(Actor(Role.ROOT, "root"), key_id_of(public), lambda m: kms.sign_root(workspace, m))


def person_pen(folder: DataFolder, name: str, role: Role) -> Pen:
    """A rep's or admin's pen. Raises `KeyFileError` where their key is not here."""
    signer = load_signer(folder.person(name) / "event.key")
    return Pen(Actor(role, name), signer.key_id, signer.sign_raw)


def policy_of(settings: Settings, version: int, base: Path = _HERE) -> Policy:
    """The policy that the settings describe, with the connectors' files under `base`.

    Raises `BadSettings`, naming the key.
    """
    declared = {tool.name: tool for tool in declared_tools(settings.connectors, base)}
    stray = sorted(set(settings.policy.tool) - set(settings.policy.tools))
    if stray:
        raise BadSettings(
            f'policy.tool."{stray[0]}" is about a tool that policy.tools does not list',
            fix=f"add {stray[0]} to policy.tools, or remove the section",
        )
    unknown = [name for name in settings.policy.tools if name not in declared]
    if unknown:
        raise BadSettings(
            f"policy.tools names {', '.join(unknown)}, which no connector declares",
            fix=f"choose among {', '.join(sorted(declared))}",
        )
    chosen = settings.policy
    policy = Policy(
        version=version,
        tools=tuple(_tool(declared[name], chosen) for name in chosen.tools),
        organisation=chosen.organisation,
        agents=tuple(sorted(settings.agents)),
        human_effects=chosen.human_effects,
        max_ttl_s=chosen.max_ttl_s,
        max_actions=chosen.max_actions,
        skew_s=chosen.skew_s,
        verdict_s=chosen.verdict_s,
        approval_s=chosen.approval_s,
        reviewer=settings.judge.model if settings.judge is not None else "",
        destinations=_destinations(chosen.destinations),
        allowlist_only=chosen.allowlist_only,
        revalidate_s=chosen.revalidate_s,
        fresh_s=chosen.fresh_s,
        per_run=chosen.per_run,
        per_tool=chosen.per_tool,
        per_day=chosen.per_day,
        pace=chosen.pace,
        rules=_rules(chosen.rules),
        patterns=_patterns(chosen.patterns),
    )
    return checked(policy)


def _tool(tool: Tool, chosen: PolicySettings) -> Tool:
    own = chosen.tool.get(tool.name)
    return tightened(tool, own) if own is not None else tool


def _patterns(own: tuple[Pattern, ...]) -> tuple[Pattern, ...] | None:
    """The built-in patterns and the workspace's own; None for the built-in alone."""
    if not own:
        return None
    named = {pattern.name: pattern for pattern in (*DEFAULT_PATTERNS, *own)}
    return tuple(named.values())


def _destinations(entries: tuple[DestinationSettings, ...]) -> tuple[AllowedDestination, ...]:
    """The allowlist in normal form, each entry once. Raises `BadSettings` naming the key."""
    found: dict[str, AllowedDestination] = {}
    for place, entry in enumerate(entries):
        key = f"policy.destinations[{place}]"
        try:
            name = normal(entry.destination, owned=entry.owned)
        except BadEntry as error:
            raise BadSettings(
                f"{key}.destination: {entry.destination!r} {error}",
                fix="write jane@partner.example for one mailbox, @partner.example for a domain",
            ) from error
        if name in found:
            raise BadSettings(
                f"{key}.destination: {entry.destination!r} is in the list already, as {name}",
                fix="keep one of the two",
            )
        expires = _end_of(entry.expires, f"{key}.expires")
        found[name] = AllowedDestination(destination=name, expires=expires, owned=entry.owned)
    return tuple(found.values())


def _end_of(day: str, key: str) -> int:
    """The end of a day (ns since the epoch), 0 where none is written. Raises `BadSettings`."""
    if not day:
        return 0
    try:
        last = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSettings(f"{key}: {day}: {error}", fix="write a day as 2027-01-31") from error
    return int((last + timedelta(days=1)).timestamp()) * SECOND


def _rules(text: str) -> str:
    """Rules that parse. Raises `BadSettings`."""
    prepared = prepare(text) if text else None
    if isinstance(prepared, str):
        raise BadSettings(f"policy.rules: {prepared}", fix="see docs/configuration.md, Rules")
    return text


async def settle(folder: DataFolder, settings: Settings, kms: Kms) -> None:
    """Bring the ledger to what the settings say: genesis, certificates, policy, reps."""
    client = await connect_as(folder, Role.ROOT)
    try:
        await _settle(folder, settings, client, root_pen(kms, settings.workspace))
    finally:
        await disconnect(client)


async def _settle(folder: DataFolder, settings: Settings, client: Client, pen: Pen) -> None:
    workspace = settings.workspace
    reader = Reader(client, Trust(workspace, folder.root_public()))
    known = [recorded.event.body for recorded in await reader.catch_up()]
    wanted: list[AnyBody] = []
    if not known:
        wanted.append(WorkspaceCreated(name=workspace, root=folder.root_public()))
    certified = {b.certificate.key_id for b in known if isinstance(b, KeyCertified)}
    for certificate in _certificates(folder, settings):
        if certificate.key_id not in certified:
            wanted.append(KeyCertified(certificate=certificate))
    policies = [b.policy for b in known if isinstance(b, PolicySet)]
    version = policies[-1].version if policies else 0
    if not policies or policy_of(settings, version, folder.root) != policies[-1]:
        wanted.append(PolicySet(policy=policy_of(settings, version + 1, folder.root)))
    active: dict[str, bool] = {}
    for body in known:
        if isinstance(body, RepActivated | RepRevoked):
            active[body.rep] = isinstance(body, RepActivated)
    wanted += [RepActivated(rep=rep) for rep in settings.reps if not active.get(rep)]
    wanted += [
        RepRevoked(rep=rep, reason="no longer in the settings")
        for rep, is_active in active.items()
        if is_active and rep not in settings.reps
    ]
    for body in wanted:
        await say(client, reader, pen, body, run=None)
        if isinstance(body, RepRevoked):
            vault_of(folder).drop(body.rep)


def _certificates(folder: DataFolder, settings: Settings) -> list[Certificate]:
    now = time.time_ns()
    found = [
        (role, instance, folder.identity(role) / file, None)
        for role, instance, file in standing(settings)
    ]
    people: list[tuple[Role, str, Path, str | None]] = [
        (role, name, folder.person(name) / "event.key", name)
        for role, names in ((Role.REP, settings.reps), (Role.ADMIN, settings.admins))
        for name in names
    ]
    return [
        _certificate(load_signer(path), role, instance, rep, now)
        for role, instance, path, rep in (*found, *people)
    ]


def _certificate(
    signer: Signer, role: Role, instance: str, rep: str | None, now: int
) -> Certificate:
    return Certificate(
        key_id=signer.key_id,
        public_key=signer.public,
        role=role,
        instance=instance,
        not_before=now - 3600 * SECOND,
        not_after=FOREVER,
        rep=rep,
    )
