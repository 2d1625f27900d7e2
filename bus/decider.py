"""Deciders: the pure core of every component.

A decider folds the ledger into a state and answers each input with drafts of events and
effects. Neither function does I/O or reads a clock: time comes in as `now`, an effect's
result comes back as `Done`, and an obligation left over from a crash is found in the
state when a `Tick` asks for it. The same functions run on the bus (`bus.shell`), in the
simulator (`bus.simulated`) and in replay (`ledger.replay`).

Rules a decider keeps:
- `evolve` is total: it never raises, whatever verified event it is given, and it reads
  no time but the event's own `at`.
- `decide` may repeat itself: a draft's id follows from its content and causes, so the
  node drops what is already recorded or on its way.
- The drafts of one run are published in order, one at a time. An effect that must not happen
  unrecorded rides in its draft's `then`: it is performed only once that draft is durable and
  this component has folded it, and only as `revise` then says.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from schemas.events import Actor, AnyBody, Event, type_of
from schemas.names import Classification, Role


class Recorded(Struct, frozen=True):
    """A verified event at its place in the ledger.

    In `event` the sealed content that this reader may open is open; `published` is the event
    as it was signed.
    """

    index: int
    digest: bytes
    event: Event
    published: Event


class Refused(Struct, frozen=True):
    """An entry of the stream that is no valid event; `leaf` is its RFC 6962 leaf hash."""

    index: int
    leaf: bytes
    reason: str


class Tick(Struct, frozen=True):
    """Time has passed, or the component has just come up: what is outstanding?"""


class Done(Struct, frozen=True):
    """An effect came to an end; `result` is of the type its effect documents."""

    effect: "Effect"
    result: object


Entry = Recorded | Refused
Input = Recorded | Refused | Tick | Done


class Draft(Struct, frozen=True, kw_only=True):
    """An event as decided, before it is numbered, stamped and signed.

    `causes[0]` is the event that the decision answers and `since` that event's `at`; the
    draft's id follows from them, and from `salt` where one event has several answers of a
    type. Content in `body` is plain; it is sealed on the way out
    where `classification` demands it. While a draft that `settles` a question is on its
    way, others that settle the same one are dropped. `then` are effects to perform once
    the event is in the ledger.
    """

    body: AnyBody
    run: str | None
    causes: tuple[bytes, ...]
    since: int
    salt: str = ""
    settles: str = ""
    then: tuple["Effect", ...] = ()
    classification: Classification = Classification.INTERNAL


class Effect(Struct, frozen=True, kw_only=True):
    """Something to be done outside. `key` names the doing: one runs at a time per key."""

    key: str
    run: str | None


def draft_id(workspace: str, actor: Actor, draft: Draft) -> str:
    """The draft's event id: a UUIDv7 (RFC 9562 section 5.7) whose time is its cause's.

    The same decision taken again, by whichever incarnation, has the same id; the broker's
    deduplication and the tools' idempotency keys rest on that.
    """
    parts = (
        workspace.encode(),
        actor.role.value.encode(),
        actor.instance.encode(),
        (draft.run or "").encode(),
        type_of(draft.body).encode(),
        draft.salt.encode(),
        *draft.causes,
    )
    framed = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    random = int.from_bytes(hashlib.sha256(b"anyteam event id v1" + framed).digest()[:10], "big")
    milliseconds = draft.since // 1_000_000 & (1 << 48) - 1
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    # As `str(uuid.UUID(int=value))` has it, without the object.
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


State = TypeVar("State")


class Decider(Protocol[State]):
    """See the module's docstring for the rules."""

    role: Role

    def initial(self, workspace: str) -> State:
        """The state before the first event."""
        ...

    def evolve(self, state: State, entry: Entry) -> State:
        """The state after `entry`."""
        ...

    def decide(self, state: State, given: Input, now: int) -> Sequence[Draft | Effect]:
        """What to record and do; `state` has already evolved by `given` where it is an entry."""
        ...

    def revise(self, state: State, effect: Effect) -> Effect:
        """A draft's effect as it stands now that the draft is folded, a halt before it too."""
        ...

    def wake_at(self, state: State) -> int | None:
        """When (ns) this state needs a `Tick`, or None."""
        ...

    def recall(self, state: State, recorded: Recorded) -> Done | None:
        """For an own event that rests on an effect's result: that result, for replay."""
        ...
