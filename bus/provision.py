"""Provisioning: the operator, a workspace's account, roles, streams and credentials.

Only this room holds the operator's and the accounts' keys; no component runs with them.
Every step is idempotent: what is there is kept, what changed is issued anew, and a server
that lost an account gets it again. Claims go to the running server over
`$SYS.REQ.CLAIMS.UPDATE`; it drops revoked users' connections as it takes them.
Source: NATS documentation, "JWT authentication", full resolver.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from bus.asking import ask
from bus.client import Client, NatsTimeout, NoRespondersError
from bus.connection import connect, disconnect
from bus.errors import ProvisionError
from bus.identity import (
    Claims,
    Key,
    KeyKind,
    Scope,
    UserIdentity,
    account_token,
    claims_of,
    format_creds,
    key_from_seed,
    mint_direct_user,
    mint_user,
    new_key,
    operator_token,
    parse_creds,
)
from bus.roles import (
    LEDGER,
    ROLES,
    RUN_ROLES,
    SEALS,
    ledger_services,
    ledger_subject,
    scope_of,
    seals_subject,
)
from bus.server import Trust
from crypto.keyfile import read_secret, write_secret
from schemas.names import Role, check_name

DUPLICATE_WINDOW_S: Final = 120
_LEADER_S: Final = 30.0
_NOT_NOW: Final = 503
_NO_PEERS: Final = 10005
_ERRAND_S: Final = 300
"""How long the users live under which provisioning itself connects."""


class Site(Struct, frozen=True):
    """Where provisioning acts: the data folder's `operator/`, and the server it talks to. A new
    stream is held by `replicas` servers of a cluster.
    """

    operator: Path
    url: str
    tls: ssl.SSLContext
    replicas: int = 1


class Workspace(Struct, frozen=True):
    """A provisioned workspace. `scoped` are the keys that can mint each role's users."""

    name: str
    account: str
    scoped: Mapping[Role, Key]

    def mint(self, role: Role, name: str, *, now: int, expires: int | None) -> UserIdentity:
        """A new user of `role`; `name` is the run's for a runtime or judge. Times in seconds."""
        check_name(name, "user")
        return mint_user(self.scoped[role], self.account, name=name, now=now, expires=expires)


def ensure_operator(folder: Path) -> Trust:
    """The operator and its system account in `folder` (`operator/`), made where missing.

    Raises `crypto.errors.KeyFileError` or `IdentityError` where a file there is unusable.
    """
    operator = _ensure_key(folder / "operator.nk", KeyKind.OPERATOR)
    system = _ensure_key(folder / "system.nk", KeyKind.ACCOUNT)
    now = int(time.time())
    tokens = (
        _keep(
            folder / "operator.jwt",
            operator_token(operator, name="anyteam", system_account=system.public, now=now),
        ),
        _keep(
            folder / "system.jwt",
            account_token(operator, system.public, name="SYS", now=now),
        ),
    )
    return Trust(tokens[0], system.public, tokens[1])


async def provision_workspace(
    site: Site, workspace: str, *, identities: Path | None = None
) -> Workspace:
    """Bring up `workspace` on a running server: account, signing keys, streams, credentials.

    Credentials of the standing roles go to `identities/<role>/user.creds`, and the keys with
    which it mints run users to the orchestrator's folder. A second call changes nothing.

    Raises `ProvisionError` where the server refuses, `BadName` for a bad workspace name.
    """
    check_name(workspace, "workspace")
    folder = site.operator / workspace
    ledger = _ensure_key(folder / "ledger.nk", KeyKind.ACCOUNT)
    account = _ensure_key(folder / "account.nk", KeyKind.ACCOUNT)
    scoped = {role: _ensure_key(folder / f"{role.value}.nk", KeyKind.ACCOUNT) for role in ROLES}
    await _push(site, _issue_ledger(site, workspace))
    await _push(site, _issue(site, workspace))
    await _ensure_streams(site, workspace, ledger)
    made = Workspace(workspace, account.public, scoped)
    if identities is not None:
        _write_identities(made, identities)
    return made


class Revocation(Struct, frozen=True):
    """A user's tokens are void up to second `at`; from `until` on none would be valid anyway."""

    at: int
    until: int | None = None


