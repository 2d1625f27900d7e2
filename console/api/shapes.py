"""What the API gives, as data: the one source of its answers, its document and its client.

Times are RFC 3339, UTC. Digests are lower-case hex. Money is in millionths of the policy's
currency. A field that may be absent is null, never missing.
"""

from typing import Annotated, Any, Final, Generic, TypeVar

from msgspec import Meta, Struct

from console.api.differing import DifferenceShape
from console.api.scalars import At, Hex, Index, Millionths
from schemas.access import AccessRole, TokenScope
from schemas.actions import Decision, LayerResult, Verdict
from schemas.leases import Unanswered
from schemas.memories import ClaimId
from schemas.names import Classification
from schemas.runs import HaltScope
from schemas.tools import Effect, Trust

PREFIX: Final = "/api/v1"
"""Where the API is, below the console's origin."""

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """A part of a list. `next` is the cursor of what follows, null where nothing does."""

    items: list[T]
    next: str | None


class Me(Struct, frozen=True):
    """Whose token this is, and what it may do."""

    workspace: str
    account: str
    role: AccessRole
    person: str
    token: str
    scopes: list[TokenScope]
    expires: At


class Overview(Struct, frozen=True):
    """What goes on. Figures of the day are null for who sees only their own runs."""

    size: Index
    runs: int
    live: int
    waiting: int
    actions: int
    refused: int
    halts_in_force: int
    cost_today: Millionths | None
    ceiling_per_day: Millionths | None
    latency_p50_ns: int | None
    latency_p95_ns: int | None


class RunSummary(Struct, frozen=True):
    """One run in a line."""

    run: str
    rep: str
    agent: str
    summary: str
    state: str
    asked_at: At
    ended_at: At | None
    reason: str
    waiting: int
    actions: int
    cost: Millionths
    tokens: int


class IntentShape(Struct, frozen=True):
    """What the rep asked for, as bounds."""

    summary: str
    effects: list[Effect]
    destinations: list[str]
    objects: list[str]
    together: bool
    unanswered: Unanswered


class LeaseShape(Struct, frozen=True):
    """What the run may use, and for how long."""

    attempt: int
    tools: list[str]
    not_before: At
    not_after: At
    max_actions: int
    policy: int


class LayerShape(Struct, frozen=True):
    """One layer's word."""

    layer: int
    name: str
    result: LayerResult
    reason: str
    evidence: str
    fix: str


class SpanShape(Struct, frozen=True):
    """A stretch of an argument, and whose words it is: rep, trusted, untrusted, or nobody's."""

    text: str
    kind: str
    source: str


class OriginShape(Struct, frozen=True):
    """One argument in stretches."""

    path: str
    spans: list[SpanShape]


class AnswerShape(Struct, frozen=True):
    """A person's answer, perhaps with their passkey."""

    decision: Decision
    by: str
    at: At
    note: str
    by_passkey: bool


class QuestionShape(Struct, frozen=True):
    """What is asked; `people` is how many must approve, while one denial is enough. With `passkey`
    they do so in the console.
    """

    text: str
    people: int
    passkey: bool
    asked_at: At
    expires: At


class StepShape(Struct, frozen=True):
    """One proposal and all that came of it.

    `arguments`, `purpose` and `result` are null where `withheld` says why. `answers` are people's,
    `decided` is null until they suffice.
    """

    proposal: Hex
    index: Index
    number: int
    tool: str
    state: str
    proposed_at: At
    arguments: Any
    origins: list[OriginShape]
    purpose: str | None
    result: str | None
    withheld: str
    verdict: Verdict | None
    verdict_reason: str
    layers: list[LayerShape]
    question: QuestionShape | None
    answers: list[AnswerShape]
    decided: Decision | None
    started_index: Index
    finished_at: At | None
    detail: str
    receipt: Hex | None
    refused: str
    fix: str


class RunShape(Struct, frozen=True):
    """One run with its steps, the latest first."""

    run: RunSummary
    intent: IntentShape
    lease: LeaseShape | None
    confined_by: list[str]
    halted_by: Index
    steps: list[StepShape]


