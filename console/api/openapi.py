"""The API's document, made from the table of operations and the types that they take and give.

Source: OpenAPI 3.1.1, whose schemas are JSON Schema 2020-12, as msgspec writes them.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from console.api.answers import FORM
from console.api.operations import DOCUMENT, OPERATIONS, Operation
from console.api.shapes import PREFIX, Problem
from console.web.permissions import SCOPES, May
from console.web.problems import MEDIA_TYPE

_REF: Final = "#/components/schemas/{name}"

_WORDS: Final = {
    400: "a parameter, a cursor, a header or the JSON is out of form",
    401: "no token, or one that opens nothing",
    403: "the role, or the token's scopes, do not allow it",
    404: "there is no such thing, or none that this token may know of",
    409: "it was decided already, is over, or is being done",
    413: "the body is over 64 KiB",
    415: "the body is no application/json",
    421: "the console is not of that host name",
    422: "the body does not fit; the detail names the field",
    429: "more requests than the limit; Retry-After says for how long",
    503: "the ledger cannot take it, or the console cannot say, now",
}
_ALWAYS: Final = (401, 403, 421, 429, 503)


def document(origin: str) -> dict[str, Any]:
    """The document of the console at this origin."""
    shapes = [operation.gives for operation in OPERATIONS]
    bodies = [operation.takes for operation in OPERATIONS if operation.writes]
    given, components = msgspec.json.schema_components(
        [*shapes, *bodies, Problem], ref_template=_REF
    )
    answers, asked = given[: len(shapes)], iter(given[len(shapes) :])
    paths: dict[str, Any] = {}
    for operation, answer in zip(OPERATIONS, answers, strict=True):
        place = paths.setdefault(operation.path.replace(":int", ""), {})
        place[operation.method.lower()] = _operation(
            operation, answer, next(asked) if operation.writes else None
        )
    paths[DOCUMENT] = {
        "get": {
            "operationId": "document",
            "summary": "This document.",
            "security": [],
            "responses": {"200": _json("OpenAPI 3.1", {"type": "object"}), "421": _problem(421)},
        }
    }
    return {
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "AnyTeam Trust",
            "version": "1",
            "description": "Runs, approvals, halts and the ledger of one workspace.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": origin + PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "from `anyteam tokens create`",
                }
            },
        },
    }


def _operation(
    operation: Operation, answer: dict[str, Any], body: dict[str, Any] | None
) -> dict[str, Any]:
    statuses = {*_ALWAYS}
    parameters = _parameters(operation.at, "path")
    if parameters:
        statuses.add(404)
    if body is None:
        parameters += _parameters(operation.takes, "query")
        statuses.add(400)
    else:
        parameters.append(_KEY)
        statuses |= {400, 404, 409, 413, 415, 422}
    if operation.name == "ledger_checkpoint":
        statuses.add(404)
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": (operation.handler.__doc__ or "").strip(),
        "description": _needs(operation.needs),
        "parameters": parameters,
        "responses": {
            str(operation.status): _json("done" if body is not None else "found", answer),
            **{str(status): _problem(status) for status in sorted(statuses)},
        },
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "a fresh key for each write, the same for a repetition of it",
    "schema": {"type": "string", "pattern": FORM},
}


def _needs(needs: May | None) -> str:
    if needs is None:
        return "Needs any token."
    scope = next(scope for scope, may in SCOPES.items() if needs in may)
    return f"Needs scope `{scope.value}`, and a role that may {needs.value}."


def _parameters(shape: type[Struct], place: str) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(shape)
    fields = schema["$defs"][shape.__name__]["properties"]
    return [
        {
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": _without_null(field),
        }
        for name, field in fields.items()
    ]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; null is nothing that an address can say."""
    plain = {name: value for name, value in field.items() if name != "default"}
    choices = plain.get("anyOf")
    if choices is None:
        return plain
    left = [choice for choice in choices if choice != {"type": "null"}]
    assert len(left) == 1
    return dict(left[0])


def _json(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=Problem.__name__)}
    return {"description": _WORDS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
