"""The feeder's work: one task a witness, none waiting for another, and one pen for all.

What a witness gave is on disk before it is counted as given. A refusal is on the ledger before it
is remembered as told, so that a crash tells it twice rather than never.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from bus.client import Client
from console.author import Pen, say
from console.feeding.following import Following
from console.feeding.memory import Kept, Memory
from crypto.errors import WrongPlace
from crypto.trust import Trust
from ledger.checkpoint import b64, read_checkpoint
from ledger.cosignature import WitnessKey
from ledger.cosigned import keep_cosigned
from ledger.errors import BadCheckpoint, BadProof, LedgerDiverged
from ledger.feeding import (
    REFUSED_NS,
    Cosigned,
    NoReply,
    Outcome,
    Refused,
    Reply,
    Standing,
    heard,
    wanted,
)
from ledger.stored_tree import StoredTree
from ledger.witness import request_of
from schemas.names import SECOND
from schemas.witnesses import WitnessCosigned, WitnessRefused

_LOG: Final = logging.getLogger("anyteam.feeder")

Put = Callable[[str, bytes], Awaitable[Reply | NoReply]]
"""(the witness's prefix, the request) -> its answer."""


class Feeder:
    """Puts the newest seal to each of `asked`, (prefix, key). See the module's docstring."""

    def __init__(
        self,
        client: Client,
        memory: Memory,
        trust: Trust,
        pen: Pen,
        asked: tuple[tuple[str, WitnessKey], ...],
        put: Put,
    ) -> None:
        self._client, self._memory, self._pen, self._put = client, memory, pen, put
        self._asked = asked
        self._turn = asyncio.Lock()
        kept = memory.load()
        self._tree = StoredTree(memory.tree)
        self._note = ""
        self._standings = {key.vkey: Standing() for _, key in asked}
        if kept is not None:
            self._standings |= {
                vkey: found for vkey, found in kept.standings.items() if vkey in self._standings
            }
        if kept is not None and self._goes_on(kept, trust):
            self._note = kept.note
            self._tree.cut(kept.index)
        else:
            self._tree.cut(0)
        self._following = Following(client, trust, self._tree, self.keep)

    async def run(self) -> None:
        """Follow and ask, until cancelled or a part of it fails."""
        works = [self._following.run(), self._following.run_seals()]
        works += [self._attend(prefix, key) for prefix, key in self._asked]
        tasks = [asyncio.ensure_future(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        except LedgerDiverged:
            # Another ledger than the one that was read: the next start reads it from its beginning,
            # and the witnesses say what they think of it.
            self._tree.cut(0)
            self.keep()
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tree.close()

    def keep(self) -> None:
        """Have on disk what was read and heard."""
        self._tree.flush()
        self._memory.save(
            Kept(
                index=self._tree.size,
                note=self._note,
                trust=self._following.trust.known(),
                standings=self._standings,
            )
        )

    def _goes_on(self, kept: Kept, trust: Trust) -> bool:
        """Whether the tree on disk is the one that was sealed when this was kept."""
        if not 0 < kept.index <= self._tree.size:
            return False
        try:
            if kept.note:
                sealed = read_checkpoint(kept.note)
                if self._tree.root(sealed.size) != sealed.root:
                    return False
            trust.resume(kept.trust)
        except (BadCheckpoint, BadProof, ValueError, WrongPlace):
            return False
        return True

    async def _attend(self, prefix: str, key: WitnessKey) -> None:
        while True:
            standing, seal, now = self._standings[key.vkey], self._following.seal, time.time_ns()
            old = wanted(standing, seal[1].size if seal is not None else 0, now)
            if seal is None or old is None:
                await self._following.moved(_patience(standing, now))
                continue
            note, sealed = seal
            steps = self._tree.consistency(old, sealed.size) if 0 < old < sealed.size else ()
            answer = await self._put(prefix, request_of(old, [b64(step) for step in steps], note))
            after, outcome = heard(standing, key, note, old, answer, time.time_ns())
            await self._record(key, note, sealed.size, outcome)
            if after.failures == 1 or isinstance(outcome, Refused):
                _LOG.warning("%s did not cosign %d entries: %s", key.name, sealed.size, after.what)
            self._standings[key.vkey] = after
            self._note = note
            self.keep()

    async def _record(self, key: WitnessKey, note: str, size: int, outcome: Outcome) -> None:
        if isinstance(outcome, Cosigned):
            keep_cosigned(self._memory.cosigned, key, note + outcome.line)
            if not outcome.news:
                return
        if outcome is None:
            return
        body: WitnessCosigned | WitnessRefused
        if isinstance(outcome, Cosigned):
            body = WitnessCosigned(witness=key.vkey, size=size, line=outcome.line)
        else:
            body = WitnessRefused(
                witness=key.vkey,
                objection=outcome.objection,
                size=size,
                held=outcome.held,
                what=outcome.what,
            )
        async with self._turn:
            index = await say(self._client, self._following, self._pen, body, run=None)
        _LOG.info("entry %d: %s", index, msgspec.json.encode(body).decode())


def _patience(standing: Standing, now: int) -> float | None:
    """Seconds to wait for something to be read, None for as long as it takes."""
    wait = min(standing.retry_at - now, REFUSED_NS)
    return wait / SECOND if wait > 0 else None
