"""The ledger, entry by entry, and what a browser needs to check one by itself."""

import base64
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.view.words import in_words
from console.web.entries import Entry, entries
from console.web.errors import NotHere
from console.web.here import Here
from console.web.permissions import Visitor
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import Event, decode_event
from schemas.names import Role

PAGE: Final = 50


async def explorer(request: Request, here: Here, visitor: Visitor) -> Response:
    """Entries, the latest first."""
    text = request.query_params.get("to", "")
    size = here.feed.index
    last = min(int(text), size) if text.isdecimal() and len(text) < 12 else size
    first = max(1, last - PAGE + 1)
    rows = [
        (each, event, here.feed.digest(each.index), in_words(event.body) if event else "")
        for each in await entries(here.client, first, last, here.feed.epoch)
        for event in (_event(each),)
    ]
    return here.page(
        "ledger.html", request, visitor, rows=rows[::-1], first=first, last=last, total=size
    )


async def entry(request: Request, here: Here, visitor: Visitor) -> Response:
    """One entry, with every field that is not sealed."""
    found = await _one(request, here)
    event = _event(found)
    fields: Any = None
    if event is not None:
        fields = msgspec.json.format(msgspec.json.encode(event, enc_hook=str), indent=2).decode()
    return here.page(
        "entry.html",
        request,
        visitor,
        entry=found,
        event=event,
        digest=here.feed.digest(found.index),
        fields=fields,
        root=here.folder.root_public().hex(),
    )


async def proof(request: Request, here: Here, visitor: Visitor) -> Response:
    """The entry's bytes, the newest seal that covers it, and the path between the two."""
    found = await _one(request, here)
    seal = here.feed.seal
    if seal is None or seal[1].size < found.index or seal[1].size > here.feed.tree.size:
        raise NotHere("no seal covers this entry yet", fix="wait a second and try again")
    note, checkpoint = seal
    path = here.feed.tree.inclusion(found.index - 1, checkpoint.size)
    sealers = here.feed.trust.keys_of(Role.SIDECAR, "sealer")
    return JSONResponse(
        {
            "index": found.index,
            "body": base64.b64encode(found.body).decode(),
            "path": [node.hex() for node in path],
            "note": note,
            "sealers": [key.hex() for key in sealers],
        }
    )


async def _one(request: Request, here: Here) -> Entry:
    index = int(request.path_params["index"])
    if not 1 <= index <= here.feed.index:
        raise NotHere(f"the ledger has no entry {index}", fix="see the explorer")
    for found in await entries(here.client, index, index, here.feed.epoch):
        return found
    raise NotHere(f"the ledger has no entry {index}", fix="see the explorer")


def _event(entry: Entry) -> Event | None:
    try:
        return decode_event(decode_envelope(entry.body).payload)
    except SchemaError:
        return None
