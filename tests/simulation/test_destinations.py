"""Watched destinations under chaos: a domain that changes hands, a DNS that is often silent."""

import random
from collections.abc import Callable

import msgspec

from agents.planners.scripted import Plan, PlannedStep
from bus.decider import Effect, Recorded
from bus.simulated import Chaos
from crypto.sealing import WorkspaceKeys
from ledger.replay import verified_entries
from schemas.actions import ActionStarted, ProposalMade
from schemas.content import opened
from schemas.destinations import (
    DestinationAllowed,
    DestinationReadmitted,
    DestinationRevalidated,
    Ownership,
)
from schemas.names import SECOND
from schemas.runs import PolicySet, RunCompleted, RunHalted
from schemas.tools import AllowedDestination
from sidecar.destinations.fingerprint import Unobservable, fingerprint
from sidecar.destinations.watch import Look
from sidecar.effects import LookUp
from tests.simulation.cast import POLICY, START, trust
from tests.simulation.invariants import violations
from tests.simulation.test_replay import replayed
from tests.simulation.world import World

BOEING = Ownership(
    domain="boeing.example",
    zone="boeing.example",
    name_servers=("ns1.dns-one.example",),
    mname="ns1.dns-one.example",
    rname="hostmaster.boeing.example",
    mail=("mx.post-one.example",),
)
SOLD = msgspec.structs.replace(BOEING, mail=("mx.parked.example",))
MAIL = PlannedStep("mail.send", {"to": ["jane@boeing.example"], "text": "hello"}, "as planned")
NOTE = PlannedStep("crm.update", {"record": "deal-1", "text": "stage 2"}, "as planned")


class WatchedWorld(World):
    """A world with a watched destination, whose DNS the seed decides on."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Chaos())
        self.dns = random.Random(seed ^ 0xD45)
        self.owner = BOEING
        entry = AllowedDestination(destination="@boeing.example", owned=True)
        policy = msgspec.structs.replace(
            POLICY, version=2, destinations=(entry,), fresh_s=self.dns.choice((0, 1))
        )
        self.simulation.inject(self.root.say(PolicySet(policy=policy), None, START))
        if self.dns.random() < 0.6:
            self.simulation.at(self.dns.randrange(3 * SECOND), self._sell)

    def _sell(self) -> None:
        self.owner = SOLD
        if self.dns.random() < 0.5:
            self.simulation.at(SECOND, self._readmit)

    def _readmit(self) -> None:
        body = DestinationReadmitted(
            domain="boeing.example", fingerprint=fingerprint(SOLD), reason="they sold it"
        )
        self.simulation.inject(self.admin.say(body, None, self.simulation.now))

    def apply(self, effect: Effect, report: Callable[[object], None]) -> None:
        """`bus.simulated.Outside`."""
        if isinstance(effect, LookUp):
            silent = self.dns.random() < 0.2
            report(Unobservable("no name server answered in time") if silent else self.owner)
        else:
            super().apply(effect, report)

    def ledger(self) -> list[Recorded]:
        """Every valid entry, opened."""
        entries = [
            (index, stored.subject, stored.body)
            for index, stored in enumerate(self.simulation.stream.entries, start=1)
        ]
        keys = WorkspaceKeys(self.ring)
        found = verified_entries(entries, trust(self.root), keys)
        return [entry for entry in found if isinstance(entry, Recorded)]


def played(seed: int) -> WatchedWorld:
    world = WatchedWorld(seed)
    for number in range(2):
        steps = tuple(world.dns.choice((MAIL, MAIL, NOTE)) for _ in range(4))
        world.request(f"r{number}", Plan(steps=steps), number * SECOND)
    reader, ended, read = trust(world.root), set[str | None](), 0

    def over() -> bool:
        nonlocal read
        entries = world.simulation.stream.entries
        for stored in entries[read:]:
            keys = WorkspaceKeys(world.ring)
            for entry in verified_entries([(read + 1, stored.subject, stored.body)], reader, keys):
                if isinstance(entry, Recorded):
                    if isinstance(entry.event.body, RunCompleted | RunHalted):
                        ended.add(entry.event.run)
            read += 1
        return ended >= {"r0", "r1"}

    assert world.simulation.run(over), "it never came to rest"
    return world


def mails(ledger: list[Recorded]) -> list[tuple[Recorded, Recorded]]:
    """Each message that was written ahead, with its proposal."""
    proposals = {r.digest: r for r in ledger if isinstance(r.event.body, ProposalMade)}
    return [
        (r, proposals[r.event.body.proposal])
        for r in ledger
        if isinstance(r.event.body, ActionStarted) and r.event.body.tool == "mail.send"
    ]


def last_look(ledger: list[Recorded], upto: int) -> Recorded:
    return [r for r in ledger if r.index <= upto and isinstance(r.event.body, Look)][-1]


def test_nothing_is_sent_but_on_a_fresh_look_that_showed_the_allowed_owner() -> None:
    seen: set[str] = set()
    for seed in range(60):
        world = played(seed)
        ledger = world.ledger()
        seen |= {r.event.type for r in ledger} | {f"sent {bool(mails(ledger))}"}
        assert not violations(world), seed
        for started, proposal in mails(ledger):
            assert opened(proposal.event.body.arguments) == MAIL.arguments  # type: ignore[union-attr]
            look = last_look(ledger, started.event.seen)
            assert isinstance(look.event.body, DestinationAllowed | DestinationRevalidated), seed
            fresh = started.event.at - look.event.at <= SECOND
            assert fresh or look.index > proposal.index, seed
        assert replayed(world).ok, (seed, replayed(world).differences)
    wanted = ("allowed", "revalidated", "unverified", "blocked", "readmitted")
    assert seen >= {f"destination.{one}" for one in wanted} | {"sent True"}
