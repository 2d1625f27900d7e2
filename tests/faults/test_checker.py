"""The checker finds each violation that it is there to find, and none where all holds."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint, origin_of
from ledger.merkle import Frontier
from schemas.actions import ActionOutcome
from schemas.envelope import decode_envelope
from schemas.events import event_digest
from schemas.runs import HaltEngaged, HaltReleased, HaltScope
from tests.faults.checker import violations
from tests.faults.history import Done, History, Place, Told
from tests.ledgers import event_of
from tests.stories import Said, Story


def checkpoint(places: tuple[Place, ...], size: int) -> Checkpoint:
    frontier, head = Frontier(), first_head("acme")
    for place in places[:size]:
        frontier.append(leaf_of(place.entry.body))
        head = next_head(head, leaf_of(place.entry.body))
    return Checkpoint(origin=origin_of("acme"), size=size, root=frontier.root(), head=head)


def history_of(story: Story, **seen: object) -> History:
    """What all witnesses saw of a story in which nothing went wrong; but for what is given."""
    places = tuple(
        Place(entry, event_of(entry), event_digest(decode_envelope(entry.body).payload))
        for entry in story.ledger().entries
    )
    seals = (checkpoint(places, 5), checkpoint(places, len(places)))
    good = History(
        workspace="acme",
        ledger=places,
        seals=seals,
        seen=tuple((p.entry.index, leaf_of(p.entry.body)) for p in places),
        sealed=seals,
        logged=("crm.update",),
        ended=(("r-1", True),),
    )
    return replace(good, **seen)


def acted(outcome: ActionOutcome = ActionOutcome.CONFIRMED) -> tuple[Story, Said]:
    """A run of one action; the story and the action."""
    story = Story()
    story.found()
    run = story.begin("r-1")
    proposal = run.propose()
    run.give(proposal)
    action = run.start(proposal)
    run.finish(action, outcome)
    return story, action


def test_a_history_that_holds_has_no_violation() -> None:
    story, action = acted()
    said = (
        Told(client="ann", event=action.digest, index=action.index, asked=1.0, answered=2.0),
        Told(client="ann", event=digest_at(story, -1), index=action.index + 1, asked=3, answered=4),
    )
    history = history_of(story, told=said, done=(Done(action.event.id, "a"),))
    assert violations(history) == []


def digest_at(story: Story, number: int) -> bytes:
    return event_digest(decode_envelope(story.ledger().entries[number].body).payload)


def told(event: bytes, index: int, asked: float = 1.0) -> Told:
    return Told(client="ann", event=event, index=index, asked=asked, answered=asked + 1)


def lost(history: History, action: Said) -> History:
    return replace(history, told=(told(b"\1" * 32, 3),))


def elsewhere(history: History, action: Said) -> History:
    return replace(history, told=(told(action.digest, action.index - 1),))


def twice_there(history: History, action: Said) -> History:
    again = Place(
        replace(history.ledger[-1].entry, index=len(history.ledger) + 1),
        action.event,
        action.digest,
    )
    changed = replace(history, ledger=(*history.ledger, again), told=())
    return replace(changed, told=(told(action.digest, action.index),))


def out_of_order(history: History, action: Said) -> History:
    first, second = history.ledger[2], history.ledger[3]
    late = told(first.digest, first.entry.index, asked=9.0)
    return replace(history, told=(told(second.digest, second.entry.index), late))


def rewritten(history: History, action: Said) -> History:
    return replace(history, seen=((3, b"\0" * 32),))


def cut_short(history: History, action: Said) -> History:
    return replace(history, ledger=history.ledger[:-1], seals=history.seals[:1], sealed=())


def with_a_gap(history: History, action: Said) -> History:
    places = tuple(p for p in history.ledger if p.entry.index != 4)
    return replace(history, ledger=places, seen=(), seals=(), sealed=())


def done_twice(history: History, action: Said) -> History:
    return replace(history, done=(*history.done, *history.done))


def done_under_another_key(history: History, action: Said) -> History:
    return replace(history, done=(*history.done, Done("another", "a")))


def without_a_record(history: History, action: Said) -> History:
    return replace(history, done=(*history.done, Done("another", "b")))


def not_done(history: History, action: Said) -> History:
    return replace(history, done=())


def of_another_ledger(history: History, action: Said) -> History:
    return replace(history, seals=(replace(history.seals[0], root=b"\0" * 32), history.seals[1]))


def of_a_longer_ledger(history: History, action: Said) -> History:
    return replace(history, seals=(*history.seals, replace(history.seals[1], size=10_000)))


def shrinking(history: History, action: Said) -> History:
    return replace(history, seals=(*history.seals, history.seals[0]))


def two_of_a_size(history: History, action: Said) -> History:
    return replace(history, sealed=(replace(history.seals[1], head=b"\0" * 32),))


def gone(history: History, action: Said) -> History:
    return replace(history, seals=history.seals[1:])


def unsealed(history: History, action: Said) -> History:
    return replace(history, unsealed=2)


def unended(history: History, action: Said) -> History:
    return replace(history, ended=(("r-1", False),))


@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        (lost, "acknowledged"),
        (elsewhere, "acknowledged"),
        (twice_there, "acknowledged"),
        (out_of_order, "acknowledged"),
        (rewritten, "kept"),
        (cut_short, "kept"),
        (with_a_gap, "kept"),
        (done_twice, "once"),
        (done_under_another_key, "once"),
        (without_a_record, "once"),
        (not_done, "outcomes"),
        (of_another_ledger, "unforked"),
        (of_a_longer_ledger, "unforked"),
        (shrinking, "unforked"),
        (two_of_a_size, "unforked"),
        (gone, "unforked"),
        (unsealed, "alive"),
        (unended, "alive"),
    ],
)
def test_one_change_for_the_worse_is_a_violation_of_its_rule(
    harm: Callable[[History, Said], History], rule: str
) -> None:
    story, action = acted()
    good = history_of(story, done=(Done(action.event.id, "a"),))
    assert violations(good) == []
    assert rule in {found.partition(":")[0] for found in violations(harm(good, action))}


def test_what_is_failed_and_was_done_is_found() -> None:
    story, action = acted(ActionOutcome.FAILED)
    assert violations(history_of(story)) == []
    assert violations(history_of(story, done=(Done(action.event.id, "a"),)))


def test_what_is_unknown_may_have_been_done_or_not() -> None:
    story, action = acted(ActionOutcome.UNKNOWN)
    assert violations(history_of(story)) == []
    assert violations(history_of(story, done=(Done(action.event.id, "a"),))) == []


def test_an_action_without_an_outcome_or_with_two_is_found() -> None:
    story, action = acted()
    done = (Done(action.event.id, "a"),)
    without = history_of(story, done=done)
    without = replace(without, ledger=without.ledger[:-1], seen=(), seals=(), sealed=())
    assert [v.partition(":")[0] for v in violations(without)] == ["outcomes"]


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (HaltScope.RUN, "r-1"),
        (HaltScope.REP, "ann"),
        (HaltScope.AGENT, "follow-up"),
        (HaltScope.WORKSPACE, ""),
        (HaltScope.PLATFORM, ""),
    ],
)
def test_an_action_done_after_a_halt_that_covers_it_is_found(scope: HaltScope, target: str) -> None:
    story = Story()
    story.found()
    run = story.begin("r-1")
    proposal = run.propose()
    run.give(proposal)
    story.say("ada", HaltEngaged(scope=scope, target=target, reason="stop"))
    action = run.start(proposal)
    run.finish(action)
    found = violations(history_of(story, done=(Done(action.event.id, "a"),)))
    assert [said.partition(":")[0] for said in found] == ["halted"]


def test_an_action_done_once_the_halt_is_released_or_that_it_does_not_cover_is_none() -> None:
    story = Story()
    story.found()
    run = story.begin("r-1")
    proposal = run.propose()
    run.give(proposal)
    story.say("ada", HaltEngaged(scope=HaltScope.RUN, target="r-2", reason="stop"))
    story.say("ada", HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="stop"))
    story.say("ada", HaltReleased(scope=HaltScope.WORKSPACE, target="", reason="go on"))
    action = run.start(proposal)
    run.finish(action)
    assert violations(history_of(story, done=(Done(action.event.id, "a"),))) == []


def test_one_action_more_than_the_lease_allows_is_found() -> None:
    story = Story()
    story.found()
    run = story.begin("r-1", max_actions=1)
    done = []
    for _ in range(2):
        proposal = run.propose()
        run.give(proposal)
        action = run.start(proposal)
        run.finish(action)
        done.append(Done(action.event.id, f"{len(done)}"))
    found = violations(history_of(story, done=tuple(done)))
    assert [said.partition(":")[0] for said in found] == ["within_budget"]
