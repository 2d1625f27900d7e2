"""A bounded stretch of the ledger, verified and made ready on several cores, ahead of the store.

As `projections.reading` reads it, for a rebuild: signatures are checked by helper processes
(`ledger.spread`), and the rest of the verifying, and whatever a store makes of the entries, is
done in a thread of its own while the store writes what came before. What is read ahead is
bounded, so memory does not grow with the ledger.
"""

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Final, Protocol, TypeVar

from bus.decider import Entry, Recorded, Refused
from crypto.errors import Rejected, Unreadable
from crypto.signing import verify
from crypto.trust import Trust
from ledger.acyclic import seldom_collected
from ledger.export import ExportedEntry
from ledger.signatures import Known, Question
from ledger.spread import Spread

CHUNK: Final = 512
"""Entries that change hands at once, between the loop and the thread that verifies."""
_CHUNKS: Final = 4
"""Chunks that wait for that thread at most."""
_SWITCH_S: Final = 0.0005

Made = TypeVar("Made")


class Bulk(Protocol[Made]):
    """A store that takes entries made ready elsewhere (`projections.postgres.writer`)."""

    def position(self) -> int:
        """The ledger index of the last entry it holds."""
        ...

    def loads(self, entries: Iterator[Entry]) -> Iterator[Made]:
        """`entries` made ready, as they come, in any thread."""
        ...

    def take(self, load: Made) -> None:
        """Write one of these, in order."""
        ...


async def rebuild(
    workspace: str,
    root_public: bytes,
    messages: AsyncIterator[ExportedEntry],
    store: Bulk[Made],
    *,
    cores: int,
) -> None:
    """Hand every verified entry after the store's position to it, until `messages` ends.

    `messages` begins with the ledger's first entry. Raises what it raises, or the store.
    """
    after = await asyncio.to_thread(store.position)

    def make(found: Iterator[ExportedEntry]) -> Generator[Made, None, None]:
        with contextlib.closing(verified(workspace, root_public, found, cores)) as entries:
            yield from store.loads(entry for entry in entries if entry.index > after)

    with _two_at_work():
        async with contextlib.aclosing(ahead(messages, make)) as loads:
            async for load in loads:
                await asyncio.to_thread(store.take, load)


@contextlib.contextmanager
def _two_at_work() -> Iterator[None]:
    """The interpreter as two busy threads want it.

    The thread that writes asks the server thirty small things for each load; it would wait 5 ms,
    by default, for the one that verifies to let it go on after each.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        with seldom_collected():
            yield
    finally:
        sys.setswitchinterval(interval)


class Answers:
    """Signatures of the entry that is being taken, where they were seen to hold ahead of it."""

    def __init__(self) -> None:
        self.held: tuple[Question, ...] = ()

    def check(self, public: bytes, payload_type: str, payload: bytes, signature: bytes) -> None:
        """As `crypto.signing.verify`, whose word is the last; a yes to the very same question is
        not asked for twice."""
        if Question(public, payload_type, payload, signature) not in self.held:
            verify(public, payload_type, payload, signature)


def verified(
    workspace: str, root_public: bytes, entries: Iterator[ExportedEntry], cores: int
) -> Generator[Entry, None, None]:
    """Every entry in order, verified from the first on, by `cores` processes in all."""
    answers = Answers()
    trust = Trust(workspace, root_public, check=answers.check)
    # A receipt's own signature is for whoever holds the receipt: no row rests on it.
    with Spread(cores, root_public, receipts=False, sodium=True) as spread:
        for known in spread.ahead(entries):
            answers.held = known.held
            yield _taken(trust, known)


def _taken(trust: Trust, known: Known) -> Entry:
    entry = known.entry
    try:
        if isinstance(known.opened, Unreadable):
            trust.refuse(entry.subject, known.opened)
        accepted = trust.accept_opened(entry.subject, known.opened)
    except Rejected as error:
        leaf = hashlib.sha256(b"\x00" + entry.body).digest()
        return Refused(entry.index, leaf, error.reason)
    return Recorded(entry.index, accepted.digest, accepted.event, accepted.event)


async def ahead(
    messages: AsyncIterator[ExportedEntry],
    make: Callable[[Iterator[ExportedEntry]], Generator[Made, None, None]],
) -> AsyncGenerator[Made, None]:
    """What `make` makes of `messages` in a thread of its own, one piece ahead of who takes it.

    Where `messages` fails, `make` sees its end, what it has made is given, and then the failure
    is raised.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[list[ExportedEntry]] = asyncio.Queue(_CHUNKS)

    def pulled() -> Iterator[ExportedEntry]:
        while chunk := asyncio.run_coroutine_threadsafe(waiting.get(), loop).result():
            yield from chunk

    reading = asyncio.ensure_future(_read(messages, waiting))
    made = make(pulled())
    coming = asyncio.ensure_future(asyncio.to_thread(next, made, None))
    try:
        while (piece := await coming) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(next, made, None))
            yield piece
        await reading
    finally:
        reading.cancel()
        # A thread cannot be interrupted: it finds that there is no more, and is waited for.
        await asyncio.gather(reading, coming, return_exceptions=True)
        made.close()


async def _read(
    messages: AsyncIterator[ExportedEntry], waiting: asyncio.Queue[list[ExportedEntry]]
) -> None:
    """Chunk after chunk, and an empty one at the end, whatever ends it."""
    try:
        chunk: list[ExportedEntry] = []
        async for message in messages:
            chunk.append(message)
            if len(chunk) == CHUNK:
                await waiting.put(chunk)
                chunk = []
        if chunk:
            await waiting.put(chunk)
    except asyncio.CancelledError:
        while not waiting.empty():
            waiting.get_nowait()
        raise
    finally:
        await waiting.put([])
