"""What the settings may change in a tool's declaration: make it stricter, never looser. Pure.

The connector knows its tool; the customer knows what its sources are worth. So trust may be
withdrawn, a classification raised, a ceiling lowered, a price put on a call.
"""

from typing import Any

from msgspec.structs import replace

from schemas.sections import BadSettings
from schemas.settings import ToolSettings
from schemas.tools import Tool, Trust


def tightened(tool: Tool, chosen: ToolSettings) -> Tool:
    """`tool` under the settings' own words on it. Raises `BadSettings`, naming the key."""
    key = f'policy.tool."{tool.name}"'
    changes: dict[str, Any] = {}
    if chosen.trust is not None:
        if chosen.trust is Trust.TRUSTED and tool.trust is not Trust.TRUSTED:
            raise _looser(f"{key}.trust", "untrusted")
        changes["trust"] = chosen.trust
    if chosen.trusted is not None:
        stray = sorted(set(chosen.trusted) - set(tool.trusted))
        if stray:
            raise _looser(f"{key}.trusted", f"among {', '.join(tool.trusted) or 'none'}")
        changes["trusted"] = chosen.trusted
    if chosen.classification is not None:
        if chosen.classification.rank < tool.classification.rank:
            raise _looser(f"{key}.classification", f"{tool.classification.value} or higher")
        changes["classification"] = chosen.classification
    if chosen.ceiling is not None:
        if chosen.ceiling.rank > tool.ceiling.rank:
            raise _looser(f"{key}.ceiling", f"{tool.ceiling.value} or lower")
        changes["ceiling"] = chosen.ceiling
    if chosen.cost is not None:
        if chosen.cost < tool.cost:
            raise _looser(f"{key}.cost", f"{tool.cost} or more")
        changes["cost"] = chosen.cost
    return replace(tool, **changes)


def _looser(key: str, allowed: str) -> BadSettings:
    return BadSettings(
        f"{key} is looser than the connector's own declaration", fix=f"make it {allowed}"
    )
