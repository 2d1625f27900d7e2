"""The supervisor's decider on a simulated bus: every match is flagged, once, whatever crashes."""

import random
from collections.abc import Iterable

import msgspec
import pytest

from bus.decider import Effect as BusEffect
from bus.node import Node
from bus.simulated import Chaos, Component, Simulation
from crypto.sealing import NoKeys
from ledger.replay import replay
from schemas.actions import (
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    LayerOutcome,
    LayerResult,
    ObservationRecorded,
)
from schemas.content import Sealed
from schemas.envelope import decode_envelope
from schemas.events import AnyBody, decode_event, event_digest
from schemas.leases import Intent
from schemas.names import SECOND, Role
from schemas.patterns import FactKind, Pattern, Response, Step
from schemas.runs import (
    HaltReleased,
    HaltScope,
    KeyCertified,
    PolicySet,
    RepActivated,
    RunCompleted,
    RunOutcome,
    RunRequested,
    WorkspaceCreated,
)
from schemas.supervision import SupervisorFlagged, halted_by
from schemas.tools import Effect, Policy, Reach, Tool, Trust
from sidecar.supervision.decider import SupervisorDecider, WatcherState
from tests.simulation.cast import START, WORKSPACE, Author, trust

CALM = Chaos(repeat=0.0, lost_ack=0.0, crash=0.0)
SEALED = Sealed(key="r-1", nonce=b"n" * 12, ciphertext=b"c" * 16)


def tool(name: str, effect: Effect, **declared: object) -> Tool:
    base = Tool(name=name, summary=name, arguments={"type": "object"}, effect=effect)
    return msgspec.structs.replace(base, **declared)


POLICY = Policy(
    version=1,
    tools=(
        tool("crm.read", Effect.READ, trust=Trust.TRUSTED),
        tool("crm.update", Effect.MUTATION),
        tool("web.post", Effect.EGRESS, reach=Reach.OUTSIDE),
        tool("mail.send", Effect.COMMUNICATION, destinations=("to",)),
    ),
)


