"""Erasing content: which fields of which events nobody can open any more.

The signed events stay as they are and every chain still verifies; what is destroyed are the keys
of the fields named here (`crypto.keyring`).
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.names import EventId, Name, Text
from schemas.runs import Body

MAX_FIELDS = 2000


class ContentField(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, order=True):
    """One content field of one event of one run."""

    run: Name
    event: EventId
    name: Annotated[str, Meta(min_length=1, max_length=64)]


class ContentErased(Body, frozen=True, tag="content.erased"):
    """An admin had the keys of these fields destroyed. Whoever has a copy of what they said
    removes it: a projection its rows, a memory its claims. `reason` names nobody.
    """

    fields: Annotated[tuple[ContentField, ...], Meta(min_length=1, max_length=MAX_FIELDS)]
    reason: Text
