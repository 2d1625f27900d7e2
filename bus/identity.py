"""NATS identities: operator, account and user claims, signed with nkeys.

An operator signs accounts, an account's scoped signing keys sign users; a scoped user's
token carries no permission of its own, so whoever holds a scoped key can mint its role
and nothing wider. Nothing here does I/O: an identity lives in memory until somebody
writes its credentials. Source: NATS ADR-14 (JWT), ADR-26, and the claims of nats-io/jwt v2.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final

import msgspec
import nkeys  # type: ignore[import-untyped]
from msgspec import Struct

from bus.errors import IdentityError
from schemas.errors import UNREADABLE

Claims = dict[str, Any]

NO_LIMIT: Final = -1
_VERSION: Final = 2
_JSON: Final = msgspec.json.Encoder(order="deterministic")
_USER: Final = re.compile(r"U[A-Z2-7]{55}")
_HEADER: Final = {"typ": "JWT", "alg": "ed25519-nkey"}
_CREDS: Final = re.compile(
    r"-----BEGIN NATS USER JWT-----\s*(?P<jwt>\S+)\s*------END NATS USER JWT------"
    r".*?-----BEGIN USER NKEY SEED-----\s*(?P<seed>\S+)\s*------END USER NKEY SEED------",
    re.DOTALL,
)


class KeyKind(IntEnum):
    """The prefix byte of a key, which shows as its first letter: O, A or U."""

    OPERATOR = nkeys.PREFIX_BYTE_OPERATOR
    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    USER = nkeys.PREFIX_BYTE_USER


class Key(Struct, frozen=True):
    """An nkey: `seed` is secret (`SO…`, `SA…`, `SU…`), `public` is its name (`O…`, `A…`, `U…`)."""

    seed: str
    public: str

    def __repr__(self) -> str:
        return f"Key({self.public})"

    def sign(self, data: bytes) -> bytes:
        """The 64-byte Ed25519 signature over `data`."""
        signature: bytes = nkeys.from_seed(self.seed.encode()).sign(data)
        return signature


def new_key(kind: KeyKind) -> Key:
    """A fresh key from the system's randomness."""
    seed = nkeys.encode_seed(secrets.token_bytes(32), int(kind))
    return key_from_seed(seed.decode())


def key_from_seed(seed: str) -> Key:
    """The key of an encoded seed. Raises `IdentityError` where it is none."""
    try:
        public: bytes = nkeys.from_seed(seed.strip().encode()).public_key
    except (ValueError, IndexError, nkeys.NkeysError) as error:
        raise IdentityError(
            "a seed is no nkey seed", fix="restore the key file from your backup"
        ) from error
    return Key(seed.strip(), public.decode())


class Scope(Struct, frozen=True):
    """What every user of one scoped signing key may do. `{{name()}}` and `{{subject()}}`
    stand for the user's name and public key, each as one whole subject token.
    """

    role: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    subscriptions: int = NO_LIMIT


class Service(Struct, frozen=True):
    """A subject that one account answers on and another may ask on, there as `local`.

    Both may end in `>`. The answer travels to the asker's own account and resolves there.
    `many` where one request has several answers.
    """

    subject: str
    local: str
    many: bool = False


class UserIdentity(Struct, frozen=True):
    """One user of one account: its token, the seed that proves it, and its public key."""

    jwt: str
    seed: str
    public: str

    def __repr__(self) -> str:
        return f"UserIdentity({self.public})"

    @property
    def inbox(self) -> str:
        """The only subject prefix this user may receive answers on."""
        return f"_INBOX.{self.public}"

    def present(self) -> bytes:
        """The token, as nats-py's `user_jwt_cb` wants it."""
        return self.jwt.encode()

    def answer(self, nonce: str) -> bytes:
        """The signature over the server's nonce, as nats-py's `signature_cb` wants it."""
        return base64.b64encode(Key(self.seed, self.public).sign(nonce.encode()))


def operator_token(operator: Key, *, name: str, system_account: str, now: int) -> str:
    """The operator's self-signed token. `now` is in seconds since the epoch."""
    body: Claims = {"type": "operator", "version": _VERSION, "system_account": system_account}
    return sign_claims(operator, _claims(operator.public, name, body, now))


def account_token(
    operator: Key,
    account: str,
    *,
    name: str,
    now: int,
    scopes: Mapping[str, Scope] | None = None,
    revoked: Mapping[str, int] | None = None,
    exports: Iterable[Service] = (),
    imports: Iterable[Service] = (),
    imported_from: str = "",
    jetstream: bool = False,
    disk_bytes: int = NO_LIMIT,
    memory_bytes: int = NO_LIMIT,
) -> str:
    """An account's token. `scopes` are its signing keys (public key -> scope); `revoked`
    maps a user's public key to the second up to which tokens issued to it are void. The
    services it imports are those of account `imported_from`.

    A user with neither scope nor permissions of its own gets none: the default denies all.
    """
    exported = [_export(service) for service in exports]
    imported = [_import(service, imported_from) for service in imports]
    limits: Claims = {
        "subs": NO_LIMIT,
        "data": NO_LIMIT,
        "payload": NO_LIMIT,
        "imports": len(imported),
        "exports": len(exported),
        "wildcards": True,
        "conn": NO_LIMIT,
        "leaf": 0,
    }
    if jetstream:
        limits |= {
            "mem_storage": memory_bytes,
            "disk_storage": disk_bytes,
            "streams": NO_LIMIT,
            "consumer": NO_LIMIT,
        }
    body: Claims = {
        "type": "account",
        "version": _VERSION,
        "limits": limits,
        "default_permissions": {"pub": {"deny": [">"]}, "sub": {"deny": [">"]}},
        "signing_keys": [_signing_key(key, scope) for key, scope in (scopes or {}).items()],
        "revocations": dict(revoked or {}),
        "exports": exported,
        "imports": imported,
    }
    return sign_claims(operator, _claims(account, name, body, now))


