"""CSV for spreadsheets: one row an entry, and the columns that an auditor sorts by.

RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP,
CSV injection): a name in a ledger may have been written by anybody.
"""

from typing import Any, Final

from ledger.renderings.line import Invalid, Line

COLUMNS: Final = (
    *("index", "time", "type", "run", "role", "instance", "rep", "agent", "tool", "result"),
    *("reason", "proposal", "action", "classification", "event_id", "digest", "leaf"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def row(line: Line | Invalid) -> list[str]:
    """The cells of one entry, in the order of `COLUMNS`."""
    if isinstance(line, Invalid):
        cells: dict[str, Any] = {"type": "(invalid)", "reason": line.reason}
    else:
        cells = _cells(line)
    cells |= {"index": line.index, "leaf": line.leaf}
    return [_safe(cells.get(column)) for column in COLUMNS]


def _cells(line: Line) -> dict[str, Any]:
    event, body = line.event, line.body
    lease, receipt = body.get("lease") or {}, body.get("receipt") or {}
    said = {**body, **lease, **(receipt if isinstance(receipt, dict) else {})}
    return {
        "time": line.time,
        "type": event.type,
        "run": event.run,
        "role": event.actor.role.value,
        "instance": event.actor.instance,
        "rep": said.get("rep"),
        "agent": said.get("agent"),
        "tool": said.get("tool"),
        "result": _first(said, "outcome", "verdict", "decision", "response"),
        "reason": _first(said, "reason", "question", "detail", "what", "error"),
        "proposal": line.digest if event.type == "proposal.made" else said.get("proposal"),
        "action": line.digest if event.type == "action.started" else said.get("action"),
        "classification": event.classification.value,
        "event_id": event.id,
        "digest": line.digest,
    }


def _first(said: dict[str, Any], *names: str) -> Any:
    return next((said[name] for name in names if said.get(name) not in (None, "")), None)


def _safe(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
