"""The pattern engine: facts in, matches out; pure, and bounded in time and space.

For every step of a pattern it keeps the latest occurrences that the step takes, each with the
latest time at which the steps before it can have begun. That time only grows, so keeping the
latest is exact: a pattern is met within its window if and only if the kept occurrences meet
it, whatever lies between (complex event processing calls it skip-till-any-match). The cost of
a fact depends on the patterns, never on how much went before.

Time is the facts' own, and never runs backwards within a scope: a fact dated earlier than one
before it counts as of that one's time.
"""

from collections.abc import Iterable
from typing import Final

from immutables import Map
from msgspec import Struct

from schemas.names import SECOND, Classification
from schemas.patterns import FactKind, Pattern, Property, Response, Step
from schemas.supervision import MAX_EVIDENCE
from schemas.tools import Effect, Trust

MAX_GROUPS: Final = 4096
"""Groups kept for one scope; beyond it the stale go, then the half that is longest unused."""
_FACT_GROUPS: Final = 256


class Fact(Struct, frozen=True, kw_only=True):
    """One thing that happened, or that a proposal would make happen.

    `outside`, `named` and `trust` are None where they do not apply or are not known;
    `destinations` are in canonical form, or keyed pseudonyms of it. `layers` are the gate's
    layers that objected. `digest` is the event's, or the proposal's where it has not happened.
    """

    run: str
    rep: str
    agent: str
    at: int
    kind: FactKind
    digest: bytes
    tool: str = ""
    effect: Effect | None = None
    outside: bool | None = None
    named: bool | None = None
    destinations: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    sensitivity: Classification = Classification.PUBLIC
    credential: bool = False
    trust: Trust | None = None
    layers: tuple[int, ...] = ()


class Match(Struct, frozen=True, kw_only=True):
    """A pattern was met by the fact at `at`. `evidence` are the digests of what met it."""

    pattern: str
    description: str
    response: Response
    scope: str
    target: str
    evidence: tuple[bytes, ...]
    at: int


class Occurrence(Struct, frozen=True):
    """A fact that fits a step. `start` is the latest time its pattern can have begun."""

    start: int
    value: str
    digest: bytes
    before: tuple[bytes, ...]


class Track(Struct, frozen=True):
    """How far one pattern has come in one group: the kept occurrences of each step."""

    steps: tuple[tuple[Occurrence, ...], ...]
    last: int


Tracks = Map[tuple[str, str], Track]
Begun = tuple[int, tuple[bytes, ...]]
"""The latest time at which some steps, all met, can have begun; and the evidence."""


class Watch(Struct, frozen=True):
    """One scope's tracks, by pattern and group, and its latest time."""

    tracks: Tracks = Map()
    latest: int = 0


class SupervisionState(Struct, frozen=True, kw_only=True):
    """What is remembered, by scope and target. Start with `watching(SupervisionState(), ...)`."""

    patterns: tuple[Pattern, ...] = ()
    watches: Map[tuple[str, str], Watch] = Map()


def watching(state: SupervisionState, patterns: tuple[Pattern, ...]) -> SupervisionState:
    """The state under these patterns; of two with one name the later counts.

    What is known of unchanged ones stays known.
    """
    named = {pattern.name: pattern for pattern in patterns}
    if tuple(named.values()) == state.patterns:
        return state
    kept = {name for name, pattern in named.items() if pattern in state.patterns}
    watches = {
        key: Watch(Map({k: t for k, t in watch.tracks.items() if k[0] in kept}), watch.latest)
        for key, watch in state.watches.items()
    }
    return SupervisionState(patterns=tuple(named.values()), watches=Map(watches))


def observe(state: SupervisionState, fact: Fact) -> tuple[SupervisionState, tuple[Match, ...]]:
    """The state after one fact, and the patterns that it completes."""
    watches = state.watches
    matches: list[Match] = []
    for pattern in state.patterns:
        fitting = [i for i, step in enumerate(pattern.steps) if fits(step, fact)]
        if not fitting:
            continue
        key = (pattern.scope, _target(pattern.scope, fact))
        watch, evidence = _advanced(watches.get(key) or Watch(), pattern, fitting, fact)
        watches = watches.set(key, watch)
        if evidence is not None:
            matches.append(_match(pattern, key[1], evidence, fact))
    return SupervisionState(patterns=state.patterns, watches=watches), tuple(matches)


def would_match(state: SupervisionState, fact: Fact) -> tuple[Match, ...]:
    """The patterns that `fact` would complete, for the gate to ask before the effect.

    What `observe` would then say, without the work of remembering.
    """
    matches: list[Match] = []
    for pattern in state.patterns:
        if not fits(pattern.steps[-1], fact):
            continue
        last, target = len(pattern.steps) - 1, _target(pattern.scope, fact)
        watch = state.watches.get((pattern.scope, target)) or Watch()
        at = max(watch.latest, fact.at)
        for group in _groups(pattern, fact):
            track, common = _tracks(watch.tracks, pattern, group, at)
            kept = _kept(track, common, pattern, last, fact, at)
            if kept is not None and (met := _complete(kept, pattern.steps[last])) is not None:
                matches.append(_match(pattern, target, met[1], fact))
                break
    return tuple(matches)


def forget_run(state: SupervisionState, run: str) -> SupervisionState:
    """The state once a run is over: what concerned it alone is dropped."""
    return forgive(state, "run", run)


def forgive(state: SupervisionState, scope: str, target: str) -> SupervisionState:
    """The state once an admin has released a scope: patterns there begin anew."""
    key = (scope, target)
    if key not in state.watches:
        return state
    return SupervisionState(patterns=state.patterns, watches=state.watches.delete(key))


