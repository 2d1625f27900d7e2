"""Figures as geometry: where the bars, ticks and labels of a plot stand, for inline SVG.

Everything is in the plot's own units (a box `WIDTH` wide), so that it scales with the page.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from console.view.state import HOUR, Hour, Workspace
from schemas.actions import LayerResult

WIDTH: Final = 640
HEIGHT: Final = 160
_LEFT: Final = 34
_BOTTOM: Final = 22
_TOP: Final = 8


class Bar(Struct, frozen=True):
    """A rectangle. `kind` names its class, `words` says what it stands for."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    words: str


class Label(Struct, frozen=True):
    """A text at a place."""

    x: float
    y: float
    text: str


class Plot(Struct, frozen=True):
    """A plot; `words` describes it to who does not see it."""

    bars: tuple[Bar, ...]
    across: tuple[Label, ...]
    up: tuple[Label, ...]
    words: str
    width: int = WIDTH
    height: int = HEIGHT


class Row(Struct, frozen=True):
    """A horizontal bar: `share` of 100 is held, `other` refused."""

    name: str
    held: int
    refused: int
    held_share: float
    refused_share: float


def by_hour(workspace: Workspace, now: int, hours: int = 24) -> Plot:
    """Actions, holds and refusals of the last `hours`, stacked."""
    last = now // HOUR
    columns = [workspace.hours.get(hour, Hour()) for hour in range(last - hours + 1, last + 1)]
    top = _ceiling(max((c.actions + c.holds + c.refusals for c in columns), default=0))
    step = (WIDTH - _LEFT) / hours
    bars: list[Bar] = []
    for place, column in enumerate(columns):
        base = float(HEIGHT - _BOTTOM)
        parts = (
            ("pass", column.actions, "actions"),
            ("hold", column.holds, "held"),
            ("refuse", column.refusals, "refused"),
        )
        for kind, count, what in parts:
            if not count:
                continue
            height = count / top * (HEIGHT - _BOTTOM - _TOP)
            base -= height
            words = f"{count} {what}, {_clock(last - hours + 1 + place)}"
            x = _LEFT + place * step + 2
            bars.append(
                Bar(round(x, 1), round(base, 1), round(step - 4, 1), round(height, 1), kind, words)
            )
    sums = [sum(getattr(c, name) for c in columns) for name in ("actions", "holds", "refusals")]
    words = f"Last {hours} hours: {sums[0]} actions, {sums[1]} held, {sums[2]} refused"
    return Plot(tuple(bars), _across(last, hours), _up(top), words)


def by_value(
    workspace: Workspace, now: int, value: Callable[[Hour], float], what: str, hours: int = 24
) -> Plot:
    """One figure of each of the last `hours`; `what` is its unit and what it is of."""
    last = now // HOUR
    values = [value(workspace.hours.get(at, Hour())) for at in range(last - hours + 1, last + 1)]
    top = _round(max(values))
    step = (WIDTH - _LEFT) / hours
    bars: list[Bar] = []
    for place, each in enumerate(values):
        height = each / top * (HEIGHT - _BOTTOM - _TOP)
        if each:
            bars.append(
                Bar(
                    round(_LEFT + place * step + 2, 1),
                    round(HEIGHT - _BOTTOM - height, 1),
                    round(step - 4, 1),
                    round(height, 1),
                    "pass",
                    f"{each:,.3g} {what}, {_clock(last - hours + 1 + place)}",
                )
            )
    words = f"Last {hours} hours: at most {max(values):,.3g} {what} in one of them"
    return Plot(tuple(bars), _across(last, hours), _up(top), words)


def by_layer(workspace: Workspace) -> tuple[Row, ...]:
    """How often each layer held or refused, in the gate's order, those that never did left out."""
    counted: dict[tuple[int, str], list[int]] = {}
    for (number, name, result), count in workspace.layers.items():
        row = counted.setdefault((number, name), [0, 0])
        row[result is LayerResult.REFUSE] += count
    most = max((sum(row) for row in counted.values()), default=1)
    return tuple(
        Row(
            f"{number} {name}",
            held,
            refused,
            round(100 * held / most, 1),
            round(100 * refused / most, 1),
        )
        for (number, name), (held, refused) in sorted(counted.items())
    )


def percentile(values: Sequence[int], share: float) -> int:
    """The value that `share` of all do not exceed, 0 for none."""
    if not values:
        return 0
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _across(last: int, hours: int) -> tuple[Label, ...]:
    step = (WIDTH - _LEFT) / hours
    return tuple(
        Label(round(_LEFT + (place + 0.5) * step, 1), HEIGHT - 6, _clock(last - hours + 1 + place))
        for place in range(0, hours, 6)
    )


def _up(top: float) -> tuple[Label, ...]:
    return tuple(
        Label(
            _LEFT - 6,
            round(HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP), 1),
            f"{top * share:g}",
        )
        for share in (0, 0.5, 1)
    )


def _round(value: float) -> float:
    """1, 2 or 5 times a power of ten, no less than `value`: the top of an axis."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * each for each in (1, 2, 5, 10) if size * each >= value * (1 - 1e-9))


def _ceiling(value: int) -> int:
    """A round number no less than `value`, even, for the top of an axis."""
    size = 2
    while size < value:
        size = size * 5 // 2 if str(size)[0] == "2" else size * 2
    return size


def _clock(hour: int) -> str:
    return f"{hour % 24:02d}:00"
