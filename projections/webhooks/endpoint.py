"""An endpoint as a person set it up, and what is kept of it: settings, state, secrets, log.

Data only. `Kept.generation` counts a person's changes: what the running component has decided on
the ground of an older one does not count any more.
"""

from msgspec import Struct

from projections.webhooks.filters import Filter
from projections.webhooks.progress import Outcome, Place, Progress
from schemas.names import Name


class TlsChoice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Paths of PEM files: the roots to trust, and a client certificate with its key; or empty."""

    roots: str = ""
    certificate: str = ""
    key: str = ""


class Endpoint(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where to post, and what. `made_at` in ns."""

    name: Name
    url: str
    filter: Filter
    tls: TlsChoice = TlsChoice()
    made_at: int


class SealedSecret(Struct, frozen=True):
    """A secret as it is kept; `until` (ns) is when it signs no more, None while it is the one."""

    sealed: bytes
    until: int | None = None

    def __repr__(self) -> str:
        return f"SealedSecret(until={self.until})"


class Kept(Struct, frozen=True, kw_only=True):
    """An endpoint with its state; `secrets` are the newest first."""

    endpoint: Endpoint
    progress: Progress
    generation: int
    secrets: tuple[SealedSecret, ...]


class Attempt(Struct, frozen=True, kw_only=True):
    """One line of the delivery log. `at` in ns, `took_ms` until the answer was read."""

    at: int
    index: int
    message_id: str
    type: str
    number: int
    outcome: Outcome
    took_ms: int
    detail: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that was given up: where it stands in the ledger, since when, and why."""

    index: int
    type: str
    at: int
    attempts: int
    reason: str


class Step(Struct, frozen=True, kw_only=True):
    """What became of an endpoint, to be kept: its state, and what led to it.

    `settled` is the place of a message that is delivered: were it a dead letter, it is none now.
    """

    name: str
    generation: int
    progress: Progress
    attempts: tuple[Attempt, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    settled: tuple[Place, ...] = ()
