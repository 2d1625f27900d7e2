"""Erasing content: which fields of which events nobody can open any more.

The signed events stay as they are and every chain still verifies; what is destroyed are the keys
of the fields named here (`crypto.keyring`).
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.names import EventId, Text
from schemas.runs import Body

MAX_FIELDS = 2000


Scope = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,127}$(?!\n)",
        description="a run, or one capture of a device: capture.DEVICE.NUMBER",
    ),
]
"""What the key of a content field follows from. No run's name has a dot in it."""


class ContentField(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, order=True):
    """One content field of one event of one run, or of one capture of a device."""

    run: Scope
    event: EventId
    name: Annotated[str, Meta(min_length=1, max_length=64)]


class ContentErased(Body, frozen=True, tag="content.erased"):
    """An admin had the keys of these fields destroyed. Whoever has a copy of what they said
    removes it: a projection its rows, a memory its claims. `reason` names nobody.
    """

    fields: Annotated[tuple[ContentField, ...], Meta(min_length=1, max_length=MAX_FIELDS)]
    reason: Text
