"""What of a ledger speaks of a person, however often it must be read to know."""

import pytest

from bus.decider import Recorded
from console.erasing import Search, Staying
from crypto.sealing import WorkspaceKeys, open_event
from crypto.trust import Trust
from schemas.actions import ObservationRecorded
from schemas.content import plain
from schemas.erasure import ContentErased, ContentField
from schemas.memories import MemoryRetained
from schemas.names import Classification
from schemas.tools import Trust as Standing
from tests.stories import RunStory, Said, Story

CLAIM = "m-" + "c" * 24


@pytest.fixture
def story() -> Story:
    story = Story()
    story.found()
    return story


def heard(run: RunStory, text: str) -> Said:
    return run.say("sidecar", ObservationRecorded(source="crm", content=plain(text)), run.granted)


def retained(run: RunStory, text: str) -> Said:
    body = MemoryRetained(
        claim=CLAIM,
        text=plain(text),
        rep="ann",
        agent="assistant",
        proposal=run.granted.digest,
        trust=Standing.TRUSTED,
        sensitivity=Classification.CONFIDENTIAL,
    )
    return run.say("sidecar", body, run.granted)


def entries(story: Story) -> list[Recorded]:
    trust = Trust(story.workspace, story.signers["root"].public)
    keys = WorkspaceKeys(story.ring)
    found = []
    for entry in story.entries:
        seen = trust.accept(entry.subject, entry.body)
        opened = open_event(seen.event, keys)
        found.append(Recorded(entry.index, seen.digest, opened, seen.event))
    return found


def searched(story: Story, *words: str, whole_runs: bool = False) -> tuple[Search, int]:
    """The search after all readings that it wanted, and how many that were."""
    search, readings = Search(words, whole_runs=whole_runs), 0
    while search.begin():
        readings += 1
        for entry in entries(story):
            search.take(entry)
    return search, readings


def field(said: Said, name: str) -> ContentField:
    return ContentField(run=str(said.event.run), event=said.event.id, name=name)


def test_what_names_nobody_is_read_once(story: Story) -> None:
    one, other = story.begin("r-1"), story.begin("r-2")
    named = heard(one, "Bob Stone rang")
    heard(one, "nobody rang")
    heard(other, "the bobsleigh is stone cold")
    search, readings = searched(story, "bob  stone")
    assert search.found().fields == (field(named, "content"),)
    assert readings == 1


def test_a_claim_of_theirs_goes_with_each_mention_of_it(story: Story) -> None:
    run = story.begin("r-1")
    # Before it was retained nobody can know its name; that nothing rests on it is shown here.
    early = heard(run, f"see {CLAIM}")
    kept = retained(run, "Bob Stone likes tea")
    late = heard(run, f"recalled {CLAIM}: likes tea")
    heard(run, "tea is liked")
    search, readings = searched(story, "Bob Stone")
    expected = (field(early, "content"), field(kept, "text"), field(late, "content"))
    assert search.found().fields == expected
    assert readings == 2


def test_of_whole_runs_all_goes_and_what_their_claims_are_named_in(story: Story) -> None:
    run, other, third = (story.begin(f"r-{number}") for number in range(3))
    kept = retained(run, "they like tea")
    recalled = heard(other, f"by {CLAIM}")
    named = heard(run, "Bob Stone rang")
    heard(third, "nobody rang")
    search, _ = searched(story, "Bob Stone")
    assert search.found().fields == (field(named, "content"),)
    search, readings = searched(story, "Bob Stone", whole_runs=True)
    expected = (field(kept, "text"), field(recalled, "content"), field(named, "content"))
    assert search.found().fields == expected
    assert readings == 3, "whom the words name; those runs, and the claim; its run"


def test_what_is_no_content_is_told_once_and_stays(story: Story) -> None:
    run = story.begin("r-1")
    retained(run, "Ann likes tea, says Bob")
    named = heard(run, "Bob rang")
    search, _ = searched(story, "ann", "bob", whole_runs=True)
    places = [(mention.type, mention.field) for mention in search.found().clear]
    assert ("run.requested", "rep") in places
    assert len(places) == len(set(search.found().clear))
    assert named.event.id in {one.event for one in search.found().fields}


def test_all_other_content_of_their_runs_stays_but_for_what_was_erased(story: Story) -> None:
    run, other = story.begin("r-1"), story.begin("r-2")
    gone, before, stays = (heard(run, text) for text in ("Bob", "erased before", "tea"))
    heard(other, "of another run")
    story.say("ada", ContentErased(fields=(field(before, "content"),), reason="asked"))
    staying = Staying([field(gone, "content")])
    for entry in entries(story):
        staying.take(entry)
    assert staying.fields() == (field(stays, "content"),)
