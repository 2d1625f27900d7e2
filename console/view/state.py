"""What the console knows of a workspace: runs with their steps, halts, questions, access.

Mutable, with one writer (`fold`), and read between its steps. Content stays as it was published,
sealed; whoever shows it opens it then, so that an erasure takes effect at once. Memory grows
with the runs that the ledger holds: what must outgrow it belongs into a projection.
"""

import math
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from console.view.alike import alike, request_alike
from console.view.passkeys import Passkeys
from schemas.access import AccessRole, TokenIssued
from schemas.actions import (
    ActionFinished,
    ApprovalRequested,
    Decision,
    LayerOutcome,
    LayerResult,
    VerdictGiven,
)
from schemas.events import Event
from schemas.leases import Intent, Lease
from schemas.memories import MemoryRetained
from schemas.names import SECOND
from schemas.runs import HaltScope, RunRequested
from schemas.supervision import SupervisorFlagged
from schemas.tools import Policy

HOUR: Final = 3_600 * SECOND
KEPT_SESSIONS: Final = 500
KEPT_LATENCIES: Final = 2_000


class Answer(Struct, frozen=True):
    """A person's answer to a question. `at` is ns since the epoch, here and below; `event` is the
    answer as published, kept where it says what should be different.
    """

    decision: Decision
    by: str
    at: int
    note: str
    by_passkey: bool = False
    event: Event | None = None


class Step(Struct):
    """One proposal and all that came of it; `made` is its event as published."""

    digest: bytes
    index: int
    run: str
    tool: str
    number: int
    made: Event
    verdict: VerdictGiven | None = None
    layers: tuple[LayerOutcome, ...] = ()
    question: ApprovalRequested | None = None
    question_digest: bytes = b""
    asked_at: int = 0
    answers: list[Answer] = msgspec.field(default_factory=list)
    started_at: int = 0
    started_index: int = 0
    action: bytes = b""
    finished: ActionFinished | None = None
    finished_event: Event | None = None
    finished_at: int = 0
    receipt: bytes = b""
    refused: str = ""
    refused_at: int = 0
    fix: str = ""

    @property
    def answer(self) -> Answer | None:
        """The answer that decided: the first denial, or the last approval that was needed."""
        if self.question is None:
            return None
        denied = [one for one in self.answers if one.decision is not Decision.APPROVE]
        enough = self.answers[self.question.people - 1 :]
        return next(iter((*denied, *enough)), None)

    @property
    def open(self) -> bool:
        """Whether it waits for a person."""
        return self.question is not None and not (self.answer or self.action or self.refused)

    @property
    def unanswered(self) -> bool:
        """Whether a person was asked, and nobody answered until it was refused."""
        if self.question is None or self.refused_at < self.question.expires:
            return False
        return self.answer is None or self.answer.at >= self.question.expires

    @property
    def state(self) -> str:
        """In one word, for a label."""
        if self.finished is not None:
            return self.finished.outcome.value
        if self.refused:
            return "expired" if self.unanswered else "refused"
        if self.action:
            return "started"
        if self.open:
            return "held"
        return "proposed"


class Moment(Struct, frozen=True):
    """One line of a run's timeline."""

    index: int
    at: int
    type: str
    role: str
    words: str


class Details(Struct):
    """What a run has in length: its last lease, its steps by their proposals' digests and by
    their actions', its timeline, and what it was given to read, as published.
    """

    lease: Lease | None = None

    steps: dict[bytes, Step] = msgspec.field(default_factory=dict)
    actions: dict[bytes, Step] = msgspec.field(default_factory=dict)
    moments: list[Moment] = msgspec.field(default_factory=list)
    observations: list[Event] = msgspec.field(default_factory=list)


class Run(Struct):
    """One run. `begun` and `refusals` count its steps that came to an action, or to a refusal.
    Where its details are put by (`console.view.shelf`) `held` is None and `take` gives them;
    `put_by` is the ledger's index at which they were.
    """

    name: str
    request: RunRequested
    asked_at: int
    attempts: int = 0
    begun: int = 0
    refusals: int = 0
    walls: tuple[str, ...] = ()
    parked: bool = False
    ended: str = ""
    reason: str = ""
    ended_at: int = 0
    halted_by: bytes = b""
    cost: int = 0
    tokens: int = 0
    held: Details | None = msgspec.field(default_factory=Details)
    put_by: int = 0
    take: "Callable[[Run], Details] | None" = None

    def __post_init__(self) -> None:
        self.request, self.walls = request_alike(self.request), alike(self.walls)
        self.reason = alike(self.reason)

    def mentions(self, words: str) -> bool:
        """Whether its name, its rep, its agent or its summary has these words, casefolded."""
        own = (self.name, self.request.rep, self.request.agent, self.request.intent.summary)
        return not words or words in "\n".join(own).casefold()

    @property
    def details(self) -> Details:
        """What it has in length, taken out where it is put by. Raises `BadSnapshot`."""
        if self.held is not None:
            return self.held
        assert self.take is not None
        return self.take(self)

    @property
    def lease(self) -> Lease | None:
        """Its last lease."""
        return self.details.lease

    @property
    def steps(self) -> dict[bytes, Step]:
        """Its steps by their proposals' digests, in the ledger's order."""
        return self.details.steps

    @property
    def actions(self) -> dict[bytes, Step]:
        """Its steps that came to an action, by the digest of that."""
        return self.details.actions

    @property
    def moments(self) -> list[Moment]:
        """Its timeline."""
        return self.details.moments

    @property
    def observations(self) -> list[Event]:
        """What it was given to read, as published."""
        return self.details.observations

    @property
    def intent(self) -> Intent:
        """What it is for."""
        return self.request.intent

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return not self.ended

    @property
    def waiting(self) -> list[Step]:
        """The steps that wait for a person; none where the run is over."""
        return [step for step in self.steps.values() if step.open] if self.live else []

    @property
    def state(self) -> str:
        """In one word, for a label."""
        if self.ended:
            return self.ended
        if self.waiting:
            return "parked" if self.parked else "waiting"
        return "live" if self.lease is not None else "asked"


