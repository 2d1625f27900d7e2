"""Replay: derive every recorded decision again from the ledger alone, bit for bit.

Each event says what its producer had folded when it decided (`seen`) and when (`at`). So
the state of the same decider after entry `seen`, asked again, must yield the very draft
that was recorded. What rests on an effect's result takes that result from the record;
facts that no decider of ours makes (people's events, proposals) are inputs, not decisions.

Generic over deciders: this room knows none of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from bus.decider import (
    Decider,
    Draft,
    Entry,
    Input,
    Recorded,
    Refused,
    Tick,
    draft_id,
)
from crypto.errors import Rejected
from crypto.sealing import ContentKeys, open_event
from crypto.trust import Trust
from ledger.chain import leaf_of
from schemas.erasure import ContentErased
from schemas.events import Actor
from schemas.names import Role
from schemas.runs import LeaseGranted, LeaseRenewed, RunCompleted, RunHalted

Cast = Callable[[Actor, str | None], Decider[Any] | None]
"""The decider of an actor (of a run, for a run's own roles), or None for a source of facts."""


class Difference(Struct, frozen=True):
    """A recorded decision that the ledger does not yield."""

    index: int
    type: str
    actor: str
    what: str


class Replayed(Struct, frozen=True, kw_only=True):
    """What a replay found. `derived` counts decisions by type, `facts` what was taken as given,
    `erased` the decisions of runs whose content was erased that do not follow without it.
    """

    entries: int
    derived: dict[str, int]
    erased: dict[str, int]
    facts: dict[str, int]
    differences: tuple[Difference, ...]

    @property
    def ok(self) -> bool:
        """Every decision was derived again."""
        return not self.differences


class _Player:
    """One decider with its state as the replay goes on."""

    def __init__(self, actor: Actor, decider: Decider[Any], run: str | None, workspace: str):
        self.actor = actor
        self.decider = decider
        self.run = run
        self.state = decider.initial(workspace)

    def fold(self, entry: Entry) -> None:
        self.state = self.decider.evolve(self.state, entry)


def replay(
    entries: Iterable[tuple[int, str, bytes]],
    trust: Trust,
    keys: ContentKeys,
    cast: Cast,
    *,
    run: str | None = None,
) -> Replayed:
    """Verify `entries` from the first on and derive every decision in them again.

    With `run`, only the decisions of that run.
    """
    known = list(verified_entries(entries, trust, keys))
    decisions, facts = decisions_of(known, cast)
    if run is not None:
        decisions = {
            place: kept
            for place, found in decisions.items()
            if (kept := [recorded for recorded in found if recorded.event.run == run])
        }
    derived: Counter[str] = Counter()
    erased: Counter[str] = Counter()
    bare = _erased_runs(known)
    differences: list[Difference] = []
    for entry, players in played(known, trust.workspace, cast):
        for player in players:
            for recorded in decisions.get((player.actor, player.run, entry.index), ()):
                if _derives(player, entry, recorded, trust.workspace):
                    derived[recorded.event.type] += 1
                elif recorded.event.run in bare:
                    erased[recorded.event.type] += 1
                else:
                    differences.append(_difference(recorded))
    total = sum(len(found) for found in decisions.values())
    if derived.total() + erased.total() + len(differences) != total:
        differences += _unreached(decisions, known)
    return Replayed(
        entries=len(known),
        derived=dict(derived),
        erased=dict(erased),
        facts=facts,
        differences=tuple(sorted(differences, key=lambda d: d.index)),
    )


def _erased_runs(known: list[Entry]) -> frozenset[str]:
    """The runs of which an admin had content erased."""
    bodies = [entry.event.body for entry in known if isinstance(entry, Recorded)]
    return frozenset(
        field.run for body in bodies if isinstance(body, ContentErased) for field in body.fields
    )


def verified_entries(
    entries: Iterable[tuple[int, str, bytes]], trust: Trust, keys: ContentKeys
) -> Iterator[Entry]:
    """Each entry as a decider is given it: verified and opened, or refused."""
    for index, subject, body in entries:
        try:
            verified = trust.accept(subject, body)
        except Rejected as error:
            yield Refused(index, leaf_of(body), error.reason)
            continue
        keys.learn(verified.event)
        event = verified.event
        yield Recorded(index, verified.digest, open_event(event, keys), event)


def decisions_of(
    known: list[Entry], cast: Cast
) -> tuple[dict[tuple[Actor, str | None, int], list[Recorded]], dict[str, int]]:
    """The decisions by who made them (of which run) and what they had seen; and counts of facts."""
    decisions: dict[tuple[Actor, str | None, int], list[Recorded]] = {}
    facts: Counter[str] = Counter()
    for entry in known:
        if not isinstance(entry, Recorded):
            facts["(invalid entry)"] += 1
            continue
        event = entry.event
        own_run = event.run if event.actor.role in (Role.RUNTIME, Role.JUDGE) else None
        if cast(event.actor, own_run) is None:
            facts[event.type] += 1
        else:
            decisions.setdefault((event.actor, own_run, event.seen), []).append(entry)
    return decisions, dict(facts)


def played(known: list[Entry], workspace: str, cast: Cast) -> Iterator[tuple[Entry, list[_Player]]]:
    """Every entry with the players that have folded it; run players come with their lease."""
    standing = _standing(known, workspace, cast)
    of_run: dict[str, list[_Player]] = {}
    so_far: dict[str | None, list[Recorded]] = {None: []}
    for entry in known:
        for player in standing:
            player.fold(entry)
        players = list(standing)
        if isinstance(entry, Recorded):
            run = entry.event.run
            so_far.setdefault(run, []).append(entry)
            if run is not None:
                for player in of_run.get(run, []):
                    player.fold(entry)
                body = entry.event.body
                if isinstance(body, LeaseGranted | LeaseRenewed):
                    of_run.setdefault(run, []).extend(
                        _joined(run, body, so_far[None] + so_far[run], workspace, cast)
                    )
                players += of_run.get(run, [])
                if isinstance(body, RunCompleted | RunHalted):
                    of_run.pop(run, None)
                    so_far.pop(run, None)
        yield entry, players


def _standing(known: list[Entry], workspace: str, cast: Cast) -> list[_Player]:
    actors = {
        entry.event.actor
        for entry in known
        if isinstance(entry, Recorded) and entry.event.actor.role not in (Role.RUNTIME, Role.JUDGE)
    }
    players = []
    for actor in sorted(actors, key=lambda a: (a.role.value, a.instance)):
        decider = cast(actor, None)
        if decider is not None:
            players.append(_Player(actor, decider, None, workspace))
    return players


def _joined(
    run: str, lease: LeaseGranted | LeaseRenewed, past: list[Recorded], workspace: str, cast: Cast
) -> Iterator[_Player]:
    """The run's own players of one attempt, up to date."""
    for key in lease.lease.keys:
        actor = Actor(key.role, key.instance)
        decider = cast(actor, run)
        if decider is not None:
            player = _Player(actor, decider, run, workspace)
            for entry in past:
                player.fold(entry)
            yield player


def _derives(player: _Player, entry: Entry, recorded: Recorded, workspace: str) -> bool:
    """Whether the state after `entry`, asked at the decision's own time, yields it again."""
    event = recorded.event
    given: list[Input] = [entry, Tick()]
    recalled = player.decider.recall(player.state, recorded)
    if recalled is not None:
        given.insert(0, recalled)
    for question in given:
        for draft in player.decider.decide(player.state, question, event.at):
            if isinstance(draft, Draft) and _same(draft, recorded, workspace):
                return True
    return False


def _same(draft: Draft, recorded: Recorded, workspace: str) -> bool:
    event = recorded.event
    return (
        draft.body == event.body
        and draft.run == event.run
        and draft.causes == event.causes
        and draft.classification is event.classification
        and draft_id(workspace, event.actor, draft) == event.id
    )


def _difference(recorded: Recorded) -> Difference:
    event = recorded.event
    who = f"{event.actor.role.value}/{event.actor.instance}"
    what = f"the state after entry {event.seen} does not yield it"
    return Difference(recorded.index, event.type, who, what)


def _unreached(
    decisions: dict[tuple[Actor, str | None, int], list[Recorded]], known: list[Entry]
) -> list[Difference]:
    """Decisions that claim to rest on an entry which their decider never folded."""
    indexes = {entry.index for entry in known}
    return [
        Difference(r.index, r.event.type, r.event.actor.instance, f"saw entry {seen}, which is not")
        for (_, _, seen), found in decisions.items()
        if seen not in indexes
        for r in found
    ]
