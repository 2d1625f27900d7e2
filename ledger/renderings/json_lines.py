"""JSON Lines: one object an entry, with everything of it that is not sealed."""

from typing import Any

from ledger.renderings.line import Invalid, Line


def json_object(line: Line | Invalid) -> dict[str, Any]:
    """An entry as one JSON object."""
    if isinstance(line, Invalid):
        return {
            "index": line.index,
            "subject": line.subject,
            "leaf": line.leaf,
            "invalid": line.reason,
        }
    event = line.event
    return {
        "index": line.index,
        "subject": line.subject,
        "leaf": line.leaf,
        "digest": line.digest,
        "id": event.id,
        "type": event.type,
        "time": line.time,
        "workspace": event.workspace,
        "run": event.run,
        "actor": {"role": event.actor.role.value, "instance": event.actor.instance},
        "n": event.n,
        "prev": event.prev.hex(),
        "causes": [cause.hex() for cause in event.causes],
        "seen": event.seen,
        "classification": event.classification.value,
        "body": {key: value for key, value in line.body.items() if key != "type"},
    }
