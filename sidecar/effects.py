"""What the sidecar does outside, as data; `sidecar.performer` does it."""

from typing import Any

from msgspec import Struct

from bus.decider import Effect
from schemas.actions import ActionOutcome, Receipt
from schemas.leases import Certificate


class WrapKeys(Effect, frozen=True, kw_only=True):
    """Encrypt the run's content key to the lease's keys. Result: tuple of `WrappedKey`."""

    lease: bytes
    recipients: tuple[Certificate, ...]


class Answer(Struct, frozen=True, kw_only=True):
    """What the sidecar's own state answers a tool; `problem` is set where it refuses."""

    result: Any = None
    problem: str = ""


class Execute(Effect, frozen=True, kw_only=True):
    """Run a tool for a rep under an idempotency key. Result: `Performed`.

    `reconcile` says that a former incarnation may have run it already, so that the tool is
    asked first; `allowed` that it may still be run where the tool says it was not, and `begun`
    that it may have been, as it may not where a halt stood before its record. `answer` is
    set for the tools of the memory, which reach nothing outside.
    """

    proposal: bytes
    tool: str
    rep: str
    arguments: dict[str, Any]
    idempotency_key: str
    reconcile: bool = False
    allowed: bool = True
    begun: bool = True
    answer: Answer | None = None


class Withdraw(Effect, frozen=True, kw_only=True):
    """Stop waiting for the tool run with the key `action`, which then says what is known of it.

    Result: None. Where no such run is under way there is nothing to stop.
    """

    action: str


class Performed(Struct, frozen=True, kw_only=True):
    """What came of an `Execute`. `evidence` is the SHA-256 of what was read back."""

    outcome: ActionOutcome
    evidence: bytes
    detail: str
    result: Any
    reconciled: bool = False


class IssueReceipt(Effect, frozen=True, kw_only=True):
    """Authenticate a receipt. Result: `ReceiptIssued`."""

    proposal: bytes
    receipt: Receipt


class CallModel(Effect, frozen=True, kw_only=True):
    """Ask the model. `messages` are chat messages. Result: `ModelAnswer`.

    `tokens` and `money` are what the budgets leave for it, None for no ceiling.
    """

    request: bytes
    messages: tuple[dict[str, str], ...]
    tokens: int | None = None
    money: int | None = None


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """What the model said, or why it did not."""

    model: str
    text: str
    error: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0


class LookUp(Effect, frozen=True, kw_only=True):
    """Ask the DNS who holds a domain. Result: `Ownership` or `Unobservable`."""

    domain: str
