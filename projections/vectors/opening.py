"""Events opened for the index, as far as the content keys of this machine go."""

from collections.abc import AsyncIterator

from msgspec.structs import replace

from bus.decider import Entry, Recorded
from crypto.sealing import ContentKeys, open_event


async def opened(entries: AsyncIterator[Entry], keys: ContentKeys) -> AsyncIterator[Entry]:
    """The same entries; what `keys` open is open in `event`, and `published` stays as it was."""
    async for entry in entries:
        if isinstance(entry, Recorded):
            yield replace(entry, event=open_event(entry.event, keys))
        else:
            yield entry
