"""A ledger that was raised to a version this release does not read: what can be held to, is.

An auditor with an old release learns that signatures, chains, seals and tree hold after that
place, or do not, and that nobody judged what the events mean: never that all is well.
"""

from collections.abc import Callable

import msgspec
import pytest

from ledger.export import ExportedEntry
from ledger.verify import verify
from schemas.envelope import decode_envelope, encode_envelope
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope, RepActivated
from tests.ledgers import HeldExport
from tests.stories import Story

HALT = HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="enough")


def raised() -> Story:
    """A run, then the root's of version 2, two more of it, and one that is read."""
    story = Story()
    story.found()
    run = story.begin("r-1")
    story.seal()
    story.say("root", RepActivated(rep="bob"), version=2, region="north")
    proposal = run.propose()
    story.say("sidecar", HALT, run="r-1", version=2, causes=(proposal.digest,))
    story.author("later", Role.ORCHESTRATOR)
    story.say("later", HALT, run="r-1", version=2)
    story.say("ada", HALT)
    story.seal()
    return story


def test_an_old_release_says_from_where_on_it_judges_no_meaning() -> None:
    story = raised()
    ledger = story.ledger()
    at = len(ledger.entries) - 4
    report = verify(HeldExport(ledger), ledger.root_public)
    (finding,) = report.findings
    assert (finding.kind, finding.index) == ("newer", at)
    assert "version 2" in finding.what and "does not judge" in finding.what
    assert not report.ok
    assert report.unjudged == 5
    # The seals hold for all of it, and what was before is as good as ever.
    assert report.sealed == report.size == len(ledger.entries)
    assert report.undoubted == at - 1


def test_before_it_was_raised_nothing_is_unjudged() -> None:
    story = Story()
    story.found()
    story.seal()
    ledger = story.ledger()
    report = verify(HeldExport(ledger), ledger.root_public)
    assert report.ok and report.unjudged == 0


def bent(entry: ExportedEntry) -> ExportedEntry:
    envelope = decode_envelope(entry.body)
    signature = bytes([envelope.signature[0] ^ 1]) + envelope.signature[1:]
    body = encode_envelope(msgspec.structs.replace(envelope, signature=signature))
    return ExportedEntry(entry.index, entry.subject, body)


def moved(entry: ExportedEntry) -> ExportedEntry:
    return ExportedEntry(entry.index, "ws.other.run.r-1.halt", entry.body)


@pytest.mark.parametrize(("change", "kind"), [(bent, "forged"), (moved, "wrongplace")])
@pytest.mark.parametrize("back", [1, 3, 5])
def test_an_entry_after_it_that_is_not_what_was_signed_is_found(
    change: Callable[[ExportedEntry], ExportedEntry], kind: str, back: int
) -> None:
    ledger = raised().ledger()
    entries = list(ledger.entries)
    entries[-back] = change(entries[-back])
    report = verify(HeldExport(ledger, entries), ledger.root_public)
    assert (kind, entries[-back].index) in {(one.kind, one.index) for one in report.findings}


def test_nothing_of_it_is_kept_as_verified_for_a_release_that_reads_it() -> None:
    ledger = raised().ledger()
    kept: list[object] = []
    verify(HeldExport(ledger), ledger.root_public, save=kept.append)
    assert kept == []
