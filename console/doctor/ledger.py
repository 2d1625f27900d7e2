"""What the ledger says about the installation that keeps it. Pure: a fold over verified entries.

`now` is ns since the Unix epoch; `sealed` is the size of the last seal.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bus.decider import Recorded
from console.commands.approvals import open_questions
from console.doctor.finding import Finding, State
from schemas.actions import ActionFinished, ActionOutcome, EntryRejected
from schemas.confinement import NAMED
from schemas.destinations import DestinationBlocked, DestinationReadmitted
from schemas.names import SECOND
from schemas.runs import HaltEngaged, HaltReleased, PolicySet, RunStarted

SEAL_LATE_NS: Final = 30 * SECOND
"""A sealer seals each second: an entry that has none after half a minute never gets one."""
_MANY_REFUSED: Final = 100


def read(past: Sequence[Recorded], sealed: int, now: int) -> Iterator[Finding]:
    """Everything below, in the order a person would ask."""
    yield Finding("chain", State.OK, f"{len(past)} entries, each signed and chained")
    yield from seals(past, sealed, now)
    yield from clocks(past, now)
    yield from halts(past)
    yield from waiting(past)
    yield from walls(past)


def seals(past: Sequence[Recorded], sealed: int, now: int) -> Iterator[Finding]:
    """Whether the sealer keeps up."""
    late = [r for r in past if r.index > sealed and now - r.event.at > SEAL_LATE_NS]
    if late:
        yield Finding(
            "seals",
            State.FAULT,
            f"{len(late)} entries from {late[0].index} on have no seal; the last covers {sealed}",
            "see logs/sidecar.log: no audit, no action",
        )
    else:
        yield Finding("seals", State.OK, f"sealed up to entry {sealed}")


def clocks(past: Sequence[Recorded], now: int) -> Iterator[Finding]:
    """Whether an entry comes from the future, by more than the policy lets clocks differ."""
    skew = next(
        (r.event.body.policy.skew_s for r in reversed(past) if isinstance(r.event.body, PolicySet)),
        0,
    )
    ahead = [r for r in past if r.event.at > now + skew * SECOND]
    if ahead:
        seconds = (ahead[-1].event.at - now) // SECOND
        yield Finding(
            "clock",
            State.FAULT,
            f"entry {ahead[-1].index} is dated {seconds} s ahead of this machine's clock",
            "set the clock by NTP, here and where that producer runs",
        )
    else:
        yield Finding("clock", State.OK, "no entry is dated ahead of this machine's clock")


def halts(past: Iterable[Recorded]) -> Iterator[Finding]:
    """What is halted now."""
    standing: dict[tuple[str, str], Recorded] = {}
    for recorded in past:
        body = recorded.event.body
        if isinstance(body, HaltEngaged):
            standing[body.scope.value, body.target] = recorded
        elif isinstance(body, HaltReleased):
            standing.pop((body.scope.value, body.target), None)
    for (scope, target), recorded in standing.items():
        name = f"{scope} {target}".strip()
        if scope != "run":
            yield Finding(
                "halts",
                State.ADVICE,
                f"{name} is halted since entry {recorded.index}",
                f"anyteam release {name}, once you know why",
            )


def waiting(past: Sequence[Recorded]) -> Iterator[Finding]:
    """What waits for a person: open questions, effects of which nobody knows, blocked addresses."""
    if asked := len(open_questions(list(past))):
        yield Finding(
            "people", State.ADVICE, f"{asked} proposals wait for a person", "anyteam questions"
        )
    bodies = [recorded.event.body for recorded in past]
    unknown = sum(
        isinstance(body, ActionFinished) and body.outcome is ActionOutcome.UNKNOWN
        for body in bodies
    )
    if unknown:
        yield Finding(
            "people",
            State.ADVICE,
            f"{unknown} effects ended as unknown: nobody could tell whether they were done",
            "anyteam receipt list, and look at the tool",
        )
    blocked: set[str] = set()
    for body in bodies:
        if isinstance(body, DestinationBlocked):
            blocked.add(body.domain)
        elif isinstance(body, DestinationReadmitted):
            blocked.discard(body.domain)
    for destination in sorted(blocked):
        yield Finding(
            "destinations",
            State.ADVICE,
            f"{destination} is blocked: its owner changed",
            f"anyteam destinations readmit {destination}, once you know the new owner",
        )
    refused = sum(isinstance(body, EntryRejected) for body in bodies)
    if refused > _MANY_REFUSED:
        yield Finding(
            "entries",
            State.ADVICE,
            f"{refused} entries were refused: somebody writes what they may not",
            "anyteam log, and look for entry.rejected",
        )


def walls(past: Iterable[Recorded]) -> Iterator[Finding]:
    """Whether the last run's process had all the walls there are."""
    started = [r.event.body for r in past if isinstance(r.event.body, RunStarted)]
    if not started:
        return
    missing = [wall.value for wall in NAMED if wall not in started[-1].confined_by]
    if missing:
        yield Finding(
            "walls",
            State.ADVICE,
            f"the last run's process had no {', '.join(missing)}",
            "docs/confinement.md says what each needs of the kernel",
        )
    else:
        yield Finding("walls", State.OK, "the last run's process had every wall that needs no root")
