"""Valid bytes to begin from: a told ledger, one event of each type, files written by their writers.

Hypothesis makes the events, from the Structs themselves, so a new type is fuzzed the day it is
written; it is asked for its simplest value, so that every process has the same.
"""

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, find, settings

from crypto.signing import Signer
from schemas.envelope import decode_envelope, encode_envelope
from schemas.events import Event, encode_event
from schemas.jsonschema import body_types
from tests.ledgers import SignedLedger, small_ledger, write_export
from tests.unit.schemas.arbitrary import events

_SIMPLEST = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=20,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@cache
def ledger() -> SignedLedger:
    """A ledger of two runs, sealed."""
    return small_ledger(runs=2)


@cache
def payloads() -> tuple[bytes, ...]:
    """One event of each type, encoded, and those of a told run."""
    told = tuple(decode_envelope(entry.body).payload for entry in ledger().entries)
    return (*(encode_event(_simplest(name)) for name in body_types()), *told)


@cache
def bodies() -> tuple[bytes, ...]:
    """Message bodies: a told run's own, and one of each type under some key."""
    signer = Signer.from_seed(bytes(32))
    made = (encode_envelope(signer.envelope(payload)) for payload in payloads())
    return (*(entry.body for entry in ledger().entries), *made)


@cache
def scratch() -> Path:
    """A folder for what is read from files; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="anyteam-fuzz-")
    _KEPT.append(folder)
    return Path(folder.name)


@cache
def export() -> Path:
    """A whole export of the ledger."""
    return write_export(ledger(), scratch() / "export")


def _simplest(name: str) -> Event:
    return find(events(name), lambda _: True, settings=_SIMPLEST)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
