"""Ledgers for projections: a story of every kind of event that tables are made of, verified.

Only tests and the bench import this.
"""

from collections.abc import Iterable

from bus.decider import Entry
from crypto.trust import Trust
from ledger.export import ExportedEntry
from projections.reading import verified
from tests.stories import SignedLedger


def entries_of(ledger: SignedLedger) -> list[Entry]:
    """Every entry of a ledger, verified as a projector does."""
    return verify(ledger, ledger.entries)


def verify(ledger: SignedLedger, entries: Iterable[ExportedEntry]) -> list[Entry]:
    """These entries of it, in order from the first."""
    trust = Trust(ledger.workspace, ledger.root_public)
    return [verified(trust, entry.index, entry.subject, entry.body) for entry in entries]
