"""JSON Schemas of the events, for readers in other languages and for the auditor.

Pure: one schema per event type, generated from the Structs, draft 2020-12. A schema speaks
of an event's JSON form (`json_form`), in which bytes are base64 (RFC 4648 section 4). It
holds the whole event with that one body, and only the roles that `schemas.authority` lets
sign it. The same Structs give the same bytes, so that a difference is a change.
"""

import typing
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.authority import AUTHORITY
from schemas.events import VERSION, AnyBody, Event

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
BASE: Final = f"https://schemas.example.com/anyteam/v{VERSION}"
INDEX: Final = "index.json"

_REF: Final = "#/$defs/"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def json_form(event: Event) -> Any:
    """The event as plain JSON values, bytes in base64: what the schemas describe."""
    return msgspec.to_builtins(event)


def body_types() -> dict[str, type[AnyBody]]:
    """Event type -> the Struct of its body, sorted by type."""
    bodies = {str(body.__struct_config__.tag): body for body in typing.get_args(AnyBody)}
    return dict(sorted(bodies.items()))


def schema_of(event_type: str) -> dict[str, Any]:
    """The JSON Schema of a whole event of `event_type`. Raises KeyError for an unknown type."""
    body = body_types()[event_type]
    topic, signers = AUTHORITY[event_type]
    _, components = msgspec.json.schema_components((Event, body), ref_template=_REF + "{name}")
    event = components.pop("Event")
    properties = event["properties"] | {
        "actor": {
            "allOf": [
                {"$ref": f"{_REF}Actor"},
                {"properties": {"role": {"enum": sorted(role.value for role in signers)}}},
            ]
        },
        "body": {"$ref": _REF + body.__name__},
    }
    schema: dict[str, Any] = event | {
        "$schema": DIALECT,
        "$id": f"{BASE}/{event_type}.json",
        "title": event_type,
        "description": f"A whole {event_type} event, as published under the topic {topic!r}.",
        "properties": properties,
    }
    return schema | {"$defs": _reached(schema, components)}


def documents() -> dict[str, bytes]:
    """File name -> content of every schema, and of the index that lists them."""
    files: dict[str, bytes] = {}
    listed: list[dict[str, Any]] = []
    for event_type in body_types():
        schema = schema_of(event_type)
        topic, signers = AUTHORITY[event_type]
        files[f"{event_type}.json"] = _pretty(schema)
        listed.append(
            {
                "type": event_type,
                "schema": schema["$id"],
                "topic": topic,
                "signers": sorted(role.value for role in signers),
            }
        )
    files[INDEX] = _pretty({"version": VERSION, "dialect": DIALECT, "events": listed})
    return files


def _reached(schema: object, components: dict[str, Any]) -> dict[str, Any]:
    """Those of `components` that `schema` refers to, directly or through others."""
    reached: dict[str, Any] = {}
    pending = list(_references(schema))
    while pending:
        name = pending.pop()
        if name not in reached:
            reached[name] = components[name]
            pending.extend(_references(components[name]))
    return dict(sorted(reached.items()))


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield str(value).removeprefix(_REF)
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _pretty(value: object) -> bytes:
    return msgspec.json.format(_ENCODER.encode(value), indent=2) + b"\n"