class Town:
    """A workspace on the simulated bus: everyone but the supervisor speaks as told."""

    def __init__(self, seed: int = 1, chaos: Chaos = CALM, *, late: bool = False) -> None:
        dice = random.Random(seed)
        self.simulation = Simulation(seed, start=START, chaos=chaos)
        self.root = Author(Role.ROOT, "root", dice)
        self.rep = Author(Role.REP, "ann", dice)
        self.admin = Author(Role.ADMIN, "ada", dice)
        self.sidecar = Author(Role.SIDECAR, "sidecar", dice)
        self.orchestrator = Author(Role.ORCHESTRATOR, "orchestrator", dice)
        self.supervisor = Author(Role.SUPERVISOR, "supervisor", dice)
        everyone = (self.rep, self.admin, self.sidecar, self.orchestrator, self.supervisor)
        self.say(self.root, WorkspaceCreated(name=WORKSPACE, root=self.root.signer.public))
        for author in everyone:
            self.say(self.root, KeyCertified(certificate=author.certificate()))
        self.say(self.root, PolicySet(policy=POLICY))
        self.say(self.root, RepActivated(rep="ann"))
        self.component = Component("supervisor", self._node, self)
        if not late:
            self.simulation.add(self.component)

    def _node(self) -> Node[WatcherState]:
        return Node(
            SupervisorDecider(),
            trust=trust(self.root),
            signer=self.supervisor.signer,
            actor=self.supervisor.actor,
            keys=NoKeys(),
        )

    def apply(self, effect: BusEffect, report: object) -> None:
        """`bus.simulated.Outside`: a supervisor has no effects."""
        raise AssertionError(effect.key)

    def say(self, author: Author, body: AnyBody, run: str | None = None, *, at: int = 0) -> None:
        """An event, `at` seconds after the start."""
        self.simulation.inject(author.say(body, run, START + at * SECOND))

    def adopt(self, *patterns: Pattern) -> None:
        """A policy with patterns of its own is set."""
        changed = msgspec.structs.replace(POLICY, version=2, patterns=patterns)
        self.say(self.root, PolicySet(policy=changed))

    def request(self, run: str, agent: str = "bot") -> None:
        """A rep asks for a run."""
        wish = RunRequested(
            rep="ann", agent=agent, intent=Intent(summary="x"), tools=(), ttl_s=60, max_actions=9
        )
        self.say(self.rep, wish, run)

    def refuse(self, run: str, layer: int, at: int = 0) -> None:
        """The gate refuses a proposal of the run."""
        layers = (LayerOutcome(layer=layer, name="x", result=LayerResult.REFUSE),)
        body = ActionRefused(
            proposal=b"p" * 32, tool="crm.export", layers=layers, reason="no", fix="none"
        )
        self.say(self.sidecar, body, run, at=at)

    def call(self, run: str, name: str, at: int = 0) -> None:
        """The gate lets a call pass."""
        body = ActionStarted(proposal=b"p" * 32, tool=name, arguments=b"a" * 32, layers=())
        self.say(self.sidecar, body, run, at=at)

    def end(self, run: str) -> None:
        """The run is over."""
        body = RunCompleted(outcome=RunOutcome.STOPPED, reason="over", receipts=())
        self.say(self.orchestrator, body, run)

    def rest(self) -> None:
        """Until nothing is left to happen, or for five simulated seconds."""
        until = self.simulation.now + 5 * SECOND
        self.simulation.run(lambda: self.simulation.now > until)

    def flags(self) -> list[SupervisorFlagged]:
        """What is on record from the supervisor once all is at rest."""
        self.rest()
        events = (
            decode_event(decode_envelope(s.body).payload) for s in self.simulation.stream.entries
        )
        return [event.body for event in events if isinstance(event.body, SupervisorFlagged)]

    def named(self) -> list[tuple[str, str, str]]:
        """(pattern, scope, target) of each flag."""
        return [(flag.pattern, flag.scope.value, flag.target) for flag in self.flags()]


def probe(town: Town, run: str, times: int, at: Iterable[int] = range(100)) -> None:
    for _, when in zip(range(times), at, strict=False):
        town.refuse(run, 5, when)


def test_a_pattern_that_is_met_is_flagged_with_the_events_that_met_it() -> None:
    town = Town()
    town.request("r-1")
    probe(town, "r-1", 4)
    (flag,) = town.flags()
    assert (flag.pattern, flag.scope, flag.target) == ("probing", HaltScope.RUN, "r-1")
    assert flag.response is Response.HOLD
    assert len(flag.evidence) == 4
    assert flag.reason.startswith("probing: a run keeps asking")


def test_three_refusals_are_not_four() -> None:
    town = Town()
    town.request("r-1")
    probe(town, "r-1", 3)
    assert town.flags() == []


def test_a_pattern_that_goes_on_being_met_is_flagged_once_for_a_run() -> None:
    town = Town()
    town.request("r-1")
    probe(town, "r-1", 9)
    assert town.named() == [("probing", "run", "r-1")]


@pytest.mark.parametrize("seed", range(40))
def test_every_match_is_flagged_exactly_once_through_crashes_and_repeats(seed: int) -> None:
    town = Town(seed, Chaos(crash=0.15, lost_ack=0.2, repeat=0.2))
    for run in ("r-1", "r-2", "r-3"):
        town.request(run)
    for step in range(10):
        for run in ("r-1", "r-2", "r-3")[: 3 if step < 4 else 1]:
            delay, at = step * SECOND // 5, step
            town.simulation.at(delay, lambda r=run, w=at: town.refuse(r, 5, w))  # type: ignore[misc]
    town.simulation.run(lambda: town.simulation.now > START + 20 * SECOND)
    assert sorted(town.named()) == [
        ("probing", "run", "r-1"),
        ("probing", "run", "r-2"),
        ("probing", "run", "r-3"),
        ("probing-by-parts", "agent", "bot"),
        ("probing-on", "run", "r-1"),
    ]