def mint_user(
    signing: Key, account: str, *, name: str, now: int, expires: int | None
) -> UserIdentity:
    """A new user under a scoped signing key of `account`, dead from second `expires` on.

    `name` is the run's for a runtime or judge, the instance's otherwise. None for `expires`
    lives until revoked.
    """
    key = new_key(KeyKind.USER)
    token = user_token(signing, account, key.public, name=name, now=now, expires=expires)
    return UserIdentity(token, key.seed, key.public)


def user_token(
    signing: Key, account: str, user: str, *, name: str, now: int, expires: int | None
) -> str:
    """The token of a user who made their own key, and shows its public part, `user`.

    Raises `IdentityError` where that is none.
    """
    if not _USER.fullmatch(user):
        raise IdentityError("what was given is no user's public nkey", fix="enrol once more")
    body: Claims = {
        "type": "user",
        "version": _VERSION,
        "issuer_account": account,
        "pub": {},
        "sub": {},
    }
    return sign_claims(signing, _claims(user, name, body, now, expires))


def mint_direct_user(
    account: Key,
    *,
    name: str,
    now: int,
    expires: int | None,
    publish: Iterable[str],
    subscribe: Iterable[str] = (),
) -> UserIdentity:
    """A user signed by the account's own key, with permissions in its token.

    Its own inbox is always among what it may subscribe to.
    """
    key = new_key(KeyKind.USER)
    body: Claims = {
        "type": "user",
        "version": _VERSION,
        "pub": {"allow": list(publish)},
        "sub": {"allow": [*subscribe, f"_INBOX.{key.public}.>"]},
        "subs": NO_LIMIT,
        "data": NO_LIMIT,
        "payload": NO_LIMIT,
    }
    claims = _claims(key.public, name, body, now, expires)
    return UserIdentity(sign_claims(account, claims), key.seed, key.public)


def sign_claims(issuer: Key, claims: Claims) -> str:
    """`claims` as a token: issuer and `jti` set, signed by the issuer's nkey.

    As in nats-io/jwt, `jti` is the base32 SHA-512/256 of the claims without it. It is taken
    over all of them, since the server takes an equal `jti` for an unchanged token, and two
    changes of one account may fall into one second.
    """
    claims = {**claims, "iss": issuer.public}
    digest = hashlib.new("sha512_256", _JSON.encode(claims)).digest()
    claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
    signed = f"{_part(_JSON.encode(_HEADER))}.{_part(_JSON.encode(claims))}"
    return f"{signed}.{_part(issuer.sign(signed.encode()))}"


def claims_of(token: str) -> Claims:
    """The claims in a token that we wrote ourselves; the signature is not checked.

    Raises `IdentityError` where it is no token.
    """
    try:
        body = token.strip().split(".")[1]
        claims: Claims = msgspec.json.decode(
            base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=dict[str, Any]
        )
    except (IndexError, ValueError, *UNREADABLE) as error:
        raise IdentityError("not a NATS token", fix="restore the file from your backup") from error
    return claims


def format_creds(identity: UserIdentity) -> str:
    """The identity as the text of a `.creds` file, which every NATS client reads."""
    return (
        f"-----BEGIN NATS USER JWT-----\n{identity.jwt}\n------END NATS USER JWT------\n\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{identity.seed}\n------END USER NKEY SEED------\n\n"
        "*************************************************************\n"
    )


def parse_creds(text: str) -> UserIdentity:
    """The identity in the text of a `.creds` file. Raises `IdentityError`."""
    found = _CREDS.search(text)
    if found is None:
        raise IdentityError("not a NATS credentials file", fix="provision again to write a new one")
    key = key_from_seed(found["seed"])
    if claims_of(found["jwt"]).get("sub") != key.public:
        raise IdentityError("token and seed in the credentials file belong to different users")
    return UserIdentity(found["jwt"], key.seed, key.public)


def _claims(subject: str, name: str, body: Claims, now: int, expires: int | None = None) -> Claims:
    claims: Claims = {"sub": subject, "name": name, "iat": now, "nats": body}
    return claims if expires is None else {**claims, "exp": expires}


def _signing_key(public: str, scope: Scope) -> Claims:
    return {
        "kind": "user_scope",
        "key": public,
        "role": scope.role,
        "template": {
            "pub": {"allow": list(scope.publish)},
            "sub": {"allow": list(scope.subscribe)},
            "subs": scope.subscriptions,
            "data": NO_LIMIT,
            "payload": NO_LIMIT,
            "allowed_connection_types": ["STANDARD"],
        },
    }


def _export(service: Service) -> Claims:
    kind = "Stream" if service.many else "Singleton"
    return {
        "name": service.subject,
        "subject": service.subject,
        "type": "service",
        "response_type": kind,
    }


def _import(service: Service, account: str) -> Claims:
    return {
        "name": service.subject,
        "subject": service.subject,
        "local_subject": service.local,
        "type": "service",
        "account": account,
    }


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