class MomentShape(Struct, frozen=True):
    """One line of a timeline, without content."""

    index: Index
    at: At
    type: str
    role: str
    words: str


class ApprovalShape(Struct, frozen=True):
    """A question, with what an answer rests on. `effect` is the tool's, as the policy has it;
    `difference` is null where nothing of the object was read, or it is withheld.
    """

    run: RunSummary
    step: StepShape
    effect: Effect | None
    difference: DifferenceShape | None


class StandingShape(Struct, frozen=True):
    """An action left half done: its run was to do all or nothing, and nothing took it back.

    Whether it came about is `state`: confirmed, unknown, or started and nothing heard.
    """

    run: str
    proposal: Hex
    tool: str
    state: str
    started_index: Index
    started_at: At
    detail: str


class StoppedShape(Struct, frozen=True):
    """A run that a halt stopped, and the effects that had begun before it."""

    run: str
    begun: list[Hex]


class HaltShape(Struct, frozen=True):
    """A halt. `after` counts the effects that began after it."""

    index: Index
    scope: HaltScope
    target: str
    reason: str
    by: str
    at: At
    released_at: At | None
    released_by: str
    stopped: list[StoppedShape]
    after: int


class DestinationShape(Struct, frozen=True):
    """A watched domain."""

    domain: str
    state: str
    since: At
    looked_at: At
    words: str


class SupportShape(Struct, frozen=True):
    """An entry that a claim rests on; `words` is how many telling words of it."""

    entry: Hex
    words: int


class ClaimShape(Struct, frozen=True):
    """What agents remember, and what it rests on. `text` is null where `withheld` says why."""

    claim: ClaimId
    text: str | None
    withheld: str
    rep: str
    agent: str
    run: str
    at: At
    proposal: Hex
    trust: Trust
    sensitivity: Classification
    support: list[SupportShape]
    gone: str


class FlagShape(Struct, frozen=True):
    """What the supervisor said."""

    index: Index
    at: At
    pattern: str
    scope: HaltScope
    target: str
    response: str
    reason: str


class PolicyShape(Struct, frozen=True):
    """The policy in force, as it was signed; null before the first."""

    version: int
    policy: dict[str, Any] | None


class EntryShape(Struct, frozen=True):
    """An entry as it stands in the stream. `digest` is null where it is no valid event."""

    index: Index
    subject: str
    type: str
    words: str
    digest: Hex | None
    body: Annotated[str, Meta(description="the message's bytes, base64")]


class ProofShape(Struct, frozen=True):
    """An entry's inclusion in the newest seal (RFC 6962 section 2.1.1), to be checked elsewhere."""

    index: Index
    size: Index
    body: Annotated[str, Meta(description="the message's bytes, base64")]
    path: list[Hex]
    note: Annotated[str, Meta(description="the signed checkpoint (C2SP signed-note)")]
    sealers: Annotated[list[str], Meta(description="raw Ed25519 public keys, hex")]
    root: Annotated[str, Meta(description="the workspace's root public key, hex")]


class CheckpointShape(Struct, frozen=True):
    """The newest seal: the signed note, and what it says."""

    size: Index
    root: Hex
    note: str
    sealers: list[str]


class PersonShape(Struct, frozen=True):
    """Who has access."""

    account: str
    role: AccessRole
    person: str
    by: str
    at: At
    revoked: str


class TokenShape(Struct, frozen=True):
    """A token as it was issued. `revoked` says why it ended before its time, or is empty."""

    token: str
    account: str
    label: str
    scopes: list[TokenScope]
    expires: At
    by: str
    at: At
    revoked: str


class SignInShape(Struct, frozen=True):
    """A line of the record of sign-ins and of tokens' use."""

    index: Index
    at: At
    account: str
    what: str
    detail: str


class Recorded(Struct, frozen=True):
    """What was asked stands on the ledger, at this index."""

    index: Index


class RunAsked(Struct, frozen=True):
    """The run was asked for; whether it is granted is the orchestrator's to say."""

    run: str


class Problem(Struct, frozen=True):
    """What is wrong, and what to do about it (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    fix: str = ""
