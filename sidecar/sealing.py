"""The sealer's I/O: publishes checkpoints of the ledger that the sidecar folds.

The fold, and when a seal is due, are `ledger.sealer`'s. Notes go to the seals stream,
single-writer by expected sequence. At start the seals that exist, or those since the snapshot
that the sidecar starts from, are held against the stream: a ledger shorter or other than what was
sealed stops the sidecar at once.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
import uuid
from collections.abc import AsyncGenerator

from bus.client import Client
from bus.commands import Publish
from bus.consume import CaughtUp, Message, follow
from bus.errors import LedgerDiverged
from bus.outbox import Outbox
from bus.publish import Stored, publish
from bus.roles import SEALS, seals_subject
from crypto.signing import Signer
from ledger.errors import BadCheckpoint
from ledger.sealer import Sealing
from ledger.snapshots import Snapshot
from ledger.taking import Taking

BEAT_S = 0.2

_LOG = logging.getLogger("anyteam.sealer")


class Sealer:
    """Seals one workspace's ledger as it is folded."""

    def __init__(
        self,
        client: Client,
        workspace: str,
        signer: Signer,
        outbox: Outbox,
        *,
        taking: Taking,
        start: Snapshot | None,
    ) -> None:
        self._client = client
        self._taking = taking
        self._subject = seals_subject(workspace)
        self._signer = signer
        self._outbox = outbox
        self._sealing = Sealing(workspace, signer.public)
        self._first = self._last = 0
        if start is not None:
            self._sealing.resume(start.frontier, start.head)
            self._first = self._last = start.place - 1

    async def begin(self) -> None:
        """Read the seals there are; the ledger is held to each as it is folded."""
        async for message in self._seals(self._first):
            if isinstance(message, CaughtUp):
                return
            self._last = message.index
            try:
                self._sealing.check(message.body.decode())
            except (BadCheckpoint, UnicodeDecodeError) as error:
                # A hostile user can have the server drop junk here; only signatures count.
                _LOG.warning("seal stream entry %d is no seal: %s", message.index, error)

    def observe(self, index: int, subject: str, body: bytes) -> None:
        """Fold one entry. Raises `LedgerDiverged` where a seal says otherwise."""
        self._sealing.fold(index, subject, body)
        self._taking.observe(index, subject, body)

    def caught_up(self) -> None:
        """The stream's end is reached. Raises `LedgerTruncated` where seals cover more."""
        self._sealing.caught_up()
        self._taking.caught_up()

    async def run(self) -> None:
        """Seal whenever it is due, until cancelled; first let snapshots rest on what is sealed."""
        await self._pass_seals()
        while True:
            await asyncio.sleep(BEAT_S)
            now = time.time_ns()
            if self._sealing.due(now):
                await self._seal(now)

    async def _pass_seals(self) -> None:
        """Each seal there was at the beginning, as the fold comes to it."""
        async with contextlib.aclosing(self._seals(self._first)) as seals:
            async for message in seals:
                if isinstance(message, CaughtUp):
                    return
                await self._taking.sealed(message.index, message.body.decode("utf-8", "replace"))
                if message.index >= self._last:
                    return

    def _seals(self, after: int) -> AsyncGenerator[Message | CaughtUp, None]:
        return follow(
            self._client,
            stream=SEALS,
            filter_subject=None,
            consumer="sealer",
            throwaway=True,
            after=after,
        )

    async def _seal(self, now: int) -> None:
        note = self._sealing.seal(self._signer, now)
        size = self._sealing.sealed
        name = str(uuid.UUID(bytes=hashlib.sha256(note.encode()).digest()[:16]))
        message = Publish(name, name, self._subject, note.encode(), (self._subject, self._last))
        answer = await publish(self._client, message)
        if not isinstance(answer, Stored):
            raise LedgerDiverged(
                "another sealer has written a seal", fix="run one sidecar for a workspace"
            )
        self._last = answer.index
        self._outbox.sealed_up_to(size)
        await self._taking.sealed(answer.index, note)