def test_replay_derives_every_flag_again_from_the_ledger_alone() -> None:
    town = Town(3, Chaos())
    town.request("r-1")
    probe(town, "r-1", 10)
    assert len(town.flags()) == 2
    stored = enumerate(town.simulation.stream.entries, start=1)
    entries = [(index, one.subject, one.body) for index, one in stored]
    replayed = replay(
        entries,
        trust(town.root),
        NoKeys(),
        lambda actor, run: SupervisorDecider() if actor.role is Role.SUPERVISOR else None,
    )
    assert replayed.differences == ()
    assert replayed.derived == {"supervisor.flagged": 2}


def test_a_halt_by_pattern_is_a_halt_and_other_flags_are_none() -> None:
    town = Town()
    town.request("r-1")
    probe(town, "r-1", 10)
    held, halted = town.flags()
    assert halted_by(held) is None
    engaged = halted_by(halted)
    assert engaged is not None
    assert engaged[:2] == (HaltScope.RUN, "r-1")


def test_what_an_admin_released_is_flagged_again_if_it_happens_again_and_only_then() -> None:
    town = Town()
    town.request("r-1")
    probe(town, "r-1", 5)
    town.rest()
    release = HaltReleased(scope=HaltScope.RUN, target="r-1", reason="looked at it")
    town.say(town.admin, release, at=20)
    probe(town, "r-1", 3, range(21, 30))
    assert town.named() == [("probing", "run", "r-1")]
    town.refuse("r-1", 5, 31)
    assert town.named() == [("probing", "run", "r-1")] * 2


def test_a_flag_on_an_agent_is_repeated_only_after_its_window() -> None:
    town = Town()
    for number in range(9):
        town.request(f"r-{number}")
    for number in range(5):
        town.refuse(f"r-{number}", 2, number)
        town.rest()
    assert town.named() == [("probing-by-parts", "agent", "bot")]
    for number in range(5, 9):
        town.refuse(f"r-{number}", 2, 3_700 + number)
        town.rest()
    assert town.named() == [("probing-by-parts", "agent", "bot")] * 2


def test_calls_are_known_by_what_policy_declares_of_their_tools() -> None:
    town = Town()
    town.request("r-1")
    for at in range(100):
        town.call("r-1", "crm.read", at)
    town.call("r-1", "crm.update", 101)
    assert town.flags() == []
    town.call("r-1", "mail.send", 102)
    assert town.named() == [("reading-spree", "run", "r-1")]


TOUCHY = Pattern(
    name="touchy",
    description="one refusal is one too many",
    steps=(Step(kinds=(FactKind.REFUSAL,)),),
    within_s=60,
    scope="workspace",
    response=Response.HALT,
)


def test_a_policys_own_patterns_take_the_place_of_the_built_in_ones() -> None:
    town = Town()
    town.adopt(TOUCHY)
    town.request("r-1")
    probe(town, "r-1", 5)
    assert town.named() == [("touchy", "workspace", "")]


def test_two_patterns_that_one_event_completes_are_both_flagged() -> None:
    town = Town()
    town.adopt(TOUCHY, msgspec.structs.replace(TOUCHY, name="touchier"))
    town.request("r-1")
    town.refuse("r-1", 5)
    assert sorted(town.named()) == [("touchier", "workspace", ""), ("touchy", "workspace", "")]