def fits(step: Step, fact: Fact) -> bool:
    """Whether a fact is one that the step asks for."""
    return (
        fact.kind in step.kinds
        and (not step.effects or (fact.effect is not None and fact.effect.value in step.effects))
        and (not step.tools or fact.tool in step.tools)
        and fact.sensitivity.rank >= step.sensitivity.rank
        and (step.credential is None or fact.credential is step.credential)
        and (step.outside is None or fact.outside is step.outside)
        and (step.named is None or fact.named is step.named)
        and (step.trust is None or (fact.trust is not None and fact.trust.value == step.trust))
        and (not step.layers or any(layer in step.layers for layer in fact.layers))
    )


def _match(pattern: Pattern, target: str, evidence: tuple[bytes, ...], fact: Fact) -> Match:
    return Match(
        pattern=pattern.name,
        description=pattern.description,
        response=pattern.response,
        scope=pattern.scope,
        target=target,
        evidence=evidence,
        at=fact.at,
    )


def _advanced(
    watch: Watch, pattern: Pattern, fitting: list[int], fact: Fact
) -> tuple[Watch, tuple[bytes, ...] | None]:
    """The watch after a fact that fits some steps, and the evidence where the last is met."""
    at = max(watch.latest, fact.at)
    tracks, evidence = watch.tracks, None
    for group in _groups(pattern, fact):
        track, common = _tracks(watch.tracks, pattern, group, at)
        steps = list(track.steps)
        # Each step builds on the track before this fact: one fact is never two steps at once.
        for i in fitting:
            kept = _kept(track, common, pattern, i, fact, at)
            if kept is None:
                continue
            steps[i] = kept
            met = _complete(kept, pattern.steps[i]) if i == len(steps) - 1 else None
            evidence = evidence or (met[1] if met is not None else None)
        tracks = tracks.set((pattern.name, group), Track(tuple(steps), at))
    return Watch(tracks=_bounded(tracks, pattern, at), latest=at), evidence


def _tracks(tracks: Tracks, pattern: Pattern, group: str, at: int) -> tuple[Track, Track | None]:
    """A group's track, and beside it the one that all groups share."""
    own = tracks.get((pattern.name, group)) or Track(((),) * len(pattern.steps), at)
    return own, tracks.get((pattern.name, "")) if group else None


def _kept(
    track: Track, common: Track | None, pattern: Pattern, i: int, fact: Fact, at: int
) -> tuple[Occurrence, ...] | None:
    """Step `i`'s occurrences with this fact, in the order of their starts; None where the fact
    adds nothing, since the steps before it are not met in time or it lacks what is counted.
    """
    begun, step = _begun(track, common, pattern, i, at), pattern.steps[i]
    since = at - pattern.within_s * SECOND
    values = _values(step.distinct, fact)
    if begun is None or begun[0] < since or not values:
        return None
    kept = track.steps[i]
    if kept and kept[0].start < since:
        kept = tuple(one for one in kept if one.start >= since)
    for value in values:
        if step.distinct is not None and value in [one.value for one in kept]:
            kept = tuple(one for one in kept if one.value != value)
        kept = (*kept, Occurrence(begun[0], value, fact.digest, begun[1]))
    return kept[-step.at_least :]


def _begun(track: Track, common: Track | None, pattern: Pattern, i: int, at: int) -> Begun | None:
    """What the steps before step `i` have come to; None where they are not met."""
    if i == 0:
        return at, ()
    step = pattern.steps[i - 1]
    own = _complete(track.steps[i - 1], step)
    of_all = _complete(common.steps[i - 1], step) if common is not None else None
    if own is None or of_all is None:
        return own or of_all
    return own if own[0] >= of_all[0] else of_all


def _complete(kept: tuple[Occurrence, ...], step: Step) -> Begun | None:
    """What a step and all before it have come to; None where it is not met."""
    if len(kept) < step.at_least:
        return None
    evidence = tuple(dict.fromkeys((*kept[0].before, *(one.digest for one in kept))))
    if len(evidence) > MAX_EVIDENCE:
        half = MAX_EVIDENCE // 2
        evidence = evidence[:half] + evidence[-half:]
    return kept[0].start, evidence


def _bounded(tracks: Tracks, pattern: Pattern, at: int) -> Tracks:
    """At most `MAX_GROUPS` groups of a scope; the track that all groups share always stays."""
    if len(tracks) <= MAX_GROUPS:
        return tracks
    grouped = sorted((t.last, key) for key, t in tracks.items() if key[1])
    since = at - pattern.within_s * SECOND
    stale = [key for last, key in grouped if key[0] == pattern.name and last < since]
    if len(tracks) - len(stale) > MAX_GROUPS * 3 // 4:
        stale = [key for _, key in grouped[: len(grouped) // 2]]
    for key in stale:
        tracks = tracks.delete(key)
    return tracks


def _target(scope: str, fact: Fact) -> str:
    return {"run": fact.run, "rep": fact.rep, "agent": fact.agent}.get(scope, "")


def _groups(pattern: Pattern, fact: Fact) -> Iterable[str]:
    grouped = _properties(pattern.group_by, fact) if pattern.group_by is not None else ()
    return dict.fromkeys(grouped[:_FACT_GROUPS] or ("",))


def _values(distinct: Property | None, fact: Fact) -> tuple[str, ...]:
    return ("",) if distinct is None else tuple(dict.fromkeys(_properties(distinct, fact)))


def _properties(named: Property, fact: Fact) -> tuple[str, ...]:
    if named is Property.DESTINATION:
        return fact.destinations
    if named is Property.OBJECT:
        return fact.objects
    value = {Property.TOOL: fact.tool, Property.RUN: fact.run, Property.REP: fact.rep}[named]
    return (value,) if value else ()