class Halt(Struct):
    """A halt, in force until `released_at`. `after` counts effects that began after it."""

    scope: HaltScope
    target: str
    reason: str
    by: str
    at: int
    index: int
    digest: bytes
    released_at: int = 0
    released_by: str = ""
    runs: list[str] = msgspec.field(default_factory=list)
    after: int = 0


class Flag(Struct, frozen=True):
    """What the supervisor said, or that a witness refused, in the same shape."""

    index: int
    at: int
    body: SupervisorFlagged


class Destination(Struct):
    """A watched domain. `state` is allowed, unverified, blocked or expired."""

    domain: str
    state: str
    since: int
    looked_at: int
    words: str = ""


class Claim(Struct):
    """A claim in memory; `event` is its event as published, `gone` how it left."""

    body: MemoryRetained
    event: Event
    run: str
    at: int
    gone: str = ""


class Grant(Struct):
    """What an account may do, if anything any more."""

    account: str
    role: AccessRole
    person: str
    by: str
    at: int
    revoked: str = ""


class Token(Struct):
    """A token of the HTTP API; `body` is the admin's word about it."""

    body: TokenIssued
    by: str
    at: int
    revoked: str = ""


class SignIn(Struct, frozen=True):
    """A line of the record of sign-ins."""

    index: int
    at: int
    account: str
    what: str
    detail: str


class Hour(Struct):
    """What one hour saw. `cost` is in millionths of the policy's currency; `took` counts the
    actions that nobody was asked about by `band` of their time from proposal to outcome.
    """

    actions: int = 0
    holds: int = 0
    refusals: int = 0
    cost: int = 0
    took: dict[int, int] = msgspec.field(default_factory=dict)

    @property
    def median_ms(self) -> float:
        """The time that half of those took no longer than, to a tenth of itself; 0 for none."""
        half, counted = sum(self.took.values()) / 2, 0
        for number in sorted(self.took):
            counted += self.took[number]
            if counted >= half:
                return float(BAND**number / 1e6)
        return 0.0


BAND: Final = 1.1


def band(ns: int) -> int:
    """The band of a duration: each ends a tenth above the one before."""
    return math.ceil(math.log(max(ns, 1), BAND))


class Shelf(Protocol):
    """Where the details of runs that are over are put by (`console.view.shelf`)."""

    def touch(self, workspace: "Workspace", run: Run, *, changed: bool) -> None:
        """Run `run` was looked at, or has changed."""
        ...

    def find(self, proposal: bytes) -> str | None:
        """The run put by that this proposal is in."""
        ...


class Workspace(Struct):
    """Everything. Maps keep the order of the ledger. `standing` are the actions, by their digest,
    that the end of a run which was to do all or nothing names, but for those known not to be done.
    """

    name: str
    size: int = 0
    last_at: int = 0
    rejected: int = 0
    policy: Policy | None = None
    reps: dict[str, bool] = msgspec.field(default_factory=dict)
    runs: dict[str, Run] = msgspec.field(default_factory=dict)
    asked: dict[bytes, Step] = msgspec.field(default_factory=dict)
    standing: dict[bytes, Step] = msgspec.field(default_factory=dict)
    halts: list[Halt] = msgspec.field(default_factory=list)
    flags: list[Flag] = msgspec.field(default_factory=list)
    destinations: dict[str, Destination] = msgspec.field(default_factory=dict)
    claims: dict[str, Claim] = msgspec.field(default_factory=dict)
    grants: dict[str, Grant] = msgspec.field(default_factory=dict)
    tokens: dict[bytes, Token] = msgspec.field(default_factory=dict)
    passkeys: Passkeys = msgspec.field(default_factory=Passkeys)
    sign_ins: list[SignIn] = msgspec.field(default_factory=list)
    hours: dict[int, Hour] = msgspec.field(default_factory=dict)
    layers: dict[tuple[int, str, LayerResult], int] = msgspec.field(default_factory=dict)
    latencies: list[int] = msgspec.field(default_factory=list)
    shelf: Shelf | None = None

    def engaged(self) -> list[Halt]:
        """The halts in force, the latest first."""
        return [halt for halt in reversed(self.halts) if not halt.released_at]

    def questions(self) -> list[Step]:
        """What waits for a person, the oldest first."""
        waiting = [step for step in self.asked.values() if self.runs[step.run].live]
        return sorted(waiting, key=lambda step: step.asked_at)

    def step(self, digest: bytes) -> Step | None:
        """The step of a proposal's digest."""
        held = (run.held for run in self.runs.values())
        found = (details.steps.get(digest) for details in held if details is not None)
        open_now = next((step for step in found if step is not None), None)
        if open_now is not None or self.shelf is None:
            return open_now
        name = self.shelf.find(digest)
        return self.runs[name].steps.get(digest) if name is not None else None


def covers(halt: Halt, run: Run) -> bool:
    """Whether a halt is about this run."""
    if halt.scope in (HaltScope.WORKSPACE, HaltScope.PLATFORM):
        return True
    own = {
        HaltScope.RUN: run.name,
        HaltScope.REP: run.request.rep,
        HaltScope.AGENT: run.request.agent,
    }
    return own[halt.scope] == halt.target
