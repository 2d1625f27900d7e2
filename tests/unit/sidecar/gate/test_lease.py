"""Layer 2: in force, and nowhere wider than the policy and the rep's own request."""

from typing import Any

import msgspec
import pytest

from schemas.actions import LayerResult
from schemas.names import SECOND, Role
from schemas.runs import RunRequested
from sidecar.gate.lease import lease
from tests.cases import (
    INTENT,
    LEASE,
    NOW,
    POLICY,
    REQUEST,
    REQUEST_DIGEST,
    SEND,
    changed,
    good_case,
    recorded,
    verdict,
)


def asked(**changes: Any) -> Any:
    return recorded(changed(REQUEST, **changes), REQUEST_DIGEST, Role.REP, "ann")


EARLY: dict[str, Any] = {
    "now": 200 * SECOND,
    "lease": changed(LEASE, not_before=100 * SECOND, not_after=400 * SECOND),
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no lease": ({"lease": None}, "no lease is in force"),
    "no policy": ({"policy": None}, "no lease is in force"),
    "ended": ({"lease_ended": "run.completed"}, "has ended: run.completed"),
    "not begun": ({"lease": changed(LEASE, not_before=NOW + 1)}, "outside its time"),
    "over": ({"lease": changed(LEASE, not_after=NOW)}, "outside its time"),
    "long over": ({"lease": changed(LEASE, not_after=NOW - SECOND)}, "outside its time"),
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
    "older request": ({"lease": changed(LEASE, request=b"a" * 32)}, "answers no signed request"),
    "not a request": (
        {"request": changed(verdict(), digest=REQUEST_DIGEST)},
        "not a rep's request",
    ),
    "not a rep": (
        {"request": recorded(REQUEST, REQUEST_DIGEST, Role.ADMIN, "ada")},
        "not a rep's request",
    ),
    "other rep": ({"request": asked(rep="bob")}, "another rep or agent"),
    "rep before": ({"request": asked(rep="abe")}, "another rep or agent"),
    "agent before": ({"request": asked(agent="a")}, "another rep or agent"),
    "other agent": ({"request": asked(agent="mailer")}, "another rep or agent"),
    "other intent": ({"request": asked(intent=changed(INTENT, summary="x"))}, "another intent"),
    "unasked tool": ({"request": asked(tools=())}, "tools that the rep did not ask for"),
    "longer than asked": ({"request": asked(ttl_s=259)}, "longer than the rep asked"),
    "more than asked": ({"request": asked(max_actions=4)}, "more actions than the rep"),
    "300 s by a policy of 299": (
        {**EARLY, "policy": changed(POLICY, max_ttl_s=299)},
        "policy's 299 s",
    ),
    "300 s by a request of 299": ({**EARLY, "request": asked(ttl_s=299)}, "the rep asked for"),
    "used up": ({"actions": 5}, "allows 5 actions and has had them"),
    "past all actions": ({"actions": 6}, "allows 5 actions and has had them"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_lease_that_does_not_hold_is_refused_with_its_own_reason(name: str) -> None:
    changes, reason = REFUSED[name]
    word = lease(good_case(**changes))
    assert word.result is LayerResult.REFUSE
    assert reason in word.reason


OTHER = changed(SEND, name="crm.update")
COPY = msgspec.msgpack.decode(msgspec.msgpack.encode(REQUEST), type=RunRequested)
ALLOWED: dict[str, dict[str, Any]] = {
    "its first instant": {"lease": changed(LEASE, not_before=NOW)},
    "its last nanosecond": {"lease": changed(LEASE, not_after=NOW + 1)},
    "exactly the time asked for, from early on": EARLY,
    "exactly the policy's time": {"policy": changed(POLICY, max_ttl_s=260)},
    "exactly the policy's actions": {"policy": changed(POLICY, max_actions=5)},
    "exactly the time asked for": {"request": asked(ttl_s=260)},
    "a policy for any agent": {"policy": changed(POLICY, agents=())},
    "fewer tools than asked for": {"request": asked(tools=("mail.send", "crm.update"))},
    "fewer tools than the policy has": {"policy": changed(POLICY, tools=(SEND, OTHER))},
    "fewer actions than asked for": {"request": asked(max_actions=6)},
    "another copy of the same request": {
        "request": recorded(COPY, bytes(bytearray(REQUEST_DIGEST)), Role.REP, "ann")
    },
    "one of several agents": {"policy": changed(POLICY, agents=("other", "follow-up"))},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_lease_may_reach_every_bound_exactly(name: str) -> None:
    assert lease(good_case(**ALLOWED[name])).result is LayerResult.PASS


@pytest.mark.parametrize("before", range(5))
def test_each_action_up_to_the_last_passes_and_is_counted(before: int) -> None:
    word = lease(good_case(actions=before))
    assert word.result is LayerResult.PASS
    assert word.evidence == f"until {NOW + 200 * SECOND}, action {before + 1}/5"


def test_what_is_too_wide_names_run_and_attempt() -> None:
    word = lease(good_case(request=None))
    assert word.evidence == "lease of run r-1, attempt 1"
