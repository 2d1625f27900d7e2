"""Sealing content inside events, and handing a run's key to those who may read it.

Content is AES-256-GCM under a key of its field, which follows from the run's key
(`crypto.keyring`), and bound to workspace, run, event id and field, so that a ciphertext moved
elsewhere does not open. Runtime and judge get the run's key encrypted to their certified exchange
keys (HPKE, RFC 9180).
"""

import secrets
import typing
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from crypto.errors import SealError
from crypto.keyring import Entropy, Keyring, field_key, kept_key, run_key
from schemas.captures import TranscriptSynced, capture_scope
from schemas.content import Content, Plain, Sealed
from schemas.erasure import ContentErased, ContentField
from schemas.events import AnyBody, Event
from schemas.runs import ContentKeyWrapped

_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_RUNS_KEPT: Final = 4_096
"""Of so many runs a reader keeps the key at hand. Another's is derived anew, in microseconds."""


class ContentKeys(Protocol):
    """Where a reader's content keys come from."""

    def key_for(self, run: str) -> bytes | None:
        """The 32-byte key of `run`, or None where this reader has none."""
        ...

    def field_key(self, field: ContentField) -> bytes | None:
        """The 32-byte key of one content field, or None where this reader has none."""
        ...

    def learn(self, event: Event) -> None:
        """Take in a verified event that may carry a key."""
        ...


class NoKeys:
    """A reader that opens nothing."""

    def key_for(self, run: str) -> bytes | None:
        return None

    def field_key(self, field: ContentField) -> bytes | None:
        return None

    def learn(self, event: Event) -> None:
        pass


class WorkspaceKeys:
    """A reader that holds the workspace's keyring, and so every key that was not destroyed."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self._derive = lru_cache(_RUNS_KEPT)(lambda run: run_key(ring, run))
        self._erased: set[ContentField] = set()

    def key_for(self, run: str) -> bytes | None:
        return self._derive(run)

    def run_key(self, run: str) -> bytes:
        """The run's key. Raises `SealError` where content of the run was erased."""
        key = self._derive(run)
        if key is None:
            raise SealError(
                f"content of run {run} was erased, and its key with it",
                fix="a run that has ended takes no more content; request another",
            )
        return key

    def field_key(self, field: ContentField) -> bytes | None:
        if field in self._erased:
            return None
        key = self._derive(field.run)
        if key is None:
            return kept_key(self._ring, field)
        return field_key(key, field.event, field.name)

    def learn(self, event: Event) -> None:
        """What an admin had erased opens no more, whatever ring this process was started with."""
        if isinstance(event.body, ContentErased):
            self.forget(event.body.fields)

    @property
    def erased(self) -> frozenset[ContentField]:
        """What was learned to be erased."""
        return frozenset(self._erased)

    def forget(self, fields: Iterable[ContentField]) -> None:
        """Open these no more."""
        self._erased.update(fields)

    def __repr__(self) -> str:
        return "WorkspaceKeys()"


class RunKeys:
    """A run's own reader: learns the run's key from the sidecar's `content_key.wrapped`."""

    def __init__(self, exchange: X25519PrivateKey, key_id: bytes) -> None:
        self._exchange = exchange
        self._key_id = key_id
        self._keys: dict[str, bytes] = {}

    def key_for(self, run: str) -> bytes | None:
        return self._keys.get(run)

    def field_key(self, field: ContentField) -> bytes | None:
        key = self._keys.get(field.run)
        return field_key(key, field.event, field.name) if key is not None else None

    def learn(self, event: Event) -> None:
        """Raises `SealError` where a key meant for this reader does not open."""
        if not isinstance(event.body, ContentKeyWrapped) or event.run is None:
            return
        for wrapped in event.body.keys:
            if wrapped.recipient == self._key_id:
                context = _wrap_context(event.workspace, event.run)
                self._keys[event.run] = unwrap_key(wrapped.ciphertext, self._exchange, context)


