"""Which entries of a ledger somebody asks for: by run, by rep, by time.

Within one kind any of the given counts, across kinds all must. Times are those that producers
wrote: a producer's clock is its own word, so a time is a way to find entries and no proof of when.
"""

from msgspec import Struct

from ledger.renderings.line import timestamp
from schemas.events import Event
from schemas.names import Name, Nanoseconds, Role
from schemas.runs import RepActivated, RepRevoked

_PEOPLE = (Role.REP, Role.ADMIN)


class Criteria(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Empty for everything. `since` is included, `until` is not (ns since the epoch)."""

    runs: tuple[Name, ...] = ()
    reps: tuple[Name, ...] = ()
    since: Nanoseconds | None = None
    until: Nanoseconds | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Criteria()

    @property
    def whole_runs(self) -> bool:
        """Whether each chosen run is chosen from its first entry to its last."""
        return self.since is None and self.until is None

    def in_words(self) -> str:
        """What is asked for, in one phrase."""
        said = [f"run {run}" for run in self.runs] + [f"rep {rep}" for rep in self.reps]
        if self.since is not None:
            said.append(f"from {timestamp(self.since)}")
        if self.until is not None:
            said.append(f"before {timestamp(self.until)}")
        return ", ".join(said) or "everything"


def matches(criteria: Criteria, event: Event, rep: str | None) -> bool:
    """Whether an event is asked for; `rep` is who requested its run, None where unknown."""
    if criteria.runs and event.run not in criteria.runs:
        return False
    if criteria.reps and not _of_rep(criteria.reps, event, rep):
        return False
    if criteria.since is not None and event.at < criteria.since:
        return False
    return criteria.until is None or event.at < criteria.until


def _of_rep(reps: tuple[str, ...], event: Event, rep: str | None) -> bool:
    if event.run is not None:
        return rep in reps
    if isinstance(event.body, RepActivated | RepRevoked):
        return event.body.rep in reps
    return event.actor.role in _PEOPLE and event.actor.instance in reps
