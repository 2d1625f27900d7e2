"""Claims that the workspace's memory keeps, and the events about them.

A claim is a sentence that an agent retained for later runs of the same rep. It is never an
order, and never better trusted than what it rests on: what is recalled is untrusted text.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.content import Content
from schemas.names import Classification, Digest, Name, Text
from schemas.runs import Body
from schemas.tools import Trust

ClaimId = Annotated[str, Meta(pattern=r"^m-[0-9a-f]{24}$(?!\n)")]


class Support(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An entry that gave the run what a claim says; `words` is how many telling words of it."""

    entry: Digest
    words: int


class MemoryRetained(Body, frozen=True, tag="memory.retained"):
    """A claim was kept: the gate passed the proposal to retain it, or a person approved it.

    `trust` is TRUSTED where the rep's own intent says it or only systems of record support it.
    `support` is what the run had been given, the strongest first.
    """

    claim: ClaimId
    text: Content
    rep: Name
    agent: Name
    proposal: Digest
    trust: Trust
    sensitivity: Classification
    support: tuple[Support, ...] = ()


class MemoryForgotten(Body, frozen=True, tag="memory.forgotten"):
    """A run of the claim's own rep had it forgotten; it is recalled no more."""

    claim: ClaimId
    proposal: Digest


class MemoryWithdrawn(Body, frozen=True, tag="memory.withdrawn"):
    """An admin had a claim forgotten."""

    claim: ClaimId
    reason: Text
