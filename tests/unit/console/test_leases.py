"""The lease tree: who lent whom what, each level narrower than the one above, and what is left."""

from console.view.leases import lease_tree
from schemas.names import SECOND
from schemas.runs import PolicySet, RepRevoked
from tests.cases import changed
from tests.scenery import POLICY, REQUEST
from tests.stories import Story
from tests.unit.console.test_fold import seen


def test_live_leases_hang_under_their_agent_and_rep_with_what_they_have_of_the_policy() -> None:
    story = Story()
    story.found()
    first = story.begin("r-1", REQUEST, tools=("crm.update",))
    first.act()
    story.begin("r-2", changed(REQUEST, agent="scribe"))
    over = story.begin("r-3")
    over.complete()
    view = seen(story)
    (rep,) = lease_tree(view, list(view.runs.values()), story.now)
    assert (rep.name, rep.active) == ("ann", True)
    assert [(one.name, [held.run.name for held in one.leases]) for one in rep.agents] == [
        ("follow-up", ["r-1"]),
        ("scribe", ["r-2"]),
    ]
    held = rep.agents[0].leases[0]
    assert held.tools == (("crm.update", True), ("pay", False))
    assert (held.stray, held.used) == ((), 1)
    assert held.left_s == (held.lease.not_after - story.now) // SECOND


def test_what_the_policy_lost_meanwhile_a_revoked_rep_and_a_lease_that_is_over_are_said() -> None:
    story = Story()
    story.found()
    run = story.begin("r-1")
    story.say("root", PolicySet(policy=changed(POLICY, version=2, tools=POLICY.tools[:1])))
    story.say("root", RepRevoked(rep="ann", reason="left"))
    view = seen(story)
    (rep,) = lease_tree(view, list(view.runs.values()), run.lease.not_after + SECOND)
    held = rep.agents[0].leases[0]
    assert (rep.active, held.stray, held.left_s) == (False, ("pay",), 0)
    assert lease_tree(view, [], story.now) == ()
