"""A bounded stretch of the ledger, verified on several cores and ahead of the store.

As `projections.reading` reads it, for a rebuild: signatures are checked by helper processes
(`ledger.spread`), and the rest of the verifying is done in a thread of its own, while the store
writes what came before. The window is bounded, so memory does not grow with the ledger.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from itertools import islice
from typing import Final

from bus.decider import Entry, Recorded, Refused
from crypto.errors import Rejected, Unreadable
from crypto.signing import verify
from crypto.trust import Trust
from ledger.export import ExportedEntry
from ledger.signatures import Known, Question
from ledger.spread import Spread

CHUNK: Final = 512
"""Entries that change hands at once, between the loop and the thread that verifies."""


class Answers:
    """Signatures of the entry that is being taken, where they were seen to hold ahead of it."""

    def __init__(self) -> None:
        self.held: tuple[Question, ...] = ()

    def check(self, public: bytes, payload_type: str, payload: bytes, signature: bytes) -> None:
        """As `crypto.signing.verify`; the very same question is not asked twice."""
        if Question(public, payload_type, payload, signature) not in self.held:
            verify(public, payload_type, payload, signature)


def verified(
    workspace: str, root_public: bytes, entries: Iterator[ExportedEntry], cores: int
) -> Iterator[Entry]:
    """Every entry in order, verified from the first on, by `cores` processes in all."""
    answers = Answers()
    trust = Trust(workspace, root_public, check=answers.check)
    with Spread(cores, root_public) as spread:
        for known in spread.ahead(entries):
            answers.held = known.held
            yield _taken(trust, known)


def _taken(trust: Trust, known: Known) -> Entry:
    entry = known.entry
    try:
        if isinstance(known.opened, Unreadable):
            raise known.opened
        accepted = trust.accept_opened(entry.subject, known.opened)
    except Rejected as error:
        leaf = hashlib.sha256(b"\x00" + entry.body).digest()
        return Refused(entry.index, leaf, error.reason)
    return Recorded(entry.index, accepted.digest, accepted.event, accepted.event)


async def ahead(
    workspace: str,
    root_public: bytes,
    messages: AsyncIterator[ExportedEntry],
    *,
    cores: int,
    after: int = 0,
) -> AsyncGenerator[Entry, None]:
    """The entries of `messages` after index `after`, verified; ends where `messages` ends.

    `messages` begins with the ledger's first entry. Raises what `messages` raises.
    """
    loop = asyncio.get_running_loop()

    async def some() -> list[ExportedEntry]:
        return [message async for message in _first(messages, CHUNK)]

    def pulled() -> Iterator[ExportedEntry]:
        while chunk := asyncio.run_coroutine_threadsafe(some(), loop).result():
            yield from chunk

    entries = verified(workspace, root_public, pulled(), cores)
    try:
        while chunk := await asyncio.to_thread(lambda: list(islice(entries, CHUNK))):
            for entry in chunk:
                if entry.index > after:
                    yield entry
    finally:
        with contextlib.suppress(ValueError):
            entries.close()  # type: ignore[attr-defined]


async def _first(messages: AsyncIterator[ExportedEntry], most: int) -> AsyncIterator[ExportedEntry]:
    """The next `most` of them, or those that are left."""
    for _ in range(most):
        try:
            yield await anext(messages)
        except StopAsyncIteration:
            return
