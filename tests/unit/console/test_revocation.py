"""Which lease an entry voids before its time, read from a run's own beginning."""

from msgspec.structs import replace

from bus.consume import Message
from console.revocation import voided_by_last
from crypto.trust import Trust
from schemas.leases import Lease
from schemas.runs import LeaseRenewed, LeaseRevoked, RunHalted
from tests.stories import RunStory, Story

HALTED = RunHalted(halt=bytes(32), reason="enough")


def founded() -> tuple[Story, RunStory]:
    """A workspace with one run under way."""
    story = Story()
    story.found()
    return story, story.begin("r-1")


def read(story: Story) -> list[Message]:
    """What is read of `r-1`: its own entries and the workspace's."""
    wanted = (f"ws.{story.workspace}.admin.", f"ws.{story.workspace}.run.r-1.")
    return [
        Message(e.index, e.subject, e.body, 0)
        for e in story.entries
        if e.subject.startswith(wanted)
    ]


def voided(story: Story, entries: list[Message]) -> Lease | None:
    """What the last of them voids."""
    return voided_by_last(Trust(story.workspace, story.signers["root"].public), "r-1", entries)


def test_a_halted_runs_lease_is_void_once_and_by_the_halt_alone() -> None:
    story, run = founded()
    assert voided(story, read(story)) is None
    story.say("orchestrator", HALTED, run="r-1")
    assert voided(story, read(story)) == run.lease
    story.begin("r-2")
    story.say("orchestrator", LeaseRevoked(reason="late"), run="r-1")
    assert voided(story, read(story)) is None


def test_a_renewed_lease_voids_the_one_before() -> None:
    story, run = founded()
    story.say("orchestrator", LeaseRenewed(lease=replace(run.lease, attempt=2, keys=())), run="r-1")
    assert voided(story, read(story)) == run.lease


def test_a_lease_is_not_void_by_one_who_may_not_say_so() -> None:
    story, run = founded()
    story.say(run.runtime, HALTED, run="r-1")
    assert voided(story, read(story)) is None
