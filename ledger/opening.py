"""What the opening of an epoch says of the ledger before it must be so."""

from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerDiverged
from schemas.envelope import decode_envelope
from schemas.errors import SchemaError
from schemas.events import decode_event
from schemas.runs import EpochOpened


def opening_in(body: bytes) -> EpochOpened | None:
    """The opening that a message body claims to be, its signature not verified."""
    try:
        event = decode_event(decode_envelope(body).payload)
    except SchemaError:
        return None
    return event.body if isinstance(event.body, EpochOpened) else None


def mistaken(opening: EpochOpened, before: Checkpoint) -> str:
    """How `opening` differs from the ledger `before` it; empty where it does not."""
    said = (opening.size, opening.head, opening.root)
    found = (before.size, before.head, before.root)
    parts = ("size", "chain head", "root")
    wrong = [part for part, one, other in zip(parts, said, found, strict=True) if one != other]
    if not wrong:
        return ""
    return f"the opening of epoch {opening.epoch} has another {wrong[0]} than the ledger before it"


def check_opening(body: bytes, before: Checkpoint) -> None:
    """Raises `LedgerDiverged` where `body` opens an epoch after another ledger than `before`."""
    opening = opening_in(body)
    what = mistaken(opening, before) if opening is not None else ""
    if what:
        raise LedgerDiverged(what, fix="stop writing and run `anyteam verify` on an export")
