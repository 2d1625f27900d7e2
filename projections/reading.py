"""The ledger as a projector reads it: every entry in order, each verified once, none opened.

A projector's bus identity may read and nothing else, and it holds no content key. Its place in
the ledger is its store's; but the keys that verify an entry come from those before it, so each
incarnation reads from the beginning and verifies all of it anew. What a store already holds is
verified and passed over.
"""

import hashlib
from collections.abc import AsyncGenerator

from bus.client import Client
from bus.consume import CaughtUp, follow
from bus.decider import Entry, Recorded, Refused
from bus.errors import LedgerDiverged
from bus.roles import LEDGER
from crypto.errors import Rejected
from crypto.trust import Trust
from ledger.export import ExportedEntry


def verified(trust: Trust, index: int, subject: str, body: bytes) -> Entry:
    """One entry, verified; `trust` has moved on by it."""
    try:
        accepted = trust.accept(subject, body)
    except Rejected as error:
        return Refused(index, hashlib.sha256(b"\x00" + body).digest(), error.reason)
    return Recorded(index, accepted.digest, accepted.event, accepted.event)


async def entries(
    client: Client,
    trust: Trust,
    *,
    consumer: str,
    after: int = 0,
    until: int | None = None,
) -> AsyncGenerator[Entry, None]:
    """Every entry after index `after`, for ever or to index `until`, itself included.

    `trust` is fresh: the entries up to `after` are verified too. Raises `LedgerDiverged` where
    the stream has a hole, `StreamUnavailable` where it cannot be read.
    """
    async for message in messages(client, consumer=consumer, until=until):
        entry = verified(trust, message.index, message.subject, message.body)
        if entry.index > after:
            yield entry


async def messages(
    client: Client, *, consumer: str, until: int | None = None
) -> AsyncGenerator[ExportedEntry, None]:
    """Every message of the ledger as it lies there, for ever or to index `until`, itself included.

    Raises `LedgerDiverged` where the stream has a hole, `StreamUnavailable` where it cannot be
    read.
    """
    last = 0
    stream = follow(client, stream=LEDGER, filter_subject=None, consumer=consumer, throwaway=True)
    async for message in stream:
        if isinstance(message, CaughtUp):
            continue
        if message.index != last + 1:
            raise LedgerDiverged(
                f"entry {last + 1} is missing: the stream went on to {message.index}"
            )
        last = message.index
        yield ExportedEntry(message.index, message.subject, message.body)
        if last == until:
            return
