"""The checker: what must hold of a history, whatever was done to those who made it.

In the manner of Jepsen: pure functions over what each witness saw (`tests.faults.history`), run
after all faults are over. Each gives a sentence for each violation; none is luck, none is tuned.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from ledger.chain import first_head, leaf_of, next_head
from ledger.checkpoint import Checkpoint
from ledger.merkle import Frontier
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.leases import Lease
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, LeaseGranted
from tests.faults.history import History, Place


def violations(history: History) -> list[str]:
    """Everything that does not hold, each with the name of its rule before it."""
    return [f"{name}: {said}" for name, rule in RULES.items() for said in rule(history)]


def acknowledged(history: History) -> Iterator[str]:
    """Every acknowledged event is there once, at the place its author was told, in order.

    Of one client in the order it was told; of all, whatever was answered before another was asked
    stands before it.
    """
    at: dict[bytes, list[int]] = {}
    for place in history.ledger:
        at.setdefault(place.digest, []).append(place.entry.index)
    for told in history.told:
        if at.get(told.event) != [told.index]:
            places = at.get(told.event, [])
            yield f"{told.client} was told {told.event.hex()} at {told.index}; is at {places}"
    highest = 0
    finished = sorted(history.told, key=lambda told: told.answered)
    position = 0
    for told in sorted(history.told, key=lambda one: one.asked):
        while position < len(finished) and finished[position].answered < told.asked:
            highest = max(highest, finished[position].index)
            position += 1
        if told.index <= highest:
            yield f"{told.event.hex()} at {told.index} was asked for after {highest} was answered"


def kept(history: History) -> Iterator[str]:
    """What a reader was once given stays, as it was, where it was; and its indexes have no gap."""
    stands = {place.entry.index: leaf_of(place.entry.body) for place in history.ledger}
    for index, leaf in history.seen:
        if stands.get(index) != leaf:
            yield f"entry {index} is not what a reader was given there"
    for number, place in enumerate(history.ledger, start=1):
        if place.entry.index != number:
            yield f"entry {place.entry.index} comes where {number} belongs"
            return


def once(history: History) -> Iterator[str]:
    """No effect twice, under one key or another, and none without its write-ahead record."""
    started = {place.event.id for place, _ in _actions(history) if place.event is not None}
    for key, times in sorted(Counter(done.key for done in history.done).items()):
        if times > 1:
            yield f"{key} was done {times} times"
        if key not in started:
            yield f"{key} was done, and the ledger has no action.started for it"
    for note, times in sorted(Counter(done.note for done in history.done).items()):
        if times > 1:
            yield f"{note!r} was done {times} times, under different keys"


def outcomes(history: History) -> Iterator[str]:
    """A confirmed action was done, a failed one was not, and each has exactly one outcome."""
    done = {one.key for one in history.done}
    found: dict[bytes, list[ActionOutcome]] = {}
    for place in history.ledger:
        if place.event is not None and isinstance(place.event.body, ActionFinished):
            found.setdefault(place.event.body.action, []).append(place.event.body.outcome)
    for place, started in _actions(history):
        assert place.event is not None
        said = found.get(place.digest, [])
        if len(said) != 1:
            yield f"action {place.event.id} has {len(said)} outcomes"
            continue
        if started.tool not in history.logged:
            continue
        if said[0] is ActionOutcome.CONFIRMED and place.event.id not in done:
            yield f"action {place.event.id} is confirmed, and was not done"
        if said[0] is ActionOutcome.FAILED and place.event.id in done:
            yield f"action {place.event.id} is failed, and was done"


def halted(history: History) -> Iterator[str]:
    """Nothing that was written ahead after a halt's place was done, until the halt is released."""
    done = {one.key for one in history.done}
    leases: dict[str, Lease] = {}
    halts: set[tuple[HaltScope, str]] = set()
    for place in history.ledger:
        body = place.event.body if place.event is not None else None
        if place.event is None or body is None:
            continue
        run = place.event.run
        if isinstance(body, LeaseGranted) and run is not None:
            leases[run] = body.lease
        elif isinstance(body, HaltEngaged):
            halts.add((body.scope, body.target))
        elif isinstance(body, HaltReleased):
            halts.discard((body.scope, body.target))
        elif isinstance(body, ActionStarted) and place.event.id in done:
            for scope, target in halts & _covering(run or "", leases.get(run or "")):
                yield f"action {place.event.id} was done after the halt of {scope.value} {target}"


def within_budget(history: History) -> Iterator[str]:
    """No run has more actions than its lease allows."""
    allowed: dict[str, int] = {}
    had: Counter[str] = Counter()
    for place in history.ledger:
        if place.event is None or place.event.run is None:
            continue
        body, run = place.event.body, place.event.run
        if isinstance(body, LeaseGranted):
            allowed[run] = max(allowed.get(run, 0), body.lease.max_actions)
        elif isinstance(body, ActionStarted):
            had[run] += 1
            if had[run] > allowed.get(run, 0):
                yield f"{run} has had action {had[run]} of {allowed.get(run, 0)}"


def unforked(history: History) -> Iterator[str]:
    """Seals grow, each is the state of the ledger as it stands, and what a reader saw is there."""
    for before, after in pairwise(history.seals):
        if after.size < before.size:
            yield f"a seal of {after.size} comes after one of {before.size}"
    wanted: dict[int, list[Checkpoint]] = {}
    for seal in (*history.seals, *history.sealed):
        wanted.setdefault(seal.size, []).append(seal)
    frontier, head = Frontier(), first_head(history.workspace)
    for place in history.ledger:
        leaf = leaf_of(place.entry.body)
        frontier.append(leaf)
        head = next_head(head, leaf)
        for seal in wanted.pop(frontier.size, []):
            if (seal.root, seal.head) != (frontier.root(), head):
                yield f"a seal of {seal.size} is of another ledger"
    for size in sorted(wanted):
        yield f"a seal of {size} is of a longer ledger than there is"
    final = set(history.seals)
    for seal in history.sealed:
        if seal not in final:
            yield f"the seal of {seal.size} that a reader was given is gone"


def alive(history: History) -> Iterator[str]:
    """Once the faults are over every run comes to its end, and the ledger is sealed to its end."""
    for run, over in history.ended:
        if not over:
            yield f"{run} does not end"
    if history.unsealed:
        yield f"the last {history.unsealed} entries are not sealed"


RULES: Final[dict[str, Callable[[History], Iterator[str]]]] = {
    rule.__name__: rule
    for rule in (acknowledged, kept, once, outcomes, halted, within_budget, unforked, alive)
}


def _covering(run: str, lease: Lease | None) -> set[tuple[HaltScope, str]]:
    everything = {(HaltScope.WORKSPACE, ""), (HaltScope.PLATFORM, ""), (HaltScope.RUN, run)}
    if lease is None:
        return everything
    return everything | {(HaltScope.REP, lease.rep), (HaltScope.AGENT, lease.agent)}


def _actions(history: History) -> Iterator[tuple[Place, ActionStarted]]:
    for place in history.ledger:
        if place.event is not None and isinstance(place.event.body, ActionStarted):
            yield place, place.event.body
