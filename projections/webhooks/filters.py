"""Which events an endpoint gets: by type, by run, and how much of each by classification.

A filter is settled data: what it says of one event does not change with time. The ceiling is no
filter of events but of what is told: above it an event is announced, and its body stays here.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from projections.webhooks.errors import BadEndpoint
from schemas.authority import AUTHORITY
from schemas.errors import BadName
from schemas.events import Event
from schemas.names import Classification, Name, check_name

MAX_PARTS: Final = 64

TypePattern = Annotated[str, Meta(pattern=r"^[a-z_]+\.([a-z_]+|\*)$(?!\n)")]


class Filter(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`types` are event types, or `area.*` for all of an area; `runs` are names of runs.

    Empty stands for all. `ceiling` is the highest classification of which the body is told.
    """

    types: tuple[TypePattern, ...] = ()
    runs: tuple[Name, ...] = ()
    ceiling: Classification = Classification.INTERNAL

    def admits(self, event: Event) -> bool:
        """Whether the endpoint gets this event."""
        if self.runs and event.run not in self.runs:
            return False
        if not self.types:
            return True
        return event.type in self.types or f"{event.type.partition('.')[0]}.*" in self.types


def filter_of(types: tuple[str, ...], runs: tuple[str, ...], ceiling: Classification) -> Filter:
    """The filter that was asked for. Raises `BadEndpoint` where it could never match."""
    known = set(AUTHORITY) | {f"{name.partition('.')[0]}.*" for name in AUTHORITY}
    stray = sorted(set(types) - known)
    if stray:
        raise BadEndpoint(
            f"type: there are no events {stray[0]!r}",
            fix=f"one of {', '.join(sorted(AUTHORITY))}, or as in run.*",
        )
    if len(types) > MAX_PARTS or len(runs) > MAX_PARTS:
        raise BadEndpoint(
            f"type, run: more than {MAX_PARTS} of one", fix="leave them away to get all"
        )
    try:
        named = tuple(check_name(run, "run") for run in runs)
    except BadName as error:
        raise BadEndpoint(f"run: {error.what}", fix=error.fix) from error
    return Filter(types=types, runs=named, ceiling=ceiling)
