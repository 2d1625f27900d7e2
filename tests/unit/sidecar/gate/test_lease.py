"""Layer 2: in force, and nowhere wider than the policy and the rep's own request."""

from typing import Any

import pytest

from schemas.actions import LayerResult
from schemas.names import SECOND, Role
from sidecar.gate.lease import lease
from tests.cases import (
    INTENT,
    LEASE,
    NOW,
    POLICY,
    REQUEST,
    REQUEST_DIGEST,
    changed,
    good_case,
    recorded,
    verdict,
)


def asked(**changes: Any) -> Any:
    return recorded(changed(REQUEST, **changes), REQUEST_DIGEST, Role.REP, "ann")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no lease": ({"lease": None}, "no lease is in force"),
    "no policy": ({"policy": None}, "no lease is in force"),
    "ended": ({"lease_ended": "run.completed"}, "has ended: run.completed"),
    "not begun": ({"lease": changed(LEASE, not_before=NOW + 1)}, "outside its time"),
    "over": ({"lease": changed(LEASE, not_after=NOW)}, "outside its time"),
    "inactive rep": ({"rep_active": False}, "rep ann is not active"),
    "unknown tools": (
        {"lease": changed(LEASE, tools=("z.b", "mail.send", "a.b"))},
        "policy does not: a.b, z.b",
    ),
    "foreign agent": ({"policy": changed(POLICY, agents=("other",))}, "agent follow-up"),
    "longer than policy": ({"policy": changed(POLICY, max_ttl_s=259)}, "policy's 259 s"),
    "more than policy": ({"policy": changed(POLICY, max_actions=4)}, "policy's 4"),
    "no request": ({"request": None}, "answers no signed request"),
    "other request": ({"lease": changed(LEASE, request=b"z" * 32)}, "answers no signed request"),
    "not a request": (
        {"request": changed(verdict(), digest=REQUEST_DIGEST)},
        "not a rep's request",
    ),
    "not a rep": (
        {"request": recorded(REQUEST, REQUEST_DIGEST, Role.ADMIN, "ada")},
        "not a rep's request",
    ),
    "other rep": ({"request": asked(rep="bob")}, "another rep or agent"),
    "other agent": ({"request": asked(agent="mailer")}, "another rep or agent"),
    "other intent": ({"request": asked(intent=changed(INTENT, summary="x"))}, "another intent"),
    "unasked tool": ({"request": asked(tools=())}, "tools that the rep did not ask for"),
    "longer than asked": ({"request": asked(ttl_s=259)}, "longer than the rep asked"),
    "more than asked": ({"request": asked(max_actions=4)}, "more actions than the rep"),
    "used up": ({"actions": 5}, "allows 5 actions and has had them"),
    "past all actions": ({"actions": 6}, "allows 5 actions and has had them"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_lease_that_does_not_hold_is_refused_with_its_own_reason(name: str) -> None:
    changes, reason = REFUSED[name]
    word = lease(good_case(**changes))
    assert word.result is LayerResult.REFUSE
    assert reason in word.reason


ALLOWED: dict[str, dict[str, Any]] = {
    "its first instant": {"lease": changed(LEASE, not_before=NOW)},
    "its last nanosecond": {"lease": changed(LEASE, not_after=NOW + 1)},
    "exactly the policy's time": {"policy": changed(POLICY, max_ttl_s=260)},
    "exactly the policy's actions": {"policy": changed(POLICY, max_actions=5)},
    "exactly the time asked for": {"request": asked(ttl_s=260)},
    "a policy for any agent": {"policy": changed(POLICY, agents=())},
    "fewer tools than asked for": {"request": asked(tools=("mail.send", "crm.update"))},
    "one of several agents": {"policy": changed(POLICY, agents=("other", "follow-up"))},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_lease_may_reach_every_bound_exactly(name: str) -> None:
    assert lease(good_case(**ALLOWED[name])).result is LayerResult.PASS


def test_the_last_action_passes_and_is_counted() -> None:
    word = lease(good_case(actions=4))
    assert word.result is LayerResult.PASS
    assert word.evidence == f"until {NOW + 200 * SECOND}, action 5/5"


def test_what_is_too_wide_names_run_and_attempt() -> None:
    word = lease(good_case(request=None))
    assert word.evidence == "lease of run r-1, attempt 1"