def test_a_halt_or_hold_of_an_agent_stands_past_its_window_until_it_is_released() -> None:
    for response in (Response.HALT, Response.HOLD):
        town = Town()
        town.adopt(msgspec.structs.replace(TOUCHY, scope="agent", response=response))
        town.request("r-1")
        town.refuse("r-1", 5, 0)
        town.rest()
        town.refuse("r-1", 5, 1_000)
        assert len(town.flags()) == 1
        release = HaltReleased(scope=HaltScope.AGENT, target="bot", reason="looked at it")
        town.say(town.admin, release, at=1_001)
        town.refuse("r-1", 5, 1_002)
        assert len(town.flags()) == 2


def test_a_flag_on_a_run_is_not_repeated_however_long_the_run_lasts() -> None:
    town = Town()
    town.adopt(msgspec.structs.replace(TOUCHY, scope="run", response=Response.FLAG))
    town.request("r-1")
    town.refuse("r-1", 5, 0)
    town.rest()
    town.refuse("r-1", 5, 50_000)
    assert town.named() == [("touchy", "run", "r-1")]


def test_a_supervisor_that_comes_late_flags_what_it_missed_with_what_first_met_it() -> None:
    town = Town(late=True)
    town.request("r-1")
    probe(town, "r-1", 7)
    town.end("r-1")
    town.simulation.add(town.component)
    (flag,) = town.flags()
    events = [decode_envelope(s.body).payload for s in town.simulation.stream.entries]
    refused = [
        event_digest(payload)
        for payload in events
        if isinstance(decode_event(payload).body, ActionRefused)
    ]
    assert list(flag.evidence) == refused[:4]
    node = town.component.node
    assert node is not None
    assert not node.state.standing and not node.state.due


def test_a_second_request_for_a_run_does_not_change_whose_run_it_is() -> None:
    town = Town()
    town.adopt(msgspec.structs.replace(TOUCHY, scope="agent"))
    town.request("r-1", "bot")
    town.request("r-1", "decoy")
    town.refuse("r-1", 5)
    assert town.named() == [("touchy", "agent", "bot")]


def test_text_from_an_untrusted_source_followed_by_refusals_is_a_turned_run() -> None:
    town = Town()
    for run in ("r-1", "r-2"):
        town.request(run)
    town.say(town.sidecar, ObservationRecorded(source="mail", content=SEALED), "r-1")
    for at in range(3):
        town.refuse("r-1", 7, at)
        town.refuse("r-2", 7, at)
    assert town.named() == [("turned", "run", "r-1")]


def test_many_approvals_within_a_minute_are_flagged_and_denials_are_not() -> None:
    town = Town()
    town.request("r-1")
    for at in range(8):
        body = ApprovalDecided(proposal=b"p" * 32, decision=Decision.DENY)
        town.say(town.admin, body, "r-1", at=at)
    assert town.flags() == []
    for at in range(8, 16):
        body = ApprovalDecided(proposal=b"p" * 32, decision=Decision.APPROVE)
        town.say(town.admin, body, "r-1", at=at)
    assert town.named() == [("rubber-stamp", "agent", "bot")]


def test_runs_that_the_gates_own_supervision_held_again_and_again_mark_their_agent() -> None:
    town = Town()
    layers = (LayerOutcome(layer=13, name="supervisor", result=LayerResult.HOLD),)
    for number in range(3):
        town.request(f"r-{number}")
        asked = ApprovalRequested(
            proposal=b"p" * 32, tool="mail.send", question="?", layers=layers, expires=1
        )
        town.say(town.sidecar, asked, f"r-{number}", at=number)
    assert town.named() == [("often-supervised", "agent", "bot")]


def test_a_run_that_is_over_or_was_never_requested_is_not_followed() -> None:
    town = Town()
    town.request("r-1")
    probe(town, "r-1", 3)
    town.end("r-1")
    probe(town, "r-1", 6, range(10, 20))
    probe(town, "r-9", 6, range(10, 20))
    assert town.flags() == []
    node = town.component.node
    assert node is not None
    state = node.state
    assert not state.runs and not state.standing and not state.due
    assert ("run", "r-1") not in state.supervision.watches
