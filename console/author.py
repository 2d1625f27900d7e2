"""Events that people and the root sign: requests, approvals, halts, certificates, policy.

An author reads the ledger from its beginning, so that its own chain continues and nothing
it answers is taken on trust; then it signs, publishes, and reads back that the event stands:
one that another of the same author's overtook is durable, and yet refused by every reader.
Unlike a decider it has no state to answer from: a person decides.
"""

import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol

from msgspec import Struct

from bus.client import Client
from bus.commands import Publish
from bus.consume import CaughtUp, Filter, follow
from bus.decider import Recorded
from bus.errors import PublishRefused
from bus.publish import Stored, Turned, publish
from bus.roles import stream_of
from crypto.errors import Rejected, SealError
from crypto.eventids import new_event_id
from crypto.sealing import ContentKeys, NoKeys, content_fields, open_event, seal_body
from crypto.signing import pae
from crypto.trust import Trust
from schemas.authority import subject_of
from schemas.envelope import PAYLOAD_TYPE, Envelope, encode_envelope
from schemas.events import Actor, AnyBody, Event, encode_event, event_digest, type_of
from schemas.names import NO_DIGEST, Classification

Sign = Callable[[bytes], bytes]

TRIES: Final = 5
"""An event of the same author that comes between costs one."""


class Pen(Struct, frozen=True):
    """Who signs: the actor, its key's id, and a function that signs a message."""

    actor: Actor
    key_id: bytes
    sign: Sign


class Ledger(Protocol):
    """What an author knows of the ledger: `Reader` from its beginning, or who follows it anyway."""

    trust: Trust
    index: int
    epoch: int

    async def cross(self, epoch: int, digest: bytes) -> int | None:
        """Read on into an epoch after `epoch`; where before it the event `digest` stands."""
        ...

    async def stands(self, index: int, digest: bytes) -> bool:
        """Read on to `index`; whether the entry there is the valid event `digest`."""
        ...


class Reader:
    """The ledger as a person's program sees it: verified, in order, opened where it may be.

    `only` are subject filters, for one who needs no more: whoever signs must be given all of the
    scopes that they sign in. `epoch` is the ledger's that was read last.
    """

    def __init__(
        self,
        client: Client,
        trust: Trust,
        keys: ContentKeys | None = None,
        name: str = "console",
        only: Filter = None,
    ) -> None:
        self.trust = trust
        self.index = 0
        self.epoch = 1
        self._only = only
        self._client = client
        self._keys = keys or NoKeys()
        self._name = name

    async def follow(self) -> AsyncGenerator[Recorded | CaughtUp, None]:
        """Every verified event after those read; `CaughtUp` once. Invalid entries are skipped:
        the sidecar records them, and `anyteam verify` accounts for each."""
        stream = follow(
            self._client,
            stream="LEDGER",
            filter_subject=self._only,
            consumer=self._name,
            throwaway=True,
            after=self.index,
            on_epoch=self._enter,
        )
        async for message in stream:
            if isinstance(message, CaughtUp):
                yield message
                continue
            try:
                verified = self.trust.accept(message.subject, message.body)
            except Rejected:
                continue
            finally:
                self.index = message.index
            self._keys.learn(verified.event)
            event = open_event(verified.event, self._keys)
            yield Recorded(message.index, verified.digest, event, verified.event)

    def _enter(self, epoch: int) -> None:
        self.epoch = epoch

    async def past(self) -> AsyncGenerator[Recorded, None]:
        """What the ledger holds now, one after the other."""
        async with contextlib.aclosing(self.follow()) as entries:
            async for item in entries:
                if isinstance(item, CaughtUp):
                    break
                yield item

    async def catch_up(self) -> list[Recorded]:
        """What the ledger holds now."""
        return [recorded async for recorded in self.past()]

    async def cross(self, epoch: int, digest: bytes) -> int | None:
        """Read on to the ledger's end, past `epoch`; the index of the event `digest`, if there."""
        found = [one.index for one in await self.catch_up() if one.digest == digest]
        return found[0] if found else None

    async def stands(self, index: int, digest: bytes) -> bool:
        """Read on to `index`; whether the entry there is the valid event `digest`."""
        async with contextlib.aclosing(self.follow()) as entries:
            async for item in entries:
                if isinstance(item, Recorded) and item.index == index:
                    return item.digest == digest
                if self.index >= index:
                    return False
        return False


async def say(
    client: Client,
    reader: Ledger,
    pen: Pen,
    body: AnyBody,
    *,
    run: str | None,
    causes: tuple[bytes, ...] = (),
    tries: int = TRIES,
    keys: ContentKeys | None = None,
) -> int:
    """Sign `body` and publish it; the ledger index at which it stands, read back.

    `reader` must have caught up. With one of `tries` the event stands right behind all that its
    author's key had signed when `reader` read it, or not at all. Content is sealed with the run's
    key, from `keys`. Raises `BusError` where it could not be recorded, `SealError` where there is
    no key to seal with.
    """
    for _ in range(tries):
        event = _drafted(reader, pen, body, run, causes, keys or NoKeys())
        payload = encode_event(event)
        signature = pen.sign(pae(PAYLOAD_TYPE, payload))
        message = encode_envelope(Envelope(payload, pen.key_id, signature))
        epoch = reader.epoch
        stored = await publish(
            client,
            Publish(event.id, event.id, subject_of(event), message, None),
            stream=stream_of(epoch),
        )
        if isinstance(stored, Turned):
            # An attempt whose answer was lost may stand in the epoch before.
            before = await reader.cross(epoch, event_digest(payload))
            if before is not None:
                return before
            continue
        if isinstance(stored, Stored) and await reader.stands(stored.index, event_digest(payload)):
            return stored.index
    raise PublishRefused(
        f"{type_of(body)} does not stand: other events of"
        f" {pen.actor.role.value} {pen.actor.instance} came between ({tries} tries)",
        fix="nothing was recorded; end what else signs with this key, and try again",
    )


def _drafted(
    reader: Ledger,
    pen: Pen,
    body: AnyBody,
    run: str | None,
    causes: tuple[bytes, ...],
    keys: ContentKeys,
) -> Event:
    head = reader.trust.head(pen.key_id, run)
    now = time.time_ns()
    event_id, workspace = new_event_id(now), reader.trust.workspace
    sealed = _sealed(body, event_id, workspace, run, keys)
    return Event(
        id=event_id,
        workspace=workspace,
        run=run,
        actor=pen.actor,
        n=head.n + 1 if head is not None else 0,
        prev=head.digest if head is not None else NO_DIGEST,
        causes=causes,
        seen=reader.index,
        at=now,
        classification=Classification.INTERNAL if sealed is body else Classification.CONFIDENTIAL,
        body=sealed,
    )


def _sealed(
    body: AnyBody, event_id: str, workspace: str, run: str | None, keys: ContentKeys
) -> AnyBody:
    """`body` with its content sealed, or itself where it has none."""
    if all(getattr(body, field) is None for field in content_fields(type(body))):
        return body
    key = keys.key_for(run) if run is not None else None
    if run is None or key is None:
        raise SealError(
            f"{type_of(body)} holds content, and there is no key here to seal it with",
            fix="deny it with a note instead, or see why the key service gives no key",
        )
    return seal_body(body, event_id, workspace, run, key)


def new_run_id(now: int) -> str:
    """A fresh run name: `r-` and a time-ordered tail."""
    return f"r-{now // 1_000_000:011x}-{secrets.token_hex(3)}"
