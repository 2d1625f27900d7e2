"""What the demo's servers themselves show of a run's effects, each found by its action's key.

The mail server, the calendar and the CRM log what they were made to do, under whatever key; a file
is known by its digest. An effect that the ledger confirms and its server does not show is a fault.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bus.decider import Recorded
from console.errors import ComponentDied
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.content import opened

Look = Callable[[Path, str, Any], str]
"""What the server shows of an action with this key and result, in words; empty for nothing."""


def shown(root: Path, entries: Iterable[Recorded]) -> Iterator[tuple[str, str]]:
    """Each confirmed effect's tool, and what its server shows of it. Raises `ComponentDied`."""
    begun: dict[bytes, tuple[str, str]] = {}
    for recorded in entries:
        body = recorded.event.body
        if isinstance(body, ActionStarted):
            begun[recorded.digest] = (body.tool, recorded.event.id)
        elif isinstance(body, ActionFinished) and body.outcome is ActionOutcome.CONFIRMED:
            tool, key = begun[body.action]
            look = _LOOKS.get(tool)
            if look is None:
                continue
            found = look(root, key, opened(body.result))
            if not found:
                raise ComponentDied(
                    f"{tool} is confirmed in the ledger, and its server does not show it",
                    fix="this must never be: report it",
                )
            yield tool, found


def log_of(root: Path, server: str) -> list[dict[str, Any]]:
    """What one of the servers logged, oldest first."""
    log = root / server / "seen.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _mail(root: Path, key: str, result: Any) -> str:
    sent = [entry for entry in log_of(root, "mail") if key in entry["message_id"]]
    return _once("{bytes} bytes from {from} to {to}, Message-ID {message_id}", sent)


def _calendar(root: Path, key: str, result: Any) -> str:
    entries = [entry for entry in log_of(root, "calendar") if entry["key"] == key]
    return _once("an event at {path}", entries)


def _crm(root: Path, key: str, result: Any) -> str:
    entries = [entry for entry in log_of(root, "crm") if entry["key"] == key]
    return _once("{method} {path} {body}", entries)


def _files(root: Path, key: str, result: Any) -> str:
    for path in sorted((root / "files").rglob("*")):
        if path.is_file() and isinstance(result, dict):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == result.get("sha256"):
                return (
                    f"{path.relative_to(root)}, {len(data)} bytes, as the receipt's digest has it"
                )
    return ""


def _once(words: str, entries: list[dict[str, Any]]) -> str:
    """The one entry in words, or nothing: an effect done twice is not what was asked for."""
    return words.format_map(entries[0]) if len(entries) == 1 else ""


_LOOKS: Final[Mapping[str, Look]] = {
    "mail.send": _mail,
    "calendar.create": _calendar,
    "crm.update_deal": _crm,
    "files.write": _files,
}
