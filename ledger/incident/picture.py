"""A timeline as one inline SVG: a lane for each run, a mark for each event, read left to right.

Shape and colour both tell: a refusal is a cross, a question a diamond, a finished action a full
dot, all else a small ring. Each mark has a title, so that it can be read without being seen.
"""

from html import escape
from typing import Final

from ledger.incident.report import Moment

_WIDTH: Final = 960
_LEFT: Final = 200
_LANE: Final = 34


def picture(moments: tuple[Moment, ...]) -> str:
    """The SVG element; texts in it are escaped."""
    lanes = list(dict.fromkeys(one.run or "workspace" for one in moments))
    first = min((one.at for one in moments), default=0)
    span = max((one.at for one in moments), default=0) - first or 1
    height = _LANE * len(lanes) + 30
    said = f"{len(moments)} events in {len(lanes)} lanes, from left to right in time"
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(said)}"'
        ' xmlns="http://www.w3.org/2000/svg"><title>Timeline</title>'
    ]
    for place, lane in enumerate(lanes):
        y = _LANE * place + 25
        parts.append(
            f'<text x="0" y="{y + 4}" class="lane">{escape(lane)}</text>'
            f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y}" y2="{y}" class="rail"/>'
        )
    for one in moments:
        x = _LEFT + (one.at - first) * (_WIDTH - _LEFT - 20) / span
        y = _LANE * lanes.index(one.run or "workspace") + 25
        title = escape(f"entry {one.index}, {one.time}: {one.type} {one.words}".strip())
        parts.append(f"<g class='{one.tone}'><title>{title}</title>{_mark(one.tone, x, y)}</g>")
    return "".join((*parts, "</svg>"))


def _mark(tone: str, x: float, y: float) -> str:
    if tone == "bad":
        return f'<path d="M{x - 6:.1f} {y - 6}l12 12m0 -12l-12 12" fill="none" stroke-width="3"/>'
    if tone == "ask":
        return f'<path d="M{x:.1f} {y - 7}l7 7l-7 7l-7 -7z"/>'
    return f'<circle cx="{x:.1f}" cy="{y}" r="{5 if tone == "good" else 3}"/>'