def wrap_run_key(key: bytes, exchange: bytes, workspace: str, run: str) -> bytes:
    """A run's key encrypted to the X25519 public key `exchange`."""
    recipient = X25519PublicKey.from_public_bytes(exchange)
    return _HPKE.encrypt(key, recipient, info=_wrap_context(workspace, run))


def unwrap_key(ciphertext: bytes, exchange: X25519PrivateKey, context: bytes) -> bytes:
    """The inverse. Raises `SealError`."""
    try:
        return _HPKE.decrypt(ciphertext, exchange, info=context)
    except (InvalidTag, ValueError) as error:
        raise SealError("the run's content key does not open with this exchange key") from error


def seal(
    content: Content,
    key: bytes,
    name: str,
    context: bytes,
    entropy: Entropy = secrets.token_bytes,
) -> Sealed:
    """`content` under `key`, which `name` names, bound to `context`. Sealed content stays."""
    if isinstance(content, Sealed):
        return content
    nonce = entropy(12)
    return Sealed(name, nonce, AESGCM(key).encrypt(nonce, content.data, context))


def unseal(content: Sealed, key: bytes, context: bytes) -> Plain:
    """The inverse of `seal`. Raises `SealError`."""
    try:
        return Plain(AESGCM(key).decrypt(content.nonce, content.ciphertext, context))
    except (InvalidTag, ValueError) as error:
        raise SealError(
            f"content under key {content.key!r} does not open",
            fix="the key was destroyed or is another workspace's, or the content was moved",
        ) from error


def seal_body(
    body: AnyBody,
    event_id: str,
    workspace: str,
    run: str,
    key: bytes,
    entropy: Entropy = secrets.token_bytes,
) -> AnyBody:
    """The body with each of its content fields sealed under its own key, from the run's, `key`."""
    changes = {
        field: seal(
            content,
            field_key(key, event_id, field),
            run,
            _context(workspace, run, event_id, field),
            entropy,
        )
        for field in content_fields(type(body))
        if (content := getattr(body, field)) is not None
    }
    return msgspec.structs.replace(body, **changes) if changes else body


def open_event(event: Event, keys: ContentKeys) -> Event:
    """The event with what `keys` can open opened; the rest stays sealed."""
    fields, scope = content_fields(type(event.body)), scope_of(event)
    if not fields or scope is None:
        return event
    changes: dict[str, Content] = {}
    for field in fields:
        content = getattr(event.body, field)
        if not isinstance(content, Sealed):
            continue
        key = keys.field_key(ContentField(run=scope, event=event.id, name=field))
        if key is not None:
            context = _context(event.workspace, scope, event.id, field)
            try:
                changes[field] = unseal(content, key, context)
            except SealError:
                # Sealed by a hostile runtime, or erased: readers must see it as sealed.
                continue
    if not changes:
        return event
    return msgspec.structs.replace(event, body=msgspec.structs.replace(event.body, **changes))


def open_field(event: Event, field: str, key: bytes) -> Plain:
    """One sealed field of an event under its own 32-byte key. Raises `SealError`."""
    content, scope = getattr(event.body, field, None), scope_of(event)
    if not isinstance(content, Sealed) or scope is None:
        raise SealError(f"{event.type} {event.id} has no sealed field {field!r}")
    return unseal(content, key, _context(event.workspace, scope, event.id, field))


def scope_of(event: Event) -> str | None:
    """What the keys of an event's content follow from: its run, or the capture that it is of."""
    if isinstance(event.body, TranscriptSynced):
        return capture_scope(event.actor.instance, event.body.capture)
    return event.run


@cache
def content_fields(body: type) -> tuple[str, ...]:
    """The fields of a body type that hold content."""
    hints = typing.get_type_hints(body)
    return tuple(name for name, hint in hints.items() if Sealed in typing.get_args(hint))


def _context(workspace: str, run: str, event_id: str, field: str) -> bytes:
    return f"anyteam content v1 {workspace} {run} {event_id} {field}".encode()


def _wrap_context(workspace: str, run: str) -> bytes:
    return f"anyteam run key for {workspace} {run}".encode()
