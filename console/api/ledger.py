"""The ledger as it stands: entries with their bytes, the newest seal, and proofs of inclusion.

With these a program verifies for itself: nothing here needs to be believed.
"""

import base64

from console.api import asks, shapes
from console.api.paging import cursor_of, key_of
from console.view.words import in_words
from console.web.entries import Entry, entries
from console.web.errors import NotHere
from console.web.here import Here
from console.web.permissions import Visitor
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import Event, decode_event
from schemas.names import Role


async def listed(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Entries
) -> shapes.Page[shapes.EntryShape]:
    """Entries in the ledger's order."""
    after = given.after if given.cursor is None else key_of("entries", given.cursor)
    size = here.feed.index
    last = min(after + given.limit, size)
    found = await entries(here.client, after + 1, last, here.feed.epoch)
    return shapes.Page(
        [_shape(here, entry) for entry in found],
        cursor_of("entries", found[-1].index) if found and found[-1].index < size else None,
    )


async def one(
    here: Here, visitor: Visitor, at: asks.OfIndex, given: asks.Nothing
) -> shapes.EntryShape:
    """One entry."""
    return _shape(here, await _one(here, at.index))


async def proof(
    here: Here, visitor: Visitor, at: asks.OfIndex, given: asks.Nothing
) -> shapes.ProofShape:
    """One entry's path to the newest seal that covers it."""
    found = await _one(here, at.index)
    seal = here.feed.seal
    if seal is None or seal[1].size < found.index or seal[1].size > here.feed.tree.size:
        raise NotHere("no seal covers this entry yet", fix="ask again in a second")
    note, checkpoint = seal
    return shapes.ProofShape(
        index=found.index,
        size=checkpoint.size,
        body=base64.b64encode(found.body).decode(),
        path=[node.hex() for node in here.feed.tree.inclusion(found.index - 1, checkpoint.size)],
        note=note,
        sealers=_sealers(here),
        root=here.folder.root_public().hex(),
    )


async def checkpoint(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.Nothing
) -> shapes.CheckpointShape:
    """The newest seal."""
    if here.feed.seal is None:
        raise NotHere("there is no seal yet", fix="ask again in a second")
    note, said = here.feed.seal
    return shapes.CheckpointShape(said.size, said.root.hex(), note, _sealers(here))


def _sealers(here: Here) -> list[str]:
    return [key.hex() for key in here.feed.trust.keys_of(Role.SIDECAR, "sealer")]


async def _one(here: Here, index: int) -> Entry:
    if index <= here.feed.index:
        for found in await entries(here.client, index, index, here.feed.epoch):
            return found
    raise NotHere(f"the ledger has no entry {index}", fix="see /ledger/entries")


def _shape(here: Here, entry: Entry) -> shapes.EntryShape:
    digest, event = here.feed.digest(entry.index), _event(entry)
    valid = digest is not None and event is not None
    return shapes.EntryShape(
        index=entry.index,
        subject=entry.subject,
        type=event.type if event is not None and valid else "",
        words=in_words(event.body) if event is not None and valid else "",
        digest=digest.hex() if digest is not None else None,
        body=base64.b64encode(entry.body).decode(),
    )


def _event(entry: Entry) -> Event | None:
    try:
        return decode_event(decode_envelope(entry.body).payload)
    except SchemaError:
        return None
