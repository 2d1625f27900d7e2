"""What was seen of one installation under faults, as plain data: the checker takes nothing else.

Four witnesses that know nothing of one another: the clients, who were told that what they said is
durable; a reader that followed the streams all the while; the ledger as it stands in the end; and
the far side's own log of what it was made to do.
"""

from msgspec import Struct

from ledger.checkpoint import Checkpoint
from ledger.export import ExportedEntry
from schemas.events import Event


class Told(Struct, frozen=True, kw_only=True):
    """A client was told that the event of this digest stands at `index`. `asked` and `answered` are
    seconds of one monotonic clock.
    """

    client: str
    event: bytes
    index: int
    asked: float
    answered: float


class Done(Struct, frozen=True):
    """The far side did something, under this key, for this note."""

    key: str
    note: str


class Place(Struct, frozen=True):
    """An entry of the final ledger: the event in it, or None where it holds none that is valid."""

    entry: ExportedEntry
    event: Event | None
    digest: bytes = b""


class History(Struct, frozen=True, kw_only=True):
    """One round. `seen` are (index, leaf) as the reader was given them, `sealed` the checkpoints as
    it was given them, `seals` those of the final stream. `logged` are the tools whose far side
    keeps the log that `done` comes from. `ended` says of each run that was asked for whether it
    came to an end, `unsealed` how many entries the last seal does not cover.
    """

    workspace: str
    ledger: tuple[Place, ...]
    seals: tuple[Checkpoint, ...]
    told: tuple[Told, ...] = ()
    seen: tuple[tuple[int, bytes], ...] = ()
    sealed: tuple[Checkpoint, ...] = ()
    done: tuple[Done, ...] = ()
    logged: tuple[str, ...] = ()
    ended: tuple[tuple[str, bool], ...] = ()
    unsealed: int = 0
