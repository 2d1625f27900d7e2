"""The component: one feed of the ledger, a lane for each active endpoint, kept as people want it.

A person's change is a change in the database, seen within `POLL_S`; the endpoint's lane is then
ended and begun anew from what is kept. Whatever fails ends the component: its next incarnation
goes on from the database.
"""

import asyncio
import logging
import random
import time
from contextlib import aclosing
from typing import Final

from crypto.errors import CryptoError
from projections.webhooks.endpoint import Kept, Step
from projections.webhooks.errors import WebhookError
from projections.webhooks.feed import Feed
from projections.webhooks.journal import Journal
from projections.webhooks.lane import Clock, Lane, SigningKey
from projections.webhooks.lookup import addresses_of
from projections.webhooks.progress import Rules, Status, put_off
from projections.webhooks.sealed import open_secret
from projections.webhooks.sending import Line
from projections.webhooks.signature import key_of
from projections.webhooks.store import Store
from projections.webhooks.target import networks_of, target_of
from projections.webhooks.tls import context_of
from schemas.names import SECOND
from schemas.settings import WebhookSettings

POLL_S: Final = 0.25

_LOG: Final = logging.getLogger("anyteam")


class Service:
    """Serves the endpoints in `store`; `key` opens their secrets."""

    def __init__(
        self, store: Store, key: bytes, workspace: str, settings: WebhookSettings, feed: Feed
    ) -> None:
        self._store = store
        self._key = key
        self._workspace = workspace
        self._settings = settings
        self._feed = feed
        self._journal = Journal(store)
        self._lanes: dict[str, tuple[int, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Serve for ever. Raises what a lane, the ledger or the database raises."""
        standing = [
            asyncio.ensure_future(work)
            for work in (self._feed.run(), self._journal.run(), self._watch())
        ]
        try:
            done, _ = await asyncio.wait(standing, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            lanes = [task for _, task in self._lanes.values()]
            for task in (*standing, *lanes):
                task.cancel()
            await asyncio.gather(*standing, *lanes, return_exceptions=True)
            await self._journal.flush()

    async def _watch(self) -> None:
        seen = -1
        while True:
            version = self._store.version()
            if version != seen:
                seen = version
                await self._follow_changes(self._store.endpoints())
            for _, task in self._lanes.values():
                if task.done():
                    # A lane that ended by itself has nothing to send; one that failed raises.
                    task.result()
            await asyncio.sleep(POLL_S)

    async def _follow_changes(self, kept: tuple[Kept, ...]) -> None:
        there = {one.endpoint.name: one for one in kept}
        for name, (generation, task) in list(self._lanes.items()):
            if name not in there or there[name].generation != generation:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._lanes[name]
        for name, one in there.items():
            if name not in self._lanes and one.progress.status is Status.ACTIVE:
                task = asyncio.ensure_future(self._serve(one))
                self._lanes[name] = (one.generation, task)

    async def _serve(self, kept: Kept) -> None:
        settings = self._settings
        try:
            keys = keys_of(kept, self._key, self._workspace)
            line = line_of(kept, settings)
        except (WebhookError, CryptoError) as error:
            # One endpoint that cannot be served stops no other.
            self._put_off(kept, str(error))
            return
        lane = Lane(
            kept,
            keys,
            feed=self._feed,
            line=line,
            notes=self._journal,
            rules=Rules(dead_after_s=settings.dead_after_s, give_up_s=settings.give_up_s),
            clock=Clock(time.time_ns, random.SystemRandom().random, _until),
        )
        async with aclosing(line):
            await lane.run()

    def _put_off(self, kept: Kept, reason: str) -> None:
        name = kept.endpoint.name
        _LOG.error("endpoint %s is disabled: %s", name, reason)
        progress = put_off(kept.progress, reason)
        self._journal.note(Step(name=name, generation=kept.generation, progress=progress))


def keys_of(kept: Kept, key: bytes, workspace: str) -> tuple[SigningKey, ...]:
    """What an endpoint's messages are signed with. Raises `SecretUnreadable`."""
    name = kept.endpoint.name
    return tuple(
        SigningKey(key_of(open_secret(one.sealed, key, workspace, name)), one.until)
        for one in kept.secrets
    )


def line_of(kept: Kept, settings: WebhookSettings) -> Line:
    """A line to an endpoint, as the settings allow it. Raises `BadEndpoint`."""
    return Line(
        target_of(kept.endpoint.url),
        context_of(kept.endpoint.tls),
        addresses_of,
        private=networks_of(settings.private),
        timeout_s=settings.timeout_s,
    )


async def _until(moment: int) -> None:
    await asyncio.sleep(max(0, moment - time.time_ns()) / SECOND)
