"""The supervisor's decider: it follows the workspace's ledger and flags what meets a pattern.

It holds a key that signs flags and nothing else: no content key, no credential, no say in any
single action. So it knows what is public in events (`sidecar.supervision.public`) and cannot
leak what it never sees; and a hijacked sidecar cannot keep it quiet. What it flags binds the
gate: a hold asks a person before each further effect, a halt stops the scope.

A pattern is flagged once for a run. For a rep, agent or the workspace a flag is repeated only
after the pattern's window has passed, a hold or halt only after an admin has released it; by
that release the admin has looked, and what was counted there begins anew.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from immutables import Map
from msgspec import Struct

from bus.decider import Done, Draft, Effect, Entry, Input, Recorded, Tick
from schemas.names import SECOND, Role
from schemas.patterns import Response
from schemas.runs import (
    HaltReleased,
    HaltScope,
    LeaseExpired,
    LeaseRevoked,
    PolicySet,
    RunCompleted,
    RunHalted,
    RunRefused,
    RunRequested,
)
from schemas.supervision import SupervisorFlagged
from schemas.tools import Policy
from sidecar.supervision.engine import (
    Match,
    SupervisionState,
    forget_run,
    forgive,
    observe,
    watching,
)
from sidecar.supervision.patterns import patterns_of
from sidecar.supervision.public import fact_of

_FOREVER: Final = 2**63 - 1

_K = TypeVar("_K")
_V = TypeVar("_V")

Key = tuple[str, str, str]
"""(pattern, scope, target)."""


class Due(Struct, frozen=True):
    """A match that is not on record yet, and the event that completed it."""

    match: Match
    cause: bytes
    since: int


class LiveRun(Struct, frozen=True):
    """Whose run it is."""

    rep: str
    agent: str


class WatcherState(Struct, frozen=True, kw_only=True):
    """One workspace. `standing` says until when a flag on a scope is not repeated, by pattern."""

    workspace: str
    policy: Policy | None = None
    runs: Map[str, LiveRun] = Map()
    supervision: SupervisionState = SupervisionState()
    due: Map[Key, Due] = Map()
    standing: Map[tuple[str, str], Map[str, int]] = Map()


class SupervisorDecider:
    """See the module's docstring."""

    role = Role.SUPERVISOR

    def initial(self, workspace: str) -> WatcherState:
        """Nothing known."""
        return WatcherState(workspace=workspace)

    def evolve(self, state: WatcherState, entry: Entry) -> WatcherState:
        """The state after one entry."""
        if not isinstance(entry, Recorded):
            return state
        body, name = entry.event.body, entry.event.run
        if name is None:
            return _evolve_workspace(state, entry)
        if isinstance(body, RunRequested):
            if name in state.runs:
                return state
            return _replace(state, runs=state.runs.set(name, LiveRun(body.rep, body.agent)))
        run = state.runs.get(name)
        if run is None:
            return state
        if isinstance(body, RunCompleted | RunHalted | RunRefused | LeaseRevoked | LeaseExpired):
            return _ended(state, name)
        fact = fact_of(entry, run.rep, run.agent, state.policy)
        if fact is None:
            return state
        supervision, matches = observe(state.supervision, fact)
        state = _replace(state, supervision=supervision)
        for match in matches:
            state = _noticed(state, match, entry)
        return state

    def decide(self, state: WatcherState, given: Input, now: int) -> Sequence[Draft | Effect]:
        """Flags for what is due."""
        if not isinstance(given, Tick | Recorded):
            return ()
        return [_flag(due) for _, due in sorted(state.due.items(), key=lambda item: item[0])]

    def revise(self, state: WatcherState, effect: Effect) -> Effect:
        """A supervisor has no effects."""
        return effect

    def wake_at(self, state: WatcherState) -> int | None:
        """Patterns are met by facts; nothing is ever due by time alone."""
        return None

    def recall(self, state: WatcherState, recorded: Recorded) -> Done | None:
        """Flags rest on no effect."""
        return None


def _evolve_workspace(state: WatcherState, entry: Recorded) -> WatcherState:
    body = entry.event.body
    if isinstance(body, PolicySet):
        supervision = watching(state.supervision, patterns_of(body.policy))
        return _replace(state, policy=body.policy, supervision=supervision)
    if isinstance(body, SupervisorFlagged):
        return _on_record(state, body, entry.event.at)
    if isinstance(body, HaltReleased):
        scope, target = body.scope.value, body.target
        return _replace(
            state,
            supervision=forgive(state.supervision, scope, target),
            standing=_without(state.standing, (scope, target)),
        )
    return state


def _noticed(state: WatcherState, match: Match, entry: Recorded) -> WatcherState:
    """The match is due, unless it is already, or stands on record."""
    key = (match.pattern, match.scope, match.target)
    standing = state.standing.get((match.scope, match.target))
    if key in state.due or (
        standing is not None and entry.event.at < standing.get(match.pattern, 0)
    ):
        return state
    return _replace(state, due=state.due.set(key, Due(match, entry.digest, entry.event.at)))


def _on_record(state: WatcherState, flag: SupervisorFlagged, at: int) -> WatcherState:
    """The flag stands: on a run until its end, elsewhere for a window or until released."""
    scope = (flag.scope.value, flag.target)
    key = (flag.pattern, *scope)
    since = state.due[key].since if key in state.due else at
    due = _without(state.due, key)
    if flag.scope is HaltScope.RUN and flag.target not in state.runs:
        return _replace(state, due=due)
    windows = {pattern.name: pattern.within_s for pattern in state.supervision.patterns}
    passing = flag.response is Response.FLAG and flag.scope is not HaltScope.RUN
    until = since + windows.get(flag.pattern, 0) * SECOND if passing else _FOREVER
    standing: Map[str, int] = state.standing.get(scope) or Map()
    standing = standing.set(flag.pattern, until)
    return _replace(state, due=due, standing=state.standing.set(scope, standing))


def _ended(state: WatcherState, run: str) -> WatcherState:
    return _replace(
        state,
        runs=state.runs.delete(run),
        supervision=forget_run(state.supervision, run),
        standing=_without(state.standing, ("run", run)),
    )


def _flag(due: Due) -> Draft:
    match = due.match
    scope = HaltScope(match.scope)
    return Draft(
        body=SupervisorFlagged(
            pattern=match.pattern,
            response=match.response,
            scope=scope,
            target=match.target,
            evidence=match.evidence,
            reason=f"{match.pattern}: {match.description}",
        ),
        run=None,
        causes=(due.cause,),
        since=due.since,
        salt=f"{match.pattern} {match.scope} {match.target}",
        settles=f"flag:{match.pattern} {match.scope} {match.target}",
    )


def _without(known: Map[_K, _V], key: _K) -> Map[_K, _V]:
    return known.delete(key) if key in known else known


_replace = msgspec.structs.replace
