"""Versions of a ledger: the root alone raises it, and what is above it is refused by every release.

What a newer release would write is signed here by the rightful author's key, with a version and
fields that this release does not know.
"""

from collections.abc import Callable

import msgspec
import pytest

from crypto.errors import (
    Broken,
    Forged,
    NewerRelease,
    Rejected,
    Replayed,
    Unauthorised,
    Unraised,
    WrongPlace,
)
from crypto.opening import Opened, open_body
from crypto.trust import Trust
from ledger.export import ExportedEntry
from schemas.envelope import Envelope, decode_envelope, encode_envelope
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope, PolicySet, RepActivated, RunHalted, RunStarted
from tests.scenery import POLICY
from tests.stories import Story

HALT = HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="enough")


def founded() -> Story:
    story = Story()
    story.found()
    story.begin("r-1")
    return story


def reader(story: Story) -> Trust:
    """A trust that has accepted all that was told."""
    trust = Trust(story.workspace, story.signers["root"].public)
    for entry in story.entries:
        trust.accept(entry.subject, entry.body)
    return trust


def raised(story: Story) -> ExportedEntry:
    """The root's first event of version 2."""
    story.say("root", RepActivated(rep="bob"), version=2, region="north")
    return story.entries[-1]


def test_the_root_raises_a_ledger_and_a_release_that_is_too_old_says_so() -> None:
    story = founded()
    trust = reader(story)
    before = trust.known()
    entry = raised(story)
    with pytest.raises(NewerRelease, match=r"version 2; this release reads up to 1") as refused:
        trust.accept(entry.subject, entry.body)
    assert "upgrade" in refused.value.fix
    assert not isinstance(refused.value, Rejected)
    assert trust.known() == before


@pytest.mark.parametrize("author", ["r-1-runtime", "ann", "ada", "sidecar", "orchestrator"])
def test_nobody_else_raises_it(author: str) -> None:
    story = founded()
    trust = reader(story)
    run = "r-1" if author == "r-1-runtime" else None
    story.say(author, HALT, run=run, version=9)
    entry = story.entries[-1]
    with pytest.raises(Unraised, match="version 9") as refused:
        trust.accept(entry.subject, entry.body)
    assert refused.value.reason.startswith("unraised: an event of version 9")


def forged(story: Story, entry: ExportedEntry) -> ExportedEntry:
    envelope = decode_envelope(entry.body)
    bent = bytes([envelope.signature[0] ^ 1]) + envelope.signature[1:]
    changed = msgspec.structs.replace(envelope, signature=bent)
    return ExportedEntry(entry.index, entry.subject, encode_envelope(changed))


def elsewhere(story: Story, entry: ExportedEntry) -> ExportedEntry:
    return ExportedEntry(entry.index, "ws.other.admin.key", entry.body)


def after_a_gap(story: Story, entry: ExportedEntry) -> ExportedEntry:
    return raised(story)


def under_the_roots_name(story: Story, entry: ExportedEntry) -> ExportedEntry:
    """The run's own signature, with the root's key named beside it."""
    envelope = decode_envelope(entry.body)
    signature = story.signers["r-1-runtime"].envelope(envelope.payload).signature
    body = encode_envelope(Envelope(envelope.payload, envelope.key_id, signature))
    return ExportedEntry(entry.index, entry.subject, body)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (forged, Forged),
        (elsewhere, WrongPlace),
        (after_a_gap, Broken),
        (under_the_roots_name, Forged),
    ],
)
def test_what_only_looks_like_the_roots_word_stops_nobody(
    change: Callable[[Story, ExportedEntry], ExportedEntry], error: type[Rejected]
) -> None:
    story = founded()
    trust = reader(story)
    entry = change(story, raised(story))
    with pytest.raises(error):
        trust.accept(entry.subject, entry.body)


def test_the_same_events_are_refused_or_taken_by_a_release_that_reads_them() -> None:
    """Bodies that both know, of a version that the newer one reads: it must refuse the same."""
    story = founded()
    trust = reader(story)
    early = story.say("ada", HALT)
    with pytest.raises(Unraised) as refused:
        trust.accept_opened(story.entries[-1].subject, as_newer(story.entries[-1], 2))
    assert refused.value.reason.startswith("unraised: an event of version 2")
    trust.accept(story.entries[-1].subject, story.entries[-1].body)
    assert trust.known().version == 1
    story.say("root", PolicySet(policy=POLICY))
    trust.accept_opened(story.entries[-1].subject, as_newer(story.entries[-1], 2))
    assert trust.known().version == 2
    story.say("ada", HALT, causes=(early.digest,))
    taken = trust.accept_opened(story.entries[-1].subject, as_newer(story.entries[-1], 2))
    assert taken.event.v == 2


def as_newer(entry: ExportedEntry, version: int) -> Opened:
    """The entry as a release that reads `version` takes it apart."""
    opened = open_body(entry.body)
    return Opened(opened.envelope, msgspec.structs.replace(opened.event, v=version))


def test_a_version_that_was_raised_is_kept_with_what_else_is_known() -> None:
    story = founded()
    trust = reader(story)
    known = msgspec.structs.replace(trust.known(), version=2)
    again = Trust(story.workspace, story.signers["root"].public)
    again.resume(known)
    assert again.known() == known


def follow(trust: Trust, entry: ExportedEntry) -> None:
    with pytest.raises(Unraised) as refused:
        open_body(entry.body)
    trust.follow(entry.subject, refused.value)


def test_in_a_run_that_is_over_it_follows_too() -> None:
    story = founded()
    story.say("orchestrator", RunHalted(halt=bytes(32), reason="enough"), run="r-1")
    trust = reader(story)
    follow(trust, raised(story))
    for attempt in (2, 3):
        story.say("orchestrator", RunStarted(attempt=attempt), run="r-1", version=2)
        follow(trust, story.entries[-1])
    with pytest.raises(Replayed):
        follow(trust, story.entries[-1])


def test_who_only_reports_follows_chains_and_signatures_of_what_it_does_not_read() -> None:
    story = founded()
    trust = reader(story)
    follow(trust, raised(story))
    story.say("orchestrator", RunStarted(attempt=2), run="r-1", version=2, cell="b")
    follow(trust, story.entries[-1])
    with pytest.raises(Replayed):
        follow(trust, story.entries[-1])
    # What it reads goes on from there, in the same chains.
    story.say("orchestrator", RunStarted(attempt=3), run="r-1")
    trust.accept(story.entries[-1].subject, story.entries[-1].body)
    story.say("orchestrator", RunStarted(attempt=4), run="r-1", version=2)
    with pytest.raises(Forged):
        follow(trust, forged(story, story.entries[-1]))
    story.author("eve", Role.ORCHESTRATOR)
    story.say("eve", RunStarted(attempt=5), run="r-1", version=2)
    with pytest.raises(Unauthorised):
        follow(trust, story.entries[-1])
