"""Two points in time: what came, what went, what changed, and nothing else."""

import msgspec

from crypto.trust import Trust
from ledger.incident.standing import Changed, changes, standing
from ledger.replay import verified_entries
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, PolicySet, RepRevoked
from tests.scenery import POLICY
from tests.stories import Story


def between(story: Story, start: int, end: int) -> dict[tuple[str, str], Changed]:
    trust = Trust(story.workspace, story.signers["root"].public)
    entries = [(e.index, e.subject, e.body) for e in story.entries]
    known = list(verified_entries(entries, trust, story.keys))
    found = changes(standing(known[:start]), standing(known[:end]))
    return {(one.area, one.name): one for one in found}


def test_what_came_went_and_changed_is_named() -> None:
    story = Story()
    story.found()
    start = len(story.entries)
    run = story.begin("r-1")
    receipt = run.act()
    story.say("ada", HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="look"))
    stricter = msgspec.structs.replace(POLICY, version=2, max_actions=3)
    story.say("root", PolicySet(policy=stricter))
    story.say("root", RepRevoked(rep="ann", reason="left"))
    middle = len(story.entries)
    found = between(story, start, middle)
    assert set(found) == {
        ("run", "r-1"),
        ("lease", "r-1"),
        ("halt", "workspace"),
        ("policy", "max_actions"),
        ("policy", "version"),
        ("rep", "ann"),
        ("actions", "crm.update"),
    }
    assert (found["policy", "max_actions"].before, found["policy", "max_actions"].after) == (200, 3)
    assert found["rep", "ann"].after == "revoked"
    story.say("ada", HaltReleased(scope=HaltScope.WORKSPACE, target="", reason="seen"))
    run.complete(receipt)
    gone = between(story, middle, len(story.entries))
    assert {key: one.after for key, one in gone.items()} == {
        ("halt", "workspace"): None,
        ("run", "r-1"): None,
        ("lease", "r-1"): None,
    }


def test_nothing_changed_between_a_point_and_itself() -> None:
    story = Story()
    story.found()
    assert between(story, 5, 5) == {}