async def revoke_users(
    site: Site, workspace: str, users: Iterable[str], *, until: int | None = None
) -> None:
    """Void every token issued so far to these users (public keys); the server drops their
    connections as it takes the claim. `until` is when their tokens end by themselves, in
    seconds; the revocation is forgotten then. Raises `ProvisionError` where it is not taken.
    """
    now = int(time.time())
    kept = _revocations(site.operator / workspace, now)
    kept |= dict.fromkeys(users, Revocation(now, until))
    write_secret(site.operator / workspace / "revoked.json", msgspec.json.encode(kept) + b"\n")
    await _push(site, _issue(site, workspace))


def _revocations(folder: Path, now: int) -> dict[str, Revocation]:
    path = folder / "revoked.json"
    if not path.exists():
        return {}
    known = msgspec.json.decode(read_secret(path), type=dict[str, Revocation])
    return {user: r for user, r in known.items() if r.until is None or r.until > now}


def stream_config(name: str, subject: str, replicas: int) -> dict[str, Any]:
    """A stream that keeps everything for good (JetStream's stream configuration)."""
    return {
        "name": name,
        "subjects": [subject],
        "retention": "limits",
        "storage": "file",
        "num_replicas": replicas,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "discard": "new",
        "duplicate_window": DUPLICATE_WINDOW_S * 1_000_000_000,
        "deny_delete": True,
        "deny_purge": True,
        "allow_direct": False,
        # Each of these would let a publisher's header remove or change what is stored.
        "allow_rollup_hdrs": False,
        "allow_msg_ttl": False,
        "allow_msg_counter": False,
        "allow_msg_schedules": False,
        "allow_atomic": False,
    }


def _issue_ledger(site: Site, workspace: str) -> str:
    """The token of the account that owns the streams, and that no component is a user of."""
    folder = site.operator / workspace
    token = account_token(
        read_key(site.operator / "operator.nk"),
        read_key(folder / "ledger.nk").public,
        name=f"{workspace} ledger",
        now=int(time.time()),
        exports=ledger_services(workspace),
        jetstream=True,
    )
    return _keep(folder / "ledger.jwt", token)


def _issue(site: Site, workspace: str) -> str:
    """The account's token as it must be now; the kept one where nothing changed."""
    folder = site.operator / workspace
    operator = read_key(site.operator / "operator.nk")
    account = read_key(folder / "account.nk")
    kept = folder / "account.jwt"
    now = int(time.time())
    revoked = {user: known.at for user, known in _revocations(folder, now).items()}
    scopes: dict[str, Scope] = {}
    for role in ROLES:
        scopes[read_key(folder / f"{role.value}.nk").public] = scope_of(role, workspace)
    token = account_token(
        operator,
        account.public,
        name=workspace,
        now=now,
        scopes=scopes,
        revoked=revoked,
        imports=ledger_services(workspace),
        imported_from=read_key(folder / "ledger.nk").public,
    )
    return _keep(kept, token)


async def _push(site: Site, token: str) -> None:
    system = read_key(site.operator / "system.nk")
    update = "$SYS.REQ.CLAIMS.UPDATE"
    identity = errand(system, [update])
    client = await connect(site.url, identity, site.tls, name="provision accounts")
    try:
        answer = await query(client, update, token.encode())
    finally:
        await disconnect(client)
    if answer.get("error") or answer.get("data", {}).get("code") != 200:
        problem = answer.get("error") or answer
        raise ProvisionError(f"the server refused the account claim: {json.dumps(problem)}")


async def _ensure_streams(site: Site, workspace: str, account: Key) -> None:
    streams = {LEDGER: ledger_subject(workspace), SEALS: seals_subject(workspace)}
    may = [f"$JS.API.STREAM.{verb}.*" for verb in ("INFO", "CREATE", "UPDATE")]
    identity = errand(account, ["$JS.API.STREAM.NAMES", *may])
    client = await connect(site.url, identity, site.tls, name=f"provision {workspace}")
    try:
        there = (await _led(client, "$JS.API.STREAM.NAMES")).get("streams") or ()
        for name, subject in streams.items():
            if name == LEDGER and any(known.startswith(f"{LEDGER}-") for known in there):
                # It has gone on in other streams; how those are configured says how far a turn
                # has come, and is for `bus.epochs` to change.
                continue
            await _ensure_stream(client, stream_config(name, subject, site.replicas), workspace)
    finally:
        await disconnect(client)


