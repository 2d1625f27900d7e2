"""Leases: a time-limited capability for one run, bound to a declared intent.

A lease names the tools that exist for the run and certifies the keys of the run's
runtime and judge. Outside its tools, its time and its run it grants nothing.
"""

from enum import Enum
from typing import Annotated

from msgspec import Meta, Struct

from schemas.names import Digest, KeyId, Name, Nanoseconds, PublicKey, Role, Text, ToolName
from schemas.tools import Effect


class Certificate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Binds an event-signing key to who may use it, for what, and until when.

    `run` is set for a run's own keys, which sign nothing outside it. `user` is the public
    NATS nkey that goes with the key, `exchange` an X25519 key that content keys can be
    wrapped to (RFC 9180), `rep` the person a rep's or admin's key stands for.
    """

    key_id: KeyId
    public_key: PublicKey
    role: Role
    instance: Name
    not_before: Nanoseconds
    not_after: Nanoseconds
    run: Name | None = None
    rep: Name | None = None
    user: str = ""
    exchange: PublicKey | None = None


class Unanswered(Enum):
    """What becomes of a run whose question nobody answered in time: it goes on without that
    action, or stops."""

    GO_ON = "go_on"
    STOP = "stop"


class Intent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the rep asked for: in words, and as bounds that a gate can compare.

    `effects` are the classes of effect the run may have beside reads; `destinations` the
    addresses or `@domain`s it may reach; `objects` the records it may change. `together` asks for
    all of the run's effects or none: where one does not come about, those before it are undone.
    `unanswered` is what follows when nobody answers what the run had to ask a person.
    """

    summary: Text
    effects: tuple[Effect, ...] = ()
    destinations: tuple[Text, ...] = ()
    objects: tuple[Text, ...] = ()
    together: bool = False
    unanswered: Unanswered = Unanswered.GO_ON


class Lease(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The capability itself. `request` is the digest of the signed run request it answers."""

    run: Name
    rep: Name
    agent: Name
    request: Digest
    intent: Intent
    tools: tuple[ToolName, ...]
    policy: Annotated[int, Meta(ge=1, description="policy version it was granted under")]
    not_before: Nanoseconds
    not_after: Nanoseconds
    max_actions: Annotated[int, Meta(ge=1)]
    attempt: Annotated[int, Meta(ge=1)]
    keys: tuple[Certificate, ...]
