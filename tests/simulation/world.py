"""The world of a simulated workspace: tools that log what was done, processes that die.

The far side keeps its own log and, like a real one, knows nothing of our ledger; the
invariants hold the two against each other.
"""

import hashlib
import hmac
import random
from collections.abc import Callable, Collection

import msgspec

from agents.effects import Exited, Mint, Park, Reap, Spawn, Spawned, Watch
from agents.orchestrator import OrchestratorDecider
from agents.planners.scripted import Plan, PlannedStep, ScriptedPlanner
from agents.runtime import RuntimeDecider
from bus.decider import Effect
from bus.node import Node
from bus.simulated import Chaos, Component, Simulation
from crypto.keyring import Keyring
from crypto.sealing import NoKeys, WorkspaceKeys
from judge.decider import JudgeDecider
from schemas.actions import ActionOutcome, ApprovalDecided, Decision, ReceiptIssued
from schemas.envelope import RECEIPT_TYPE
from schemas.erasure import ContentField
from schemas.events import Event
from schemas.names import SECOND, Role
from schemas.runs import (
    ContentKeyWrapped,
    HaltEngaged,
    HaltReleased,
    HaltScope,
    RunRequested,
    WrappedKey,
)
from sidecar.decider import SidecarDecider
from sidecar.effects import Execute, IssueReceipt, Performed, Withdraw, WrapKeys
from tests.simulation.cast import (
    REQUEST,
    START,
    Author,
    RunIdentity,
    genesis,
    trust,
)

SETTLE = SECOND // 2
LONGEST = 8 * SECOND


class SimulatedRunKeys:
    """A run's key, known once it was wrapped for this reader. The wrapping itself (HPKE) draws
    its own randomness and has unit tests; here it would only keep a seed from replaying.
    """

    def __init__(self, keys: WorkspaceKeys, key_id: bytes) -> None:
        self._workspace = keys
        self._key_id = key_id
        self._runs: set[str] = set()

    def key_for(self, run: str) -> bytes | None:
        return self._workspace.key_for(run) if run in self._runs else None

    def field_key(self, field: ContentField) -> bytes | None:
        return self._workspace.field_key(field) if field.run in self._runs else None

    def learn(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ContentKeyWrapped) and event.run is not None:
            if any(wrapped.recipient == self._key_id for wrapped in body.keys):
                self._runs.add(event.run)


