"""What the ledger says about the installation that keeps it. Pure: looks that fold verified
entries, one after the other, and keep of them only what they will say.

`now` is ns since the Unix epoch, and `sealed` the size of the last seal there was then.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from bus.decider import Recorded
from console.doctor.finding import Finding, State
from console.questions import Questions
from schemas.actions import ActionFinished, ActionOutcome, EntryRejected
from schemas.confinement import NAMED
from schemas.destinations import DestinationBlocked, DestinationReadmitted
from schemas.names import SECOND
from schemas.runs import HaltEngaged, HaltReleased, PolicySet, RunStarted

SEAL_LATE_NS: Final = 30 * SECOND
"""A sealer seals each second: an entry that has none after half a minute never gets one."""
_MANY_REFUSED: Final = 100


class Look(Protocol):
    """One look at the ledger."""

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        ...

    def findings(self) -> Iterator[Finding]:
        """What was found in all that was taken."""
        ...


def looks(sealed: int, now: int) -> tuple[Look, ...]:
    """All of those below, in the order a person would ask."""
    return Chain(), Seals(sealed, now), Clocks(now), Halts(), Waiting(), Walls()


class Chain:
    """How many entries were read, each of which its reader verified."""

    def __init__(self) -> None:
        self._count = 0

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        self._count += 1

    def findings(self) -> Iterator[Finding]:
        """That is what it says, and no more."""
        yield Finding("chain", State.OK, f"{self._count} entries, each signed and chained")


class Seals:
    """Whether the sealer keeps up."""

    def __init__(self, sealed: int, now: int) -> None:
        self._sealed, self._now = sealed, now
        self._late = self._first = 0

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        if entry.index > self._sealed and self._now - entry.event.at > SEAL_LATE_NS:
            self._first = self._first or entry.index
            self._late += 1

    def findings(self) -> Iterator[Finding]:
        """A fault where it does not."""
        if self._late:
            yield Finding(
                "seals",
                State.FAULT,
                f"{self._late} entries from {self._first} on have no seal; "
                f"the last covers {self._sealed}",
                "see logs/sidecar.log: no audit, no action",
            )
        else:
            yield Finding("seals", State.OK, f"sealed up to entry {self._sealed}")


class Clocks:
    """Whether an entry comes from the future, by more than the policy lets clocks differ."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._skew = 0
        self._ahead: Recorded | None = None

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        if isinstance(entry.event.body, PolicySet):
            self._skew = entry.event.body.policy.skew_s * SECOND
        if entry.event.at > self._now + self._skew:
            self._ahead = entry

    def findings(self) -> Iterator[Finding]:
        """A fault where one does."""
        if self._ahead is not None:
            seconds = (self._ahead.event.at - self._now) // SECOND
            yield Finding(
                "clock",
                State.FAULT,
                f"entry {self._ahead.index} is dated {seconds} s ahead of this machine's clock",
                "set the clock by NTP, here and where that producer runs",
            )
        else:
            yield Finding("clock", State.OK, "no entry is dated ahead of this machine's clock")


class Halts:
    """What is halted now, but for single runs."""

    def __init__(self) -> None:
        self._standing: dict[tuple[str, str], int] = {}

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        body = entry.event.body
        if isinstance(body, HaltEngaged) and body.scope.value != "run":
            self._standing[body.scope.value, body.target] = entry.index
        elif isinstance(body, HaltReleased):
            self._standing.pop((body.scope.value, body.target), None)

    def findings(self) -> Iterator[Finding]:
        """Each with the command that lifts it."""
        for (scope, target), index in self._standing.items():
            name = f"{scope} {target}".strip()
            yield Finding(
                "halts",
                State.ADVICE,
                f"{name} is halted since entry {index}",
                f"anyteam release {name}, once you know why",
            )


class Waiting:
    """What waits for a person: open questions, effects of which nobody knows, blocked addresses."""

    def __init__(self) -> None:
        self._questions = Questions()
        self._unknown = self._refused = 0
        self._blocked: set[str] = set()

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        self._questions.take(entry)
        body = entry.event.body
        if isinstance(body, ActionFinished):
            self._unknown += body.outcome is ActionOutcome.UNKNOWN
        elif isinstance(body, EntryRejected):
            self._refused += 1
        elif isinstance(body, DestinationBlocked):
            self._blocked.add(body.domain)
        elif isinstance(body, DestinationReadmitted):
            self._blocked.discard(body.domain)

    def findings(self) -> Iterator[Finding]:
        """Each with the command that shows it."""
        if asked := len(self._questions.open()):
            yield Finding(
                "people", State.ADVICE, f"{asked} proposals wait for a person", "anyteam questions"
            )
        if self._unknown:
            yield Finding(
                "people",
                State.ADVICE,
                f"{self._unknown} effects ended as unknown: nobody could tell whether they were "
                "done",
                "anyteam receipt list, and look at the tool",
            )
        for destination in sorted(self._blocked):
            yield Finding(
                "destinations",
                State.ADVICE,
                f"{destination} is blocked: its owner changed",
                f"anyteam destinations readmit {destination}, once you know the new owner",
            )
        if self._refused > _MANY_REFUSED:
            yield Finding(
                "entries",
                State.ADVICE,
                f"{self._refused} entries were refused: somebody writes what they may not",
                "anyteam log, and look for entry.rejected",
            )


class Walls:
    """Whether the last run's process had all the walls there are."""

    def __init__(self) -> None:
        self._last: RunStarted | None = None

    def take(self, entry: Recorded) -> None:
        """Fold the next entry."""
        if isinstance(entry.event.body, RunStarted):
            self._last = entry.event.body

    def findings(self) -> Iterator[Finding]:
        """Nothing before the first run."""
        if self._last is None:
            return
        missing = [wall.value for wall in NAMED if wall not in self._last.confined_by]
        if missing:
            yield Finding(
                "walls",
                State.ADVICE,
                f"the last run's process had no {', '.join(missing)}",
                "docs/confinement.md says what each needs of the kernel",
            )
        else:
            yield Finding(
                "walls", State.OK, "the last run's process had every wall that needs no root"
            )
