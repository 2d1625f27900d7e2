"""What each event means to the tables: `rows_of` is every fold together. Pure."""

from functools import cache

from bus.decider import Recorded
from projections.folds.actions import ACTION_EVENTS, action_rows
from projections.folds.events import event_rows
from projections.folds.runs import RUN_EVENTS, run_rows
from projections.folds.standing import STANDING_EVENTS, standing_rows
from projections.rows import Fold, Row

__all__ = ["rows_of"]

_FOLDS = (
    (RUN_EVENTS, run_rows),
    (ACTION_EVENTS, action_rows),
    (STANDING_EVENTS, standing_rows),
)


def rows_of(recorded: Recorded) -> list[Row]:
    """All rows of one event, the event's own first."""
    rows = [*event_rows(recorded)]
    for fold in _folds_of(type(recorded.event.body)):
        rows += fold(recorded)
    return rows


@cache
def _folds_of(body: type) -> tuple[Fold, ...]:
    """The folds that say anything of such an event: most are one fold's."""
    return tuple(fold for events, fold in _FOLDS if body in events)
