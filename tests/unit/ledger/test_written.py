"""Ledgers as they were written verify for good, byte for byte, from their root key alone.

`written/README.md` says who wrote which, and how: `ledger-0` by the first code that could, with
shapes that are written no more (`schemas.former`); `ledger-1` by today's. Nothing in them is ever
changed.
"""

import base64
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec import Struct

from bus.decider import Recorded
from console.cast import cast
from console.view.fold import fold
from console.view.state import Workspace
from crypto.errors import Rejected
from crypto.sealing import NoKeys
from crypto.trust import Trust, Verified
from ledger.export import ExportedEntry
from ledger.replay import replay
from ledger.verify import verify
from projections.folds import rows_of
from schemas.actions import ActionStarted, LayerResult, ProposalMade
from schemas.content import value_of
from schemas.envelope import decode_envelope
from schemas.events import event_digest
from tests.ledgers import HeldExport, SignedLedger
from tests.projected import entries_of

NAMES: Final = ("ledger-0", "ledger-1")
BY_ITS_RELEASE: Final = {"verdict.given", "action.started", "action.refused", "action.finished"}
"""Decisions that follow from rules and content: a release's own rules, and content with its key."""


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


def written(name: str) -> SignedLedger:
    """The ledger in the file."""
    path = Path(__file__).parent / "written" / f"{name}.jsonl"
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


def accepted(ledger: SignedLedger) -> list[tuple[ExportedEntry, Verified]]:
    """The entries that hold, with what was read in them."""
    trust, found = Trust(ledger.workspace, ledger.root_public), []
    for entry in ledger.entries:
        try:
            found.append((entry, trust.accept(entry.subject, entry.body)))
        except Rejected:
            continue
    return found


@pytest.mark.parametrize(
    ("name", "receipts", "rejected"), [("ledger-0", 13, 1), ("ledger-1", 2, 0)]
)
def test_a_ledger_as_it_was_written_verifies(name: str, receipts: int, rejected: int) -> None:
    ledger = written(name)
    report = verify(HeldExport(ledger), ledger.root_public)
    assert report.ok, report.findings
    assert (report.receipts, report.rejected) == (receipts, rejected)
    assert report.sealed == report.size


@pytest.mark.parametrize("name", NAMES)
def test_one_changed_byte_of_it_is_found(name: str) -> None:
    ledger = written(name)
    at = next(at for at, one in enumerate(ledger.entries) if one.subject.endswith(".action"))
    entry = ledger.entries[at]
    bent = entry.body[:-1] + bytes([entry.body[-1] ^ 1])
    entries = [*ledger.entries]
    entries[at] = ExportedEntry(entry.index, entry.subject, bent)
    report = verify(HeldExport(ledger, entries), ledger.root_public)
    assert not report.ok
    assert min(finding.index for finding in report.findings if finding.index) == entry.index


def test_a_former_shape_is_read_as_todays_under_the_digest_it_was_written_with() -> None:
    held = accepted(written("ledger-0"))
    proposals = [(e, v) for e, v in held if isinstance(v.event.body, ProposalMade)]
    assert len(proposals) == 14
    for entry, verified in proposals:
        payload = decode_envelope(entry.body).payload
        assert isinstance(msgspec.msgpack.decode(payload)["body"]["purpose"], str)
        assert isinstance(verified.event.body, ProposalMade)
        assert isinstance(value_of(verified.event.body.purpose), str)
        assert verified.digest == event_digest(payload)
    started = [v.event.body for _, v in held if isinstance(v.event.body, ActionStarted)]
    results = {layer.result for body in started for layer in body.layers}
    assert results == {LayerResult.PASS, LayerResult.NOT_ASKED}


def test_replay_reads_all_of_the_first_ledger_and_what_no_rule_changed_follows_from_it() -> None:
    ledger = written("ledger-0")
    told = replay(
        [(entry.index, entry.subject, entry.body) for entry in ledger.entries],
        Trust(ledger.workspace, ledger.root_public),
        NoKeys(),
        cast,
    )
    assert told.entries == len(ledger.entries)
    assert {one.type for one in told.differences} == BY_ITS_RELEASE
    assert told.derived["lease.granted"] == told.derived["run.completed"] == 3
    assert told.derived["receipt.issued"] == 13 and told.derived["entry.rejected"] == 1


def test_projections_and_console_take_the_first_ledger() -> None:
    ledger = written("ledger-0")
    rows = [
        row for entry in entries_of(ledger) if isinstance(entry, Recorded) for row in rows_of(entry)
    ]
    assert sum(row.table == "receipts" for row in rows) == 13
    assert sum(row.table == "events" for row in rows) == len(ledger.entries) - 1
    shown = Workspace(ledger.workspace)
    for entry, verified in accepted(ledger):
        fold(shown, entry.index, verified)
    assert len(shown.runs) == 3
