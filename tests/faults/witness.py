"""The reader that follows ledger and seals all the while, over a link that nobody harms.

What it was once given it keeps; the checker holds the final ledger against it. It is also how the
clients learn that their runs have come to an end.
"""

import asyncio
import contextlib
from collections.abc import Callable

from bus.component import connect_as, together
from bus.connection import disconnect
from bus.consume import CaughtUp, follow
from bus.errors import BusError, LedgerDiverged
from bus.folder import DataFolder
from bus.roles import LEDGER, SEALS
from ledger.chain import leaf_of
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.errors import LedgerError
from schemas.actions import ActionFinished, ActionStarted
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import Event, decode_event, event_digest
from schemas.names import Role
from schemas.runs import RunCompleted, RunHalted, RunRefused

_AGAIN_S = 0.2


class Witness:
    """`seen` are (index, leaf), `sealed` checkpoints and `notes` as they were signed, `ended` runs,
    `live` those that have begun and not ended; `actions` how many have an outcome, `open` those
    that have none; `problems` what it refused to read on over.
    """

    def __init__(self, view: DataFolder, sealer: bytes) -> None:
        self.seen: list[tuple[int, bytes]] = []
        self.sealed: list[Checkpoint] = []
        self.notes: list[str] = []
        self.ended: set[str] = set()
        self.live: dict[str, None] = {}
        self.problems: list[str] = []
        self.actions = 0
        self.open: set[bytes] = set()
        self._view, self._sealer = view, sealer
        self._workspace = view.settings().workspace
        self._news = asyncio.Event()

    async def follow(self) -> None:
        """Both streams, until cancelled. Raises what ends the reading of one."""
        await together(self._stream(LEDGER, self._entry), self._stream(SEALS, self._seal))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that was read makes this true."""
        while not condition():
            await self._news.wait()

    @property
    def unsealed(self) -> int:
        """Entries after the last seal."""
        last = self.seen[-1][0] if self.seen else 0
        return last - (self.sealed[-1].size if self.sealed else 0)

    async def _stream(self, stream: str, take: Callable[[int, bytes], None]) -> None:
        last = 0
        while True:
            with contextlib.suppress(BusError):
                client = await connect_as(self._view, Role.REP)
                try:
                    async with contextlib.aclosing(
                        follow(
                            client,
                            stream=stream,
                            filter_subject=None,
                            consumer="rep",
                            throwaway=True,
                            after=last,
                        )
                    ) as messages:
                        async for message in messages:
                            if isinstance(message, CaughtUp):
                                continue
                            last = message.index
                            take(last, message.body)
                            self._news.set()
                            self._news = asyncio.Event()
                except LedgerDiverged as error:
                    self.problems.append(str(error))
                finally:
                    await disconnect(client)
            await asyncio.sleep(_AGAIN_S)

    def _entry(self, index: int, body: bytes) -> None:
        self.seen.append((index, leaf_of(body)))
        payload, event = event_in(body)
        if event is None or event.run is None:
            return
        if isinstance(event.body, ActionStarted):
            self.open.add(event_digest(payload))
        elif isinstance(event.body, ActionFinished):
            self.open.discard(event.body.action)
            self.actions += 1
        if isinstance(event.body, RunCompleted | RunHalted | RunRefused):
            self.ended.add(event.run)
            self.live.pop(event.run, None)
        elif event.run not in self.ended:
            self.live[event.run] = None

    def _seal(self, index: int, body: bytes) -> None:
        with contextlib.suppress(LedgerError, UnicodeDecodeError):
            note = body.decode()
            self.sealed.append(open_checkpoint(note, self._workspace, (self._sealer,)))
            self.notes.append(note)


def event_in(body: bytes) -> tuple[bytes, Event | None]:
    """What an entry claims to hold, as bytes and event; its signature is another's to check."""
    try:
        payload = decode_envelope(body).payload
        return payload, decode_event(payload)
    except SchemaError:
        return b"", None
