"""What a node asks of the world: publish this event, perform that effect."""

from msgspec import Struct

from bus.decider import Effect


class Publish(Struct, frozen=True):
    """Store `body` on `subject`. `fence` is (subject filter, its expected last sequence).

    The bus deduplicates by `message_id`, which follows from the event's id but cannot be
    foretold: else a hostile run could take the id of another's next event for its own junk.
    """

    event_id: str
    message_id: str
    subject: str
    body: bytes
    fence: tuple[str, int] | None


class Perform(Struct, frozen=True):
    """Do this effect now, and report with `Node.done`."""

    effect: Effect


Command = Publish | Perform
