"""OCSF 1.8.0: each entry as an event of the class that says what it is, for a SIEM.

    key.*, policy.*, memory.*, content.*     3004 Entity Management
    rep.*                                    3001 Account Change
    lease.granted, lease.renewed             3005 User Access Management
    run.*, lease.revoked, lease.expired      6002 Application Lifecycle
    supervisor.flagged, halt.*, destination.blocked, witness.refused, entry.rejected, and
    invalid entries                          2004 Detection Finding
    all else (proposals to receipts)         6003 API Activity

What has no place in a class is in `unmapped`, as in the JSON Lines. Source: schema.ocsf.io/1.8.0.
"""

from typing import Any, Final

from ledger.renderings.line import Invalid, Line

VERSION: Final = "1.8.0"
_INFORMATIONAL, _MEDIUM, _HIGH = 1, 3, 4
_SUCCESS, _FAILURE, _UNKNOWN = 1, 2, 0
_ENTITIES: Final = ("workspace.", "key.", "policy.", "memory.", "content.")
_FINDINGS: Final = (
    "supervisor.flagged",
    "halt.engaged",
    "halt.released",
    "destination.blocked",
    "witness.refused",
)
_ENTITY_ACTIVITY: Final = {
    "workspace.created": 1, "key.certified": 1, "key.revoked": 4, "policy.set": 3,
    "memory.retained": 1, "memory.forgotten": 4, "memory.withdrawn": 4, "content.erased": 4,
}  # fmt: skip
_LIFECYCLE: Final = {
    "run.started": 3, "run.parked": 4, "run.completed": 4, "run.halted": 4,
    "lease.revoked": 4, "lease.expired": 4,
}  # fmt: skip


def ocsf_event(line: Line | Invalid, workspace: str) -> dict[str, Any]:
    """One entry as an OCSF event."""
    if isinstance(line, Invalid):
        return _invalid(line, workspace)
    kind = line.event.type
    if kind.startswith(_ENTITIES):
        return _entity(line)
    if kind.startswith("rep."):
        return _account(line)
    if kind in ("lease.granted", "lease.renewed"):
        return _access(line)
    if kind.startswith(("run.", "lease.")):
        return _lifecycle(line)
    if kind in (*_FINDINGS, "entry.rejected"):
        return _finding(line)
    return _api(line)


def _entity(line: Line) -> dict[str, Any]:
    body = line.body
    name = (
        body.get("claim")
        or body.get("key_id")
        or (body.get("certificate") or {}).get("key_id")
        or line.event.type.partition(".")[0]
    )
    entity = {"name": str(name), "type": line.event.type.partition(".")[0]}
    return _base(line, 3004, 3, _ENTITY_ACTIVITY.get(line.event.type, 99)) | {
        "entity": entity,
        "actor": _actor(line),
    }


def _account(line: Line) -> dict[str, Any]:
    activity = 2 if line.event.type == "rep.activated" else 5
    user = {"name": line.body["rep"]}
    return _base(line, 3001, 3, activity) | {"user": user, "actor": _actor(line)}


def _access(line: Line) -> dict[str, Any]:
    lease = line.body["lease"]
    return _base(line, 3005, 3, 1) | {
        "user": {"name": lease["rep"]},
        "privileges": list(lease["tools"]),
        "resource": {"name": line.event.run or "", "type": "run"},
        "actor": _actor(line),
    }


def _lifecycle(line: Line) -> dict[str, Any]:
    body = line.body
    app = {"name": str(body.get("agent") or "agent"), "uid": line.event.run or ""}
    outcome = body.get("outcome")
    made = _base(line, 6002, 6, _LIFECYCLE.get(line.event.type, 99)) | {"app": app}
    if line.event.type in ("run.halted", "run.refused", "lease.revoked"):
        made |= {"severity_id": _MEDIUM, "status_id": _FAILURE}
    elif outcome is not None:
        made["status_id"] = _SUCCESS if outcome == "success" else _FAILURE
    return made


