"""A ledger as it was written verifies for good, byte for byte, from its root key alone.

`written/ledger-1.jsonl` is one of version 1: a line about it, then a line for each entry, with
the message body as it lay on the bus (base64). Nothing in it is ever changed.
"""

import base64
from pathlib import Path

import msgspec
from msgspec import Struct

from ledger.export import ExportedEntry
from ledger.verify import verify
from tests.ledgers import HeldExport, SignedLedger


class About(Struct, frozen=True):
    """Whose ledger it is, its root's public key (hex), and the seals over it."""

    workspace: str
    root: str
    seals: tuple[str, ...]


class Line(Struct, frozen=True):
    """One entry."""

    index: int
    subject: str
    body: str


def written() -> SignedLedger:
    """The ledger in the file."""
    path = Path(__file__).parent / "written" / "ledger-1.jsonl"
    first, *rest = path.read_text().splitlines()
    about = msgspec.json.decode(first, type=About)
    lines = [msgspec.json.decode(line, type=Line) for line in rest]
    return SignedLedger(
        workspace=about.workspace,
        root_public=bytes.fromhex(about.root),
        receipt_key=b"",
        entries=tuple(
            ExportedEntry(one.index, one.subject, base64.b64decode(one.body)) for one in lines
        ),
        seals=about.seals,
        signers={},
    )


def test_a_ledger_as_it_was_written_verifies() -> None:
    ledger = written()
    report = verify(HeldExport(ledger), ledger.root_public)
    assert report.ok, report.findings
    assert ledger.events().count("receipt.issued") == 2


def test_one_changed_byte_of_it_is_found() -> None:
    ledger = written()
    at = ledger.events().index("action.started")
    entry = ledger.entries[at]
    bent = entry.body[:-1] + bytes([entry.body[-1] ^ 1])
    entries = [*ledger.entries]
    entries[at] = ExportedEntry(entry.index, entry.subject, bent)
    report = verify(HeldExport(ledger, entries), ledger.root_public)
    assert not report.ok
    assert min(finding.index for finding in report.findings if finding.index) == entry.index
