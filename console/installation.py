"""An installation on one machine: making its keys and identities, and its first events.

Everything is made once and kept; a second start changes nothing but what the settings
change. The root key stays in the KMS and signs only here: the genesis, certificates of
components and people, and each new policy.
"""

import time
from pathlib import Path

from bus.client import Client
from bus.cluster import Cluster, members_in
from bus.component import connect_as
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.provision import Site, ensure_operator, provision_workspace
from bus.server import Server
from bus.tls import client_context, ensure_route_tls, ensure_tls
from console.author import Pen, say
from console.declaring import policy_of
from console.pens import root_pen, root_reader
from console.vaults import vault_of
from crypto.errors import KeyFileError
from crypto.keyfile import ensure_key, load_signer, write_public
from crypto.kms import Kms, ensure_data_key, ensure_keyring
from crypto.signing import Signer
from crypto.trust import FOREVER
from schemas.events import AnyBody
from schemas.leases import Certificate
from schemas.names import SECOND, Role
from schemas.runs import KeyCertified, PolicySet, RepActivated, RepRevoked, WorkspaceCreated
from schemas.sections import BadSettings
from schemas.settings import Settings

STANDING = (
    (Role.ORCHESTRATOR, "orchestrator", "event.key"),
    (Role.SIDECAR, "sidecar", "event.key"),
    (Role.SIDECAR, "sealer", "sealer.key"),
    (Role.SIDECAR, "receipts", "receipts.key"),
    (Role.SUPERVISOR, "supervisor", "event.key"),
)
_FOLDERS = ("run", "logs", "outbox", "archive", "mcp", "webhooks", "witnesses", "blobs")
"""Where a component is a service of its own, what it sees must be there before it starts."""
CONSOLE = (Role.CONSOLE, "console", "event.key")
FEEDER = (Role.FEEDER, "feeder", "event.key")


def standing(settings: Settings) -> tuple[tuple[Role, str, str], ...]:
    """Role, instance and key file of each holder that the root certifies beside people."""
    console = (CONSOLE,) if settings.console is not None else ()
    feeder = (FEEDER,) if settings.witnesses is not None else ()
    return (*STANDING, *console, *feeder)


def ensure_keys(folder: DataFolder, settings: Settings, kms: Kms) -> None:
    """Make every key that is missing. Raises `KeyFileError` or `KmsError` where one is unusable."""
    for part in _FOLDERS:
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
    for role in (Role.ORCHESTRATOR, Role.SUPERVISOR, Role.CONSOLE):
        ensure_key(folder.identity(role) / "snapshot.key")
    ensure_key(folder.webhook_key_file)
    for person in (*settings.reps, *settings.admins):
        ensure_key(folder.person(person) / "event.key")


async def start_bus(folder: DataFolder, settings: Settings) -> tuple[Server | Cluster, Site]:
    """A running, provisioned bus for the installation, and where to provision it further.

    Raises `BadSettings` where the ledger lies on another number of servers than the settings have.
    """
    operator, home, size = folder.root / "operator", folder.root / "nats", settings.bus.servers
    _refuse_another_size(home, size)
    trust = ensure_operator(operator)
    tls = ensure_tls(folder.tls)
    server: Server | Cluster
    if size > 1:
        server = await Cluster.start(
            home,
            size=size,
            trust=trust,
            tls=tls,
            routes=ensure_route_tls(folder.tls),
            sync_interval=settings.bus.sync,
        )
    else:
        server = await Server.start(
            home,
            trust=trust,
            tls=tls,
            port=settings.bus.port or None,
            sync_interval=settings.bus.sync,
        )
    try:
        site = Site(operator, server.url, client_context(tls), replicas=size)
        await provision_workspace(site, settings.workspace, identities=folder.root / "identities")
    except BaseException:
        await server.stop()
        raise
    return server, site


def _refuse_another_size(home: Path, size: int) -> None:
    """A ledger that lies where these servers would not look must not be taken for an empty one."""
    there = len(members_in(home)) or int((home / "jetstream").exists())
    if there and there != size:
        raise BadSettings(
            f"bus.servers is {size}, and the ledger in {home} lies on {there}",
            fix=f"set it back to {there}; or export, move {home} away, and `anyteam restore` the"
            " export with the new number",
        )


async def settle(folder: DataFolder, settings: Settings, kms: Kms) -> None:
    """Bring the ledger to what the settings say: genesis, certificates, policy, reps."""
    client = await connect_as(folder, Role.ROOT)
    try:
        await _settle(folder, settings, client, root_pen(kms, settings.workspace))
    finally:
        await disconnect(client)


async def _settle(folder: DataFolder, settings: Settings, client: Client, pen: Pen) -> None:
    workspace = settings.workspace
    reader = root_reader(client, folder, workspace)
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
