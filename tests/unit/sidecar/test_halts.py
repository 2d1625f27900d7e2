"""What a halt forbids stays forbidden: a release frees what comes after, never what was stopped."""

import itertools
from collections.abc import Iterable

import msgspec
import pytest

from bus.decider import Recorded, Tick
from schemas.actions import ActionStarted
from schemas.events import AnyBody
from schemas.names import SECOND, Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, LeaseGranted, PolicySet
from sidecar.decider import SidecarDecider
from sidecar.effects import Execute
from sidecar.state import SidecarState
from tests.cases import (
    LEASE,
    NOW,
    POLICY,
    PROPOSAL_DIGEST,
    REQUEST,
    REQUEST_DIGEST,
    RUN,
    proposal,
    recorded,
)

DECIDER = SidecarDecider()
STARTED = ActionStarted(proposal=PROPOSAL_DIGEST, tool="mail.send", arguments=b"a" * 32, layers=())
ON = [
    (HaltScope.RUN, RUN),
    (HaltScope.REP, "ann"),
    (HaltScope.AGENT, "follow-up"),
    (HaltScope.WORKSPACE, ""),
    (HaltScope.PLATFORM, ""),
]


def engaged(scope: HaltScope = HaltScope.WORKSPACE, target: str = "") -> HaltEngaged:
    return HaltEngaged(scope=scope, target=target, reason="look at it")


def released(scope: HaltScope = HaltScope.WORKSPACE, target: str = "") -> HaltReleased:
    return HaltReleased(scope=scope, target=target, reason="go on")


def after(*bodies: AnyBody) -> SidecarState:
    """The state once a proposal was made, and then these."""
    entries: Iterable[Recorded] = (
        of_the_workspace(PolicySet(policy=POLICY), 1),
        recorded(REQUEST, REQUEST_DIGEST, Role.REP, "ann", index=2),
        recorded(LeaseGranted(lease=LEASE), b"l" * 32, Role.ORCHESTRATOR, "orchestrator", index=3),
        recorded(proposal(), PROPOSAL_DIGEST, Role.RUNTIME, "runtime-1", index=4),
    )
    later = (
        recorded(body, b"s" * 32, Role.SIDECAR, "sidecar", index=index)
        if isinstance(body, ActionStarted)
        else of_the_workspace(body, index)
        for index, body in enumerate(bodies, start=5)
    )
    state = DECIDER.initial("acme")
    for entry in itertools.chain(entries, later):
        state = DECIDER.evolve(state, entry)
    return state


def of_the_workspace(body: AnyBody, index: int) -> Recorded:
    made = recorded(body, bytes([index]) * 32, Role.ADMIN, "ada", index=index)
    event = msgspec.structs.replace(made.event, run=None)
    return Recorded(index, made.digest, event, event)


def found_again(state: SidecarState) -> Execute:
    """What a sidecar that comes up in this state does about the action."""
    [out] = [one for one in DECIDER.decide(state, Tick(), NOW + SECOND) if isinstance(one, Execute)]
    assert out.reconcile
    return out


def test_an_action_that_no_halt_came_near_may_be_done_after_a_restart() -> None:
    again = found_again(after(STARTED))
    assert (again.allowed, again.begun) == (True, True)


@pytest.mark.parametrize(("scope", "target"), ON)
def test_what_was_written_ahead_under_a_halt_is_not_done_once_it_is_released(
    scope: HaltScope, target: str
) -> None:
    again = found_again(after(engaged(scope, target), STARTED, released(scope, target)))
    assert (again.allowed, again.begun) == (False, False)


@pytest.mark.parametrize(("scope", "target"), ON)
def test_what_a_halt_came_upon_is_asked_about_and_not_done_once_it_is_released(
    scope: HaltScope, target: str
) -> None:
    again = found_again(after(STARTED, engaged(scope, target), released(scope, target)))
    assert (again.allowed, again.begun) == (False, True)


def test_a_halt_that_was_released_before_or_is_of_another_forbids_nothing() -> None:
    for bodies in (
        (engaged(), released(), STARTED),
        (STARTED, engaged(HaltScope.REP, "ben"), released(HaltScope.REP, "ben")),
        (engaged(HaltScope.RUN, "r-2"), STARTED),
    ):
        again = found_again(after(*bodies))
        assert (again.allowed, again.begun) == (True, True)