async def _led(client: Client, subject: str, body: bytes = b"") -> dict[str, Any]:
    """As `query`, once the servers of a cluster have found one another and settled who leads.

    Raises `ProvisionError`.
    """
    if len(client.servers) == 1:
        return await query(client, subject, body)
    begun = time.monotonic()
    while True:
        try:
            answer = await query(client, subject, body, timeout_s=2)
            error = answer.get("error", {})
            if error.get("code") != _NOT_NOW and error.get("err_code") != _NO_PEERS:
                return answer
            problem = f"{subject}: {answer['error'].get('description')}"
        except ProvisionError as silent:
            problem = silent.what
        if time.monotonic() - begun > _LEADER_S:
            raise ProvisionError(
                problem, fix="check that a majority of the servers runs, with JetStream enabled"
            )
        await asyncio.sleep(0.1)


async def _ensure_stream(client: Client, wanted: dict[str, Any], workspace: str) -> None:
    name = wanted["name"]
    there = await _led(client, f"$JS.API.STREAM.INFO.{name}")
    if "error" not in there and _is(there["config"], wanted):
        return
    verb = "CREATE" if "error" in there else "UPDATE"
    made = await _led(client, f"$JS.API.STREAM.{verb}.{name}", json.dumps(wanted).encode())
    if "error" in made:
        raise ProvisionError(
            f"the server refused stream {name} of {workspace}: {made['error'].get('description')}",
            fix="see the server's log; its disk may be full",
        )


def _is(config: dict[str, Any], wanted: dict[str, Any]) -> bool:
    # The server leaves out what is false or zero.
    return all((config.get(key) or 0) == (value or 0) for key, value in wanted.items())


async def query(
    client: Client, subject: str, body: bytes = b"", *, timeout_s: float = 10
) -> dict[str, Any]:
    """The server's JSON answer on one of its own subjects. Raises `ProvisionError` for none."""
    try:
        reply = await ask(client, subject, body, timeout_s=timeout_s)
    except (NatsTimeout, NoRespondersError) as error:
        raise ProvisionError(
            f"no answer on {subject}", fix="check that the server runs with JetStream enabled"
        ) from error
    answer: dict[str, Any] = json.loads(reply.data)
    return answer


def errand(account: Key, publish: Iterable[str]) -> UserIdentity:
    """A user for provisioning itself, for a few minutes."""
    now = int(time.time())
    return mint_direct_user(
        account, name="provision", now=now, expires=now + _ERRAND_S, publish=publish
    )


def _write_identities(workspace: Workspace, identities: Path) -> None:
    now = int(time.time())
    identities.mkdir(mode=0o700, parents=True, exist_ok=True)
    for role in ROLES:
        if role in RUN_ROLES:
            name = f"{role.value}.signing.nk"
            seed = workspace.scoped[role].seed.encode() + b"\n"
            write_secret(identities / Role.ORCHESTRATOR.value / name, seed)
            continue
        if role is Role.DEVICE:
            # A device makes its own key, and has it certified when it is enrolled.
            continue
        path = identities / role.value / "user.creds"
        issuer = workspace.scoped[role].public
        if path.exists() and _claims_in(path).get("iss") == issuer:
            continue
        user = workspace.mint(role, role.value, now=now, expires=None)
        write_secret(path, format_creds(user).encode())


def _claims_in(creds: Path) -> Claims:
    return claims_of(parse_creds(read_secret(creds).decode()).jwt)


def _keep(path: Path, token: str) -> str:
    """The token in `path`, unless `token` says something else than when it was issued."""
    if path.exists():
        kept = path.read_text().strip()
        if _meaning(kept) == _meaning(token):
            return kept
    write_secret(path, token.encode() + b"\n")
    return token


def _meaning(token: str) -> Claims:
    return {key: value for key, value in claims_of(token).items() if key not in ("iat", "jti")}


def _ensure_key(path: Path, kind: KeyKind) -> Key:
    if not path.exists():
        write_secret(path, new_key(kind).seed.encode() + b"\n")
    return read_key(path)


def read_key(path: Path) -> Key:
    """The nkey in a secret file. Raises `KeyFileError` or `IdentityError`."""
    return key_from_seed(read_secret(path).decode().strip())