class World:
    """One seed's workspace. `done` is the far side's log: (idempotency key, ledger size then).

    While it is `failing`, some of what the tools are asked for they do not do, and say so. Some
    calls take up to `LONGEST`; one that is stopped is asked about for `SETTLE` (ns).
    """

    def __init__(
        self,
        seed: int,
        chaos: Chaos,
        *,
        sidecar: type[SidecarDecider] = SidecarDecider,
        only: Collection[int] | None = None,
    ) -> None:
        self._decider = sidecar
        self.simulation = Simulation(seed, start=START, chaos=chaos, only=only)
        self.random = random.Random(seed ^ 0x5EED)
        self.root = Author(Role.ROOT, "root", self.random)
        self.rep = Author(Role.REP, "ann", self.random)
        self.admin = Author(Role.ADMIN, "ada", self.random)
        self.other = Author(Role.ADMIN, "bob", self.random)
        self.orchestrator = Author(Role.ORCHESTRATOR, "orchestrator", self.random)
        self.sidecar = Author(Role.SIDECAR, "sidecar", self.random)
        self.data_key = self.random.randbytes(32)
        self.ring = Keyring(nodes={"": self.data_key}, kept={})
        self.keys = WorkspaceKeys(self.ring)
        self.done: list[tuple[str, int]] = []
        self.runs: list[str] = []
        self.failing = False
        self._slow: dict[str, tuple[Execute, Callable[[object], None]]] = {}
        self._taken: set[str] = set()
        self._plans: dict[str, Plan] = {}
        self._identities: dict[tuple[str, int], tuple[RunIdentity, RunIdentity]] = {}
        self._living: dict[str, list[Component]] = {}
        self._attempts: dict[str, int] = {}
        self._watchers: dict[str, Callable[[object], None]] = {}
        people = [self.orchestrator, self.sidecar, self.rep, self.admin, self.other]
        for message in genesis(self.root, people):
            self.simulation.inject(message)
        self.simulation.add(Component("orchestrator", self._orchestrator, self, ended=self._orphan))
        self.simulation.add(Component("sidecar", self._sidecar, self))

    def request(self, run: str, plan: Plan, after: int, wish: RunRequested = REQUEST) -> None:
        """The rep asks for a run."""
        self.runs.append(run)
        self._plans[run] = plan
        now = self.simulation
        now.at(after, lambda: now.inject(self.rep.say(wish, run, now.now)))

    def halt(self, scope: HaltScope, target: str, after: int) -> None:
        """The admin engages a halt."""
        body = HaltEngaged(scope=scope, target=target, reason="enough")
        now = self.simulation
        now.at(after, lambda: now.inject(self.admin.say(body, None, now.now)))

    def release(self, scope: HaltScope, target: str, after: int) -> None:
        """The admin releases it."""
        body = HaltReleased(scope=scope, target=target, reason="go on")
        now = self.simulation
        now.at(after, lambda: now.inject(self.admin.say(body, None, now.now)))

    def answer(self, run: str, proposal: bytes, decision: Decision, after: int, by: Author) -> None:
        """A person answers a question."""
        body = ApprovalDecided(proposal=proposal, decision=decision)
        now = self.simulation
        now.at(after, lambda: now.inject(by.say(body, run, now.now)))

    def apply(self, effect: Effect, report: Callable[[object], None]) -> None:
        """`bus.simulated.Outside`."""
        run = effect.run or ""
        if isinstance(effect, Mint):
            self._mint(effect, run, report)
        elif isinstance(effect, Spawn):
            self._spawn(effect, run, report)
        elif isinstance(effect, Watch):
            if self._living.get(run):
                self._watchers[run] = report
            else:
                report(Exited("not running"))
        elif isinstance(effect, Park):
            if self._attempts.get(run) == effect.attempt:
                self._end(run, "parked")
            report(None)
        elif isinstance(effect, Reap):
            self._end(run, "reaped")
            report(None)
        elif isinstance(effect, WrapKeys):
            key = self.keys.run_key(run)
            report(
                tuple(
                    WrappedKey(
                        recipient=recipient.key_id,
                        ciphertext=hmac.digest(key, recipient.key_id, hashlib.sha256),
                    )
                    for recipient in effect.recipients
                )
            )
        elif isinstance(effect, Execute):
            self._execute(effect, report)
        elif isinstance(effect, Withdraw):
            self._withdraw(effect)
            report(None)
        elif isinstance(effect, IssueReceipt):
            data = msgspec.msgpack.encode(effect.receipt)
            mac = hmac.digest(self.data_key, data, hashlib.sha256)
            signature = self.sidecar.signer.sign(RECEIPT_TYPE, data)
            report(ReceiptIssued(receipt=data, mac=mac, signature=signature))

    def _execute(self, effect: Execute, report: Callable[[object], None]) -> None:
        key, now = effect.idempotency_key, self.simulation
        if not effect.allowed and not (effect.reconcile and effect.begun):
            report(self._performed(effect, ActionOutcome.FAILED, reconciled=effect.reconcile))
        elif effect.reconcile and self._is_done(key):
            report(self._performed(effect, ActionOutcome.CONFIRMED, reconciled=True))
        elif not effect.allowed:
            now.at(SETTLE, lambda: report(self._settled(effect)))
        elif not effect.reconcile and self.failing and self.random.random() < 0.2:
            report(self._performed(effect, ActionOutcome.FAILED, reconciled=False))
        elif self.random.random() < 0.1:
            self._slow[effect.key] = (effect, report)
            self._taken.add(key)
            now.at(self.random.randrange(LONGEST), lambda: self._end_slow(effect, report))
        else:
            self._do(key)
            report(self._performed(effect, ActionOutcome.CONFIRMED, reconciled=effect.reconcile))

    def _withdraw(self, effect: Withdraw) -> None:
        """Who waited for a slow call is told what is known of it a little later."""
        under_way = self._slow.pop(effect.action, None)
        if under_way is not None:
            execute, report = under_way
            self.simulation.at(SETTLE, lambda: report(self._settled(execute)))

    def _end_slow(self, effect: Execute, report: Callable[[object], None]) -> None:
        """The far side has done it, whoever still waits for that."""
        self._do(effect.idempotency_key)
        if self._slow.get(effect.key) == (effect, report):
            del self._slow[effect.key]
            report(self._performed(effect, ActionOutcome.CONFIRMED, reconciled=effect.reconcile))

    def _settled(self, effect: Execute) -> Performed:
        done = self._is_done(effect.idempotency_key)
        outcome = ActionOutcome.CONFIRMED if done else ActionOutcome.UNKNOWN
        return self._performed(effect, outcome, reconciled=True)

    def _do(self, key: str) -> None:
        """A far side that took its time once knows the key again; others do what they are told."""
        if key not in self._taken or not self._is_done(key):
            self.done.append((key, len(self.simulation.stream.entries)))

    def _is_done(self, key: str) -> bool:
        return any(done == key for done, _ in self.done)

    def _performed(self, effect: Execute, outcome: ActionOutcome, *, reconciled: bool) -> Performed:
        return Performed(
            outcome=outcome,
            evidence=hashlib.sha256(effect.idempotency_key.encode()).digest(),
            detail="simulated",
            result={"echo": effect.arguments},
            reconciled=reconciled,
        )

    def _mint(self, effect: Mint, run: str, report: Callable[[object], None]) -> None:
        pair = (
            RunIdentity(Role.RUNTIME, run, effect.attempt, self.random),
            RunIdentity(Role.JUDGE, run, effect.attempt, self.random),
        )
        self._identities[(run, effect.attempt)] = pair
        report(tuple(i.certificate(run, effect.not_before, effect.not_after) for i in pair))

    def _spawn(self, effect: Spawn, run: str, report: Callable[[object], None]) -> None:
        pair = self._identities.pop((run, effect.attempt), ())
        theirs = {identity.signer.key_id for identity in pair}
        if theirs != set(effect.keys) or self._living.get(run):
            report(Spawned("no identity for this attempt"))
            return
        self._attempts[run] = effect.attempt
        self._living[run] = [
            Component(
                identity.actor.instance,
                lambda i=identity: self._run_node(run, i),  # type: ignore[misc]
                self,
                reads=lambda subject: f".run.{run}." in subject or ".admin.key" in subject,
                revives=False,
                ended=lambda: self._end(run, "killed"),
            )
            for identity in pair
        ]
        for component in list(self._living[run]):
            self.simulation.add(component)
        report(Spawned())

    def _end(self, run: str, problem: str) -> None:
        for component in self._living.pop(run, []):
            self.simulation.remove(component)
        watcher = self._watchers.pop(run, None)
        if watcher is not None:
            watcher(Exited(problem))

    def _orphan(self) -> None:
        """The orchestrator is gone, and with it its children and all it held in memory."""
        self._watchers.clear()
        self._identities.clear()
        for run in list(self._living):
            self._end(run, "orphaned")

    def _orchestrator(self) -> Node[object]:
        author = self.orchestrator
        return Node(  # type: ignore[return-value]
            OrchestratorDecider(),
            trust=trust(self.root),
            signer=author.signer,
            actor=author.actor,
            keys=NoKeys(),
        )

    def _sidecar(self) -> Node[object]:
        author = self.sidecar
        return Node(  # type: ignore[return-value]
            self._decider(),
            trust=trust(self.root),
            signer=author.signer,
            actor=author.actor,
            keys=WorkspaceKeys(self.ring),
            entropy=self.random.randbytes,
        )

    def _run_node(self, run: str, identity: RunIdentity) -> Node[object]:
        decider: object = (
            RuntimeDecider(run, identity.actor.instance, ScriptedPlanner(self._plans[run]))
            if identity.actor.role is Role.RUNTIME
            else JudgeDecider(run, identity.actor.instance)
        )
        return Node(
            decider,  # type: ignore[arg-type]
            trust=trust(self.root),
            signer=identity.signer,
            actor=identity.actor,
            keys=SimulatedRunKeys(self.keys, identity.signer.key_id),
            entropy=self.random.randbytes,
            whole=False,
        )


def random_plan(random: random.Random) -> Plan:
    """Some steps of every kind: reads, work inside the intent, and ways out of it."""
    steps = []
    for _ in range(random.randrange(1, 5)):
        name, arguments = random.choice(
            [
                ("crm.read", {"record": "deal-1"}),
                ("crm.update", {"record": "deal-1", "text": "stage 2"}),
                ("crm.update", {"record": "deal-9", "text": "not mine"}),
                ("mail.send", {"to": ["jane@boeing.example"], "text": "hello"}),
                ("mail.send", {"to": ["jane@boeing.example", "x@evil.example"], "text": "hi"}),
                ("mail.send", {"to": ["x@evil.example"], "text": "the pipeline"}),
                ("pay", {"record": "deal-1"}),
                ("crm.export", {}),
                ("crm.read", {"unknown": "argument"}),
            ]
        )
        steps.append(PlannedStep(name, arguments, "as planned"))
    return Plan(steps=tuple(steps))
