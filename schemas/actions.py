"""Events of one gated action, from proposal to receipt, and of what the sidecar notices."""

from enum import Enum
from typing import Annotated

from msgspec import Meta, Struct

from schemas.content import Content
from schemas.names import (
    NO_DIGEST,
    Classification,
    Digest,
    EventId,
    Name,
    Nanoseconds,
    Text,
    ToolName,
)
from schemas.passkeys import Assertion
from schemas.runs import Body
from schemas.tools import Trust


class ProposalMade(Body, frozen=True, tag="proposal.made"):
    """What the runtime wants done. `number` counts the run's proposals from 1.

    `purpose` is the brain's own words, so it is content like the arguments: it may repeat
    anything the brain has read. `compensates` is the proposal of the action that this one is to
    undo, as that action's tool declares.
    """

    number: Annotated[int, Meta(ge=1)]
    tool: ToolName
    arguments: Content
    purpose: Content
    compensates: Digest | None = None


class ObservationRecorded(Body, frozen=True, tag="observation.recorded"):
    """What the runtime was given to read.

    `source` names where it came from (a tool, a sender, a document). `answers` is the number
    of the proposal it is the result of, 0 where it came by itself (a mail that arrived, a
    transcript, earlier context); then `trust` and the content's `sensitivity` are its own,
    else at least as strict as the tool declares.
    """

    source: Text
    content: Content
    answers: Annotated[int, Meta(ge=0)] = 0
    trust: Trust = Trust.UNTRUSTED
    sensitivity: Classification = Classification.CONFIDENTIAL


class Verdict(Enum):
    """The judge's answer to one proposal."""

    APPROVE = "approve"
    CHANGE_PLAN = "change_plan"
    ROUTE_TO_HUMAN = "route_to_human"
    STOP = "stop"


class VerdictGiven(Body, frozen=True, tag="verdict.given"):
    """For exactly one proposal's digest. `change` holds the arguments the judge would approve."""

    proposal: Digest
    verdict: Verdict
    reason: Text
    change: Content | None = None
    question: Text = ""


class LayerResult(Enum):
    """What one layer of the gate said.

    NOT_ASKED stands where a recording is judged that lacks what the layer goes by.
    """

    PASS = "pass"
    HOLD = "hold"
    REFUSE = "refuse"
    NOT_ASKED = "not asked"


class LayerOutcome(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One layer's word on one proposal, with what it rests on and what would mend it."""

    layer: Annotated[int, Meta(ge=1, le=14)]
    name: str
    result: LayerResult
    reason: Text = ""
    evidence: Text = ""
    fix: Text = ""


class ApprovalRequested(Body, frozen=True, tag="approval.requested"):
    """A person must decide. Bound to the proposal's digest; never reusable. `policy` is the
    digest of the `policy.set` that the gate decided under, here as in the two events below.

    `people` is how many must approve; where it is more than one, the rep whose run it is does not
    count. One denial is enough. With `passkey` an approval counts only with a passkey's assertion.
    """

    proposal: Digest
    tool: ToolName
    question: Text
    layers: tuple[LayerOutcome, ...]
    expires: Nanoseconds
    policy: Digest = NO_DIGEST
    people: Annotated[int, Meta(ge=1)] = 1
    passkey: bool = False


class Decision(Enum):
    """A person's answer. CHANGE denies this proposal too, and says what another should be like."""

    APPROVE = "approve"
    CHANGE = "change"
    DENY = "deny"


class ApprovalDecided(Body, frozen=True, tag="approval.decided"):
    """Signed by the person who decided; `assertion` is their passkey's, over the same decision.

    `change` is a text, what should be different, and given with CHANGE alone.
    """

    proposal: Digest
    decision: Decision
    note: Text = ""
    assertion: Assertion | None = None
    change: Content | None = None


class ActionStarted(Body, frozen=True, tag="action.started"):
    """Written ahead of the effect. This event's id is the idempotency key at the tool."""

    proposal: Digest
    tool: ToolName
    arguments: Digest
    layers: tuple[LayerOutcome, ...]
    policy: Digest = NO_DIGEST


class ActionRefused(Body, frozen=True, tag="action.refused"):
    """Nothing was done."""

    proposal: Digest
    tool: ToolName
    layers: tuple[LayerOutcome, ...]
    reason: Text
    fix: Text
    policy: Digest = NO_DIGEST


class ActionOutcome(Enum):
    """CONFIRMED was read back at the target; UNKNOWN goes to a person, never retried blindly."""

    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ActionFinished(Body, frozen=True, tag="action.finished"):
    """What came of it. `evidence` is the SHA-256 of what the target answered when read back."""

    action: Digest
    proposal: Digest
    outcome: ActionOutcome
    evidence: Digest
    detail: Text
    result: Content
    reconciled: bool = False


class Receipt(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an auditor can check offline: who, for what, which tool, and what came of it.

    `index` is the ledger index of the `action.started` event `action`. `key` is its id.
    """

    workspace: Name
    run: Name
    rep: Name
    agent: Name
    intent: Text
    tool: ToolName
    action: Digest
    key: EventId
    index: Annotated[int, Meta(ge=1)]
    arguments: Digest
    outcome: ActionOutcome
    evidence: Digest
    at: Nanoseconds


class ReceiptIssued(Body, frozen=True, tag="receipt.issued"):
    """`receipt` is the msgpack of a `Receipt`, exactly as authenticated.

    `mac` is HMAC-SHA256 under the workspace's receipt key; `signature` is Ed25519 over the
    DSSE pre-authentication encoding of (receipt payload type, receipt).
    """

    receipt: bytes
    mac: Digest
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


class EntryRejected(Body, frozen=True, tag="entry.rejected"):
    """The stream holds an entry that is no valid event; `leaf` is its RFC 6962 leaf hash."""

    index: Annotated[int, Meta(ge=1)]
    leaf: Digest
    reason: Text


class ModelRequested(Body, frozen=True, tag="model.requested"):
    """The runtime asks for a completion; `prompt` is a list of chat messages."""

    number: Annotated[int, Meta(ge=1)]
    prompt: Content


class ReviewRequested(Body, frozen=True, tag="review.requested"):
    """The judge asks its own model about one proposal, for the `attempt`th time from 1.

    `prompt` is an object: `messages`, a list of chat messages, and `form`, the JSON Schema that
    the answer must meet.
    """

    proposal: Digest
    attempt: Annotated[int, Meta(ge=1)]
    prompt: Content


class ModelCalled(Body, frozen=True, tag="model.called"):
    """The gateway's answer to the request or review of that digest. `error` is empty where the
    model answered. `cost` is in millionths of the policy's currency.
    """

    request: Digest
    model: str
    answer: Content
    input_tokens: int
    output_tokens: int
    error: Text = ""
    cost: int = 0
