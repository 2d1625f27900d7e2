"""What each event means to the tables: `rows_of` is every fold together. Pure."""

from collections.abc import Iterator

from bus.decider import Recorded
from projections.folds.actions import action_rows
from projections.folds.events import event_rows
from projections.folds.runs import run_rows
from projections.folds.standing import standing_rows
from projections.rows import Row

__all__ = ["rows_of"]


def rows_of(recorded: Recorded) -> Iterator[Row]:
    """All rows of one event, the event's own first."""
    yield from event_rows(recorded)
    yield from run_rows(recorded)
    yield from action_rows(recorded)
    yield from standing_rows(recorded)
