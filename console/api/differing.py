"""What an action would change, as the API gives it (decision 0103)."""

from typing import Literal

from msgspec import Struct

from console.api.scalars import At
from console.view.differences import Difference
from console.web.shown import iso


class LineShape(Struct, frozen=True):
    """A line of a text that would change; `between` stands for unchanged lines left out."""

    kind: Literal["same", "gone", "new", "between"]
    text: str


class ChangeShape(Struct, frozen=True):
    """A field that would be written. `before` is null where nothing of it was read; `lines` are
    there for texts of several lines.
    """

    field: str
    before: str | None
    after: str
    lines: list[LineShape]


class DifferenceShape(Struct, frozen=True):
    """What would be written, beside what `tool` gave the run of the object `at` that time. By now
    it may read otherwise.
    """

    tool: str
    at: At
    changes: list[ChangeShape]


def difference_shape(found: Difference) -> DifferenceShape:
    """The same, in the API's form."""
    return DifferenceShape(
        tool=found.tool,
        at=iso(found.at),
        changes=[
            ChangeShape(
                field=one.field,
                before=one.before,
                after=one.after,
                lines=[LineShape(line.kind, line.text) for line in one.lines],
            )
            for one in found.changes
        ],
    )