def _finding(line: Line) -> dict[str, Any]:
    body, kind = line.body, line.event.type
    title = str(body.get("reason") or body.get("what") or kind)
    serious = (
        kind in ("halt.engaged", "destination.blocked", "witness.refused")
        or body.get("response") == "halt"
    )
    made = _base(line, 2004, 2, 3 if kind == "halt.released" else 1) | {
        "severity_id": _HIGH if serious else _MEDIUM,
        "finding_info": {
            "uid": line.event.id,
            "title": title,
            "types": [kind, *([body["pattern"]] if "pattern" in body else [])],
        },
    }
    if kind == "halt.released":
        made["severity_id"] = _INFORMATIONAL
    return made


def _api(line: Line) -> dict[str, Any]:
    body, event = line.body, line.event
    tool = body.get("tool")
    made = _base(line, 6003, 6, 99) | {
        "activity_name": event.type,
        "actor": _actor(line),
        "api": {
            "operation": str(tool or event.type),
            "service": {"name": str(tool).partition(".")[0] if tool else "anyteam"},
            "request": {"uid": str(body.get("proposal") or line.digest)},
        },
        "src_endpoint": {"name": line.actor, "svc_name": event.actor.role.value},
    }
    if event.type == "action.refused":
        made |= {"severity_id": _MEDIUM, "status_id": _FAILURE, **_controlled(2, 2)}
    elif event.type == "action.started":
        made |= _controlled(1, 1)
    elif event.type == "approval.requested":
        made |= _controlled(99, 14)
    elif event.type == "action.finished":
        made["status_id"] = {"confirmed": _SUCCESS, "failed": _FAILURE}.get(
            str(body.get("outcome")), _UNKNOWN
        )
    if made.get("action_id") is not None:
        made["metadata"] = {**made["metadata"], "profiles": ["security_control"]}
    return made


def _controlled(action: int, disposition: int) -> dict[str, Any]:
    """The profile of a control that lets through, stops or delays."""
    return {"action_id": action, "disposition_id": disposition}


def _base(line: Line, class_uid: int, category: int, activity: int) -> dict[str, Any]:
    event, body = line.event, line.body
    made = _common(line.index, event.workspace, class_uid, category, activity)
    made["time"] = event.at // 1_000_000
    made["metadata"] |= {
        "uid": event.id,
        "original_event_uid": event.id,
        "event_code": event.type,
        "original_time": line.time,
    }
    if event.run is not None:
        made["metadata"]["correlation_uid"] = event.run
    said = body.get("reason") or body.get("detail") or body.get("question")
    if isinstance(said, str) and said:
        made["message"] = said
    made["unmapped"] = {
        "ledger_leaf": line.leaf,
        "event_digest": line.digest,
        "causes": [cause.hex() for cause in event.causes],
        "body": {key: value for key, value in body.items() if key != "type"},
    }
    return made


def _common(
    index: int, workspace: str, class_uid: int, category: int, activity: int
) -> dict[str, Any]:
    return {
        "category_uid": category,
        "class_uid": class_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "severity_id": _INFORMATIONAL,
        "metadata": {
            "version": VERSION,
            "product": {"name": "AnyTeam Trust", "vendor_name": "AnyTeam"},
            "log_name": f"anyteam/{workspace}",
            "tenant_uid": workspace,
            "sequence": index,
        },
    }


def _actor(line: Line) -> dict[str, Any]:
    return {"user": {"name": line.event.actor.instance}, "app_name": line.event.actor.role.value}


def _invalid(line: Invalid, workspace: str) -> dict[str, Any]:
    """An invalid entry has no time of its own; OCSF wants one, so it is the epoch."""
    made = _common(line.index, workspace, 2004, 2, 1)
    return made | {
        "time": 0,
        "severity_id": _MEDIUM,
        "message": line.reason,
        "finding_info": {"uid": line.leaf, "title": "an entry that is no valid event"},
        "unmapped": {"ledger_leaf": line.leaf, "subject": line.subject},
    }
