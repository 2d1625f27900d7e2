"""CloudEvents 1.0 in the JSON format, one event a line.

`source` is the workspace as a URN, `id` the event's own, so that source and id together are
unique, as the specification wants. Extension attributes name the entry that the event was made
from. Source: cloudevents.io, spec v1.0.2, sections 3.1 and 2.1 of the JSON format.
"""

from typing import Any, Final

from ledger.renderings.line import Invalid, Line

TYPE_PREFIX: Final = "anyteam.ledger."


def cloud_event(line: Line | Invalid, workspace: str) -> dict[str, Any]:
    """An entry as a CloudEvent. One that is invalid has its leaf for an id, and no time."""
    common = {
        "specversion": "1.0",
        "source": f"urn:anyteam:workspace:{workspace}",
        "datacontenttype": "application/json",
        "ledgerindex": str(line.index),
        "ledgerleaf": line.leaf,
    }
    if isinstance(line, Invalid):
        data: dict[str, Any] = {"reason": line.reason, "subject": line.subject}
        return {**common, "id": line.leaf, "type": f"{TYPE_PREFIX}invalid", "data": data}
    event = line.event
    return {
        **common,
        "id": event.id,
        "type": f"{TYPE_PREFIX}{event.type}",
        "subject": event.run or "workspace",
        "time": line.time,
        "actor": line.actor,
        "eventdigest": line.digest,
        "classification": event.classification.value,
        "data": {key: value for key, value in line.body.items() if key != "type"},
    }
