"""Starting from a snapshot: it must open, and lie on the sealed history that the bus still shows.

The seal that the snapshot rests on must stand where it stood, and the entry it was taken after
must be the same; then the node goes on from there. Where either is missing or another, the
snapshot is beyond or beside the sealed history: it is discarded, and the fold from the beginning
says what has happened to the ledger.
"""

import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

from bus.client import Client
from bus.consume import Message, follow
from bus.errors import BadSnapshot, StreamUnavailable
from bus.node import Node
from bus.roles import LEDGER, SEALS
from bus.snapshot import resume
from ledger.chain import leaf_of
from ledger.snapshots import Snapshot, Snapshots

_LOG: Final = logging.getLogger("anyteam.snapshots")


async def restart(client: Client, snapshots: Snapshots, node: Node[Any]) -> Snapshot | None:
    """Bring `node` to its last snapshot, and return it; None where it starts from the beginning."""
    return await bring_back(client, snapshots, lambda found: resume(node, found.folded))


async def bring_back(
    client: Client, snapshots: Snapshots, take: Callable[[Snapshot], None]
) -> Snapshot | None:
    """The last snapshot where it can be gone on from, and `take` has taken it; `take` raises
    `BadSnapshot` where it cannot. None where there is no such one, and then it is discarded.
    """
    try:
        found = snapshots.load()
        if found is None:
            return None
        await _check(client, snapshots.component, found)
        take(found)
    except BadSnapshot as error:
        snapshots.discard(error.what)
        return None
    _LOG.info("%s goes on from its snapshot at %d", snapshots.component, found.folded.index)
    return found


async def _check(client: Client, component: str, found: Snapshot) -> None:
    size = found.frontier.size
    seal = await _first(client, SEALS, component, found.place)
    if seal is None or seal.body != found.seal.encode():
        raise BadSnapshot(f"the seal it rests on is no more at {found.place} of the seals")
    entry = await _first(client, LEDGER, component, size)
    if entry is None or leaf_of(entry.body) != found.leaf:
        raise BadSnapshot(f"entry {size}, which it was taken after, is not there or another")


async def _first(client: Client, stream: str, component: str, index: int) -> Message | None:
    """The message at `index`, None where the stream does not have it."""
    reading = follow(
        client,
        stream=stream,
        filter_subject=None,
        consumer=component,
        throwaway=True,
        after=index - 1,
    )
    async with contextlib.aclosing(reading) as messages:
        try:
            async for message in messages:
                found = isinstance(message, Message) and message.index == index
                return message if found and isinstance(message, Message) else None
        except StreamUnavailable as error:
            raise BadSnapshot(f"{stream} cannot be read at {index}: {error.what}") from error
    return None
