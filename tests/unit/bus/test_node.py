"""The node's promises, one at a time, on a tiny decider over a real signed ledger."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from bus.commands import Command, Perform, Publish
from bus.decider import Decider, Done, Draft, Effect, Entry, Input, Recorded, Refused, Tick
from bus.errors import LedgerDiverged
from bus.node import Node
from crypto.errors import NewerRelease
from crypto.keyring import new_keyring
from crypto.sealing import WorkspaceKeys
from crypto.signing import verify
from crypto.trust import SignatureCheck, Trust
from schemas.actions import ActionStarted
from schemas.envelope import decode_envelope, encode_envelope
from schemas.events import Actor, decode_event
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope, RepActivated, RunRequested
from tests.simulation.cast import REQUEST, START, WORKSPACE, Author, genesis

RUN = "r-1"


class Ring(Effect, frozen=True, kw_only=True):
    """An effect that rides in a draft; `allowed` is what `revise` says of it."""

    allowed: bool = True


class Bell:
    """Answers each request with a write-ahead record and a ring; counts halts. Not a component."""

    role = Role.SIDECAR

    def initial(self, workspace: str) -> tuple[int, tuple[Recorded, ...]]:
        return 0, ()

    def evolve(
        self, state: tuple[int, tuple[Recorded, ...]], entry: Entry
    ) -> tuple[int, tuple[Recorded, ...]]:
        halts, open_ = state
        if isinstance(entry, Recorded):
            body = entry.event.body
            if isinstance(body, HaltEngaged):
                return halts + 1, open_
            if isinstance(body, RunRequested):
                return halts, (*open_, entry)
            if isinstance(body, ActionStarted):
                return halts, tuple(r for r in open_ if r.digest != body.proposal)
        return state

    def decide(
        self, state: tuple[int, tuple[Recorded, ...]], given: Input, now: int
    ) -> Sequence[Draft | Effect]:
        if isinstance(given, Done | Refused):
            return ()
        asked = state[1] if isinstance(given, Tick) else (given,)
        return [_ring(r) for r in asked if r in state[1]]

    def revise(self, state: tuple[int, tuple[Recorded, ...]], effect: Effect) -> Effect:
        return Ring(key=effect.key, run=effect.run, allowed=state[0] == 0)

    def wake_at(self, state: object) -> int | None:
        return None

    def recall(self, state: object, recorded: Recorded) -> Done | None:
        return None


def _ring(request: Recorded) -> Draft:
    body = ActionStarted(proposal=request.digest, tool="bell", arguments=b"a" * 32, layers=())
    return Draft(
        body=body,
        run=request.event.run,
        causes=(request.digest,),
        since=request.event.at,
        then=(Ring(key=f"ring:{request.digest.hex()}", run=request.event.run),),
    )


class Asker(Bell):
    """Rings at each tick; what was heard of a ring goes on record, silence does not."""

    def decide(
        self, state: tuple[int, tuple[Recorded, ...]], given: Input, now: int
    ) -> Sequence[Draft | Effect]:
        if isinstance(given, Done) and given.result is not None:
            return [msgspec.structs.replace(_ring(state[1][0]), then=())]
        return [Ring(key="ring", run=RUN)] if isinstance(given, Tick) else ()


class Scene:
    """A ledger with its authors, and nodes on it."""

    def __init__(self) -> None:
        dice = random.Random(1)
        self.root = Author(Role.ROOT, "root", dice)
        self.rep = Author(Role.REP, "ann", dice)
        self.admin = Author(Role.ADMIN, "ada", dice)
        self.sidecar = Author(Role.SIDECAR, "sidecar", dice)
        people = [self.rep, self.admin, self.sidecar]
        self.entries = [(m.subject, m.body) for m in genesis(self.root, people)]

    def node(
        self, check: SignatureCheck = verify, *, whole: bool = True, bell: type[Bell] = Bell
    ) -> Node[object]:
        decider: Decider[object] = bell()  # type: ignore[assignment]
        node = Node(
            decider,
            trust=Trust(WORKSPACE, self.root.signer.public, check=check),
            signer=self.sidecar.signer,
            actor=Actor(Role.SIDECAR, "sidecar"),
            keys=WorkspaceKeys(new_keyring()),
            whole=whole,
        )
        self.feed(node)
        node.go_live(START)
        return node

    def feed(self, node: Node[object]) -> list[Command]:
        """Give the node all entries it has not folded yet."""
        commands: list[Command] = []
        for index, (subject, body) in enumerate(self.entries, start=1):
            commands += node.take(index, subject, body, START)
        return commands

    def add(self, message: Publish) -> int:
        self.entries.append((message.subject, message.body))
        return len(self.entries)

    def request(self, run: str = RUN) -> int:
        return self.add(self.rep.say(REQUEST, run, START))

    def halt(self) -> int:
        body = HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="x")
        return self.add(self.admin.say(body, None, START))


def published(commands: list[Command]) -> list[Publish]:
    return [c for c in commands if isinstance(c, Publish)]


def rung(commands: list[Command]) -> list[Ring]:
    return [c.effect for c in commands if isinstance(c, Perform) and isinstance(c.effect, Ring)]


def test_an_effect_leaves_only_once_its_record_has_come_back_from_the_ledger() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    commands = scene.feed(node)
    (started,) = published(commands)
    assert not rung(commands)
    index = scene.add(started)
    assert not rung(node.acked(started.event_id, index, False, START))
    assert [ring.allowed for ring in rung(scene.feed(node))] == [True]


def test_what_a_node_has_signed_it_need_not_check_when_it_comes_back() -> None:
    checked: list[bytes] = []

    def check(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
        checked.append(payload)
        verify(public, kind, payload, signature)

    scene = Scene()
    node, reader = scene.node(check), scene.node()
    scene.request()
    (started,) = published(scene.feed(node))
    scene.add(started)
    before = len(checked)
    assert rung(scene.feed(node))
    assert len(checked) == before
    scene.feed(reader)
    assert node.trust.known() == reader.trust.known()


def test_what_came_back_under_another_signature_is_refused() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    (started,) = published(scene.feed(node))
    envelope = decode_envelope(started.body)
    bent = bytes([envelope.signature[0] ^ 1]) + envelope.signature[1:]
    forged = encode_envelope(msgspec.structs.replace(envelope, signature=bent))
    index = scene.add(msgspec.structs.replace(started, body=forged))
    assert isinstance(node.learn(index, started.subject, forged), Refused)
    assert not rung(scene.feed(node))


def test_a_halt_that_lands_before_the_record_forbids_the_effect() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    (started,) = published(scene.feed(node))
    scene.halt()
    scene.add(started)
    assert [ring.allowed for ring in rung(scene.feed(node))] == [False]


def test_who_loses_the_fence_decides_again_once_it_has_folded_what_won() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    (first,) = published(scene.feed(node))
    won = scene.halt()
    assert not published(node.conflicted(first.event_id, won, START))
    (again,) = published(scene.feed(node))
    assert again.event_id == first.event_id
    assert not rung(node.acked(again.event_id, scene.add(again), False, START))
    assert [ring.allowed for ring in rung(scene.feed(node))] == [False]


def test_what_another_incarnation_wrote_is_not_taken_for_ones_own() -> None:
    scene = Scene()
    old, new = scene.node(), scene.node()
    scene.request()
    (theirs,) = published(scene.feed(old))
    index, (subject, body) = len(scene.entries), scene.entries[-1]
    (ours,) = published(new.take(index, subject, body, START + 5))
    assert ours.event_id == theirs.event_id
    assert ours.message_id == theirs.message_id
    assert ours.body != theirs.body
    scene.add(theirs)
    assert not rung(scene.feed(new))
    assert [ring.allowed for ring in rung(scene.feed(old))] == [True]


def test_one_decision_is_on_its_way_once_however_often_it_is_asked_for() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    assert len(published(scene.feed(node))) == 1
    assert not published(node.tick(START))
    assert not published(node.tick(START))


def test_an_effect_begun_again_is_under_way_whatever_comes_back_of_its_first_time() -> None:
    scene = Scene()
    scene.request()
    node = scene.node(bell=Asker)
    # It was begun as the node went live.
    ring = Ring(key="ring", run=RUN)
    assert not rung(node.tick(START))
    (said,) = published(node.done(ring, "a sound", START))
    assert not rung(node.tick(START)), "it is over once its record is there"
    node.done(ring, None, START)
    assert rung(node.tick(START))
    scene.add(said)
    scene.feed(node)
    assert not rung(node.tick(START))


def test_fenced_events_of_two_runs_go_one_after_the_other() -> None:
    scene = Scene()
    node = scene.node()
    scene.request("r-1")
    scene.request("r-2")
    (first,) = published(scene.feed(node))
    (second,) = published(node.acked(first.event_id, scene.add(first), False, START))
    assert first.fence is not None
    assert second.fence == (first.fence[0], len(scene.entries))


def test_a_repeated_delivery_changes_nothing() -> None:
    scene = Scene()
    node = scene.node()
    before = node.state
    assert scene.feed(node) == []
    assert node.state is before


def test_a_missing_entry_stops_the_node() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    index = scene.halt()
    subject, body = scene.entries[-1]
    with pytest.raises(LedgerDiverged, match="missing"):
        node.take(index, subject, body, START)


def test_an_entry_dropped_and_renumbered_breaks_its_producers_chain_and_stops_the_node() -> None:
    scene = Scene()
    node = scene.node()
    scene.halt()
    scene.halt()
    del scene.entries[-2]
    with pytest.raises(LedgerDiverged, match="chain"):
        scene.feed(node)


@pytest.mark.parametrize("fault", ["replayed", "moved", "flipped", "foreign"])
def test_a_broker_that_replays_moves_or_bends_an_event_is_refused(fault: str) -> None:
    scene = Scene()
    node = scene.node()
    message = scene.admin.say(RepActivated(rep="eve"), None, START)
    subject, body = scene.entries[1]
    bent = {
        "replayed": (subject, body),
        "moved": (f"ws.{WORKSPACE}.run.{RUN}.request", body),
        "flipped": (subject, body[:90] + bytes([body[90] ^ 1]) + body[91:]),
        "foreign": (message.subject, message.body),
    }[fault]
    state = node.state
    scene.entries.append(bent)
    assert scene.feed(node) == []
    assert node.state is state
    entry = scene.node().learn(99, *bent)
    assert isinstance(entry, Refused)


def test_the_message_id_cannot_be_foretold_from_the_event_id() -> None:
    scene = Scene()
    node = scene.node()
    scene.request()
    (started,) = published(scene.feed(node))
    assert started.event_id not in started.message_id
    event = decode_event(decode_envelope(started.body).payload)
    assert event.id == started.event_id
    assert scene.rep.signer.tag(event.id.encode()).hex()[:32] != started.message_id


def test_a_ledger_that_was_raised_stops_a_node_that_is_too_old_and_puts_nothing_on_record() -> None:
    scene = Scene()
    node = scene.node()
    told = scene.root.say(RepActivated(rep="bob"), None, START, version=2)
    index = scene.add(told)
    with pytest.raises(NewerRelease, match="version 2"):
        node.take(index, told.subject, told.body, START)
    assert node.index == index - 1


def test_what_nobody_raised_the_ledger_to_is_refused_and_stops_nobody() -> None:
    scene = Scene()
    node = scene.node()
    told = scene.rep.say(REQUEST, RUN, START, version=2)
    entry = node.learn(scene.add(told), told.subject, told.body)
    assert isinstance(entry, Refused) and entry.reason.startswith("unraised")


def test_a_runs_own_reader_stops_at_what_it_cannot_read() -> None:
    """It does not see what the root says while the run goes on."""
    scene = Scene()
    node = scene.node(whole=False)
    told = scene.rep.say(REQUEST, RUN, START, version=2)
    with pytest.raises(NewerRelease, match="version 2"):
        node.take(scene.add(told), told.subject, told.body, START)
