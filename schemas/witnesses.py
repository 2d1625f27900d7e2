"""Witnesses of the live ledger: who is asked, and what is put on record of their answers.

A cosignature is not an event: each would make a new seal, which would be cosigned again. They lie
beside the ledger. On it are the changes: a witness's first word, a refusal, and that it is over.
"""

from enum import Enum
from typing import Annotated

from msgspec import Meta

from schemas.names import Text
from schemas.runs import Body
from schemas.sections import Section

WitnessVkey = Annotated[
    str,
    Meta(
        pattern=r"^[^+\s]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{1,200}$(?!\n)",
        description="a witness's key as name+hash+base64 (C2SP tlog-cosignature)",
    ),
]
Entries = Annotated[int, Meta(ge=0, le=2**63 - 1, description="a number of entries")]


class Objection(Enum):
    """Why a witness has not cosigned, where it answered.

    OTHER_HISTORY: what it cosigned is no prefix of this ledger. CUT_SHORT: it cosigned more
    entries than there are. FORGOT: it knows less than it cosigned. STRANGER: it does not witness
    this ledger, or not under this seal key. LIED: its cosignature is not its key's. PUZZLED: it
    understands the request otherwise than the protocol says.
    """

    OTHER_HISTORY = "other_history"
    CUT_SHORT = "cut_short"
    FORGOT = "forgot"
    STRANGER = "stranger"
    LIED = "lied"
    PUZZLED = "puzzled"


class WitnessCosigned(Body, frozen=True, tag="witness.cosigned"):
    """A witness's first cosignature, or its first after a refusal; `line` is that of the note."""

    witness: WitnessVkey
    size: Entries
    line: Text


class WitnessRefused(Body, frozen=True, tag="witness.refused"):
    """A witness does not cosign the seal of `size` entries; `held` is how many it says it has."""

    witness: WitnessVkey
    objection: Objection
    size: Entries
    held: Entries
    what: Text


class WitnessAsked(Section, frozen=True, kw_only=True):
    """A witness: `url` is what stands before `/add-checkpoint`, `vkey` its key."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s?#@]+$(?!\n)", max_length=1_000)]
    vkey: WitnessVkey


class WitnessSettings(Section, frozen=True, kw_only=True):
    """The witnesses that cosign each seal, and how many of them must have, within `late_s`."""

    ask: Annotated[tuple[WitnessAsked, ...], Meta(min_length=1, max_length=64)]
    quorum: Annotated[int, Meta(ge=1, le=64)] = 1
    late_s: Annotated[int, Meta(ge=5, le=604_800)] = 300


def check_witnesses(settings: WitnessSettings) -> None:
    """Raises `ValueError` that names the key where they cannot be meant so."""
    keys = [one.vkey for one in settings.ask]
    if len(set(keys)) < len(keys):
        raise ValueError("witnesses.ask names one vkey twice: each witness counts once")
    if settings.quorum > len(keys):
        raise ValueError(f"witnesses.quorum is {settings.quorum}, of {len(keys)} in witnesses.ask")
